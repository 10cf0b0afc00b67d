//! `certwright audit`: what happened, and the proof that nobody changed the record of it.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use frontends::rest::export::{self, Verified};
use pki::key::PublicKey;
use pki::time::Timestamp;
use protocols::rest::audit::{AuditKey, Event, EventQuery, ExportFormat, ExportQuery};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::files;
use super::output::{self, Format};
use super::paging::{self, Paging};

/// Arguments of `certwright audit`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright audit list --name certificate. --since 2027-01-01T00:00:00Z
  certwright audit key --out audit-key.pem          # once, and keep it apart
  certwright audit export --out audit.jsonl
  certwright audit verify audit.jsonl --key audit-key.pem")]
pub struct AuditCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List events, newest first
    #[command(after_help = "Example:
  certwright audit list --object crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    List {
        /// Beginning of the event's name: certificate., token.created
        #[arg(long)]
        name: Option<String>,
        /// Id or name of what it happened to
        #[arg(long)]
        object: Option<String>,
        /// Id of who did it
        #[arg(long)]
        actor: Option<String>,
        /// Id of the HTTP request in whose course it happened
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        /// At this instant or later
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Before this instant
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Write the whole log to a file: with its hash chain, or in the words of log collectors
    #[command(after_help = "Examples:
  certwright audit export --out audit.jsonl
  certwright audit export --format cef --out audit.cef

Only jsonl can be verified: it has the hash chain and the signed checkpoints.")]
    Export {
        /// In which words
        #[arg(long, value_enum, default_value_t)]
        format: Words,
        /// File to write; standard output without it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the public key that checks the checkpoints' signatures
    #[command(after_help = "Example:
  certwright audit key --out audit-key.pem

Fetch it once and keep it apart: a verifier that gets it along with the log trusts the log.")]
    Key {
        /// File to write; standard output without it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check an exported log, without a server; exit code 1 if it is not what the server wrote
    #[command(after_help = "Example:
  certwright audit verify audit.jsonl --key audit-key.pem --seen 120411

An edit, a deletion, a change of order and a cut-off end are found. Without --key whoever changed
the log may have made the checkpoints too; without --seen a log that was cut off at an earlier
checkpoint looks like one that was exported then.")]
    Verify {
        /// The exported log
        file: PathBuf,
        /// Public key of the checkpoints (PEM)
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Number of events at an earlier look: there must not be fewer
        #[arg(long, value_name = "N")]
        seen: Option<i64>,
    },
}

/// The words of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Words {
    /// JSON Lines with hash chain and checkpoints
    #[default]
    Jsonl,
    /// Common Event Format
    Cef,
    /// Open Cybersecurity Schema Framework
    Ocsf,
}

impl AuditCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List {
                name,
                object,
                actor,
                request,
                since,
                until,
                paging,
            } => {
                let query = EventQuery {
                    name,
                    object,
                    actor,
                    request_id: request,
                    since,
                    until,
                };
                list(context, &query, &paging).await
            }
            Verb::Export { format, out } => {
                export(&Client::new(context)?, format, out.as_deref()).await
            }
            Verb::Key { out } => {
                let key: AuditKey = Client::new(context)?.get(&["audit", "key"]).await?;
                match context.output {
                    Format::Json => Ok(output::print(context.output, &key)?),
                    Format::Table => files::write(out.as_deref(), key.public_key.as_bytes()),
                }
            }
            Verb::Verify { file, key, seen } => {
                let verified = verify(&file, key.as_deref(), seen)?;
                if !verified.signatures_checked {
                    output::note("the signatures were not checked; give --key");
                }
                Ok(output::print(context.output, &verified)?)
            }
        }
    }
}

async fn list(context: &Context, query: &EventQuery, paging: &Paging) -> Result<(), Failure> {
    let client = Client::new(context)?;
    let page = client.list::<Event>(&["audit"], query, paging).await?;
    paging::print_rows(context, COLUMNS, &page, row)
}

fn row(event: &Event) -> Value {
    json!({
        "at": event.at,
        "event": event.name,
        "object": event.object,
        "actor": event.actor.id,
        "address": event.actor.address,
        "id": event.id,
    })
}

/// The log may be longer than fits into memory, so it is written as it comes.
async fn export(client: &Client, format: Words, out: Option<&Path>) -> Result<(), Failure> {
    let query = ExportQuery {
        format: match format {
            Words::Jsonl => ExportFormat::Jsonl,
            Words::Cef => ExportFormat::Cef,
            Words::Ocsf => ExportFormat::Ocsf,
        },
    };
    files::save(client.download(&["audit", "export"], &query).await?, out).await
}

fn verify(file: &Path, key: Option<&Path>, seen: Option<i64>) -> Result<Verified, Failure> {
    let key = key.map(read_key).transpose()?;
    let verified = match file.as_os_str() == "-" {
        true => export::verify(std::io::stdin().lock(), key.as_ref(), seen),
        false => {
            let opened = std::fs::File::open(file).map_err(|error| files::failed(file, error))?;
            export::verify(BufReader::new(opened), key.as_ref(), seen)
        }
    };
    verified.map_err(Failure::refused)
}

fn read_key(path: &Path) -> Result<PublicKey, Failure> {
    let refuse = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
    let text = files::read_text(path)?;
    let blocks = pki::pem::decode_all("PUBLIC KEY", text.as_bytes())
        .map_err(|error| refuse(error.to_string()))?;
    let der = blocks
        .first()
        .ok_or_else(|| refuse("there is no key".to_owned()))?;
    PublicKey::from_spki_der(der).map_err(|error| refuse(error.to_string()))
}

const COLUMNS: &[&str] = &["at", "event", "object", "actor", "address", "id"];

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    const EMPTY: &str =
        "{\"export\":{\"version\":1,\"exported_at\":\"2027-01-01T00:00:00Z\",\"events\":0}}\n";

    fn verified(text: &str, seen: Option<i64>) -> Result<Verified, Exit> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("audit.jsonl");
        std::fs::write(&file, text).unwrap();
        verify(&file, None, seen).map_err(|failure| failure.exit)
    }

    #[test]
    fn s06_the_log_of_a_new_server_is_sound() {
        assert_eq!(verified(EMPTY, None).unwrap().events, 0);
    }

    #[test]
    fn s06_a_log_that_does_not_hold_exits_with_1() {
        assert_eq!(verified(EMPTY, Some(1)), Err(Exit::Refused));
        assert_eq!(
            verified(&EMPTY.replace(":0}", ":3}"), None),
            Err(Exit::Refused)
        );
        assert_eq!(verified("nonsense", None), Err(Exit::Refused));
    }

    #[test]
    fn a_log_that_is_not_there_exits_with_3() {
        let failure = verify(Path::new("/nowhere/audit.jsonl"), None, None).unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
    }
}
