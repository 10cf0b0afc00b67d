//! `certwright certificate import`: certificates that others issued come into the inventory.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use protocols::rest::inventory::{ImportEntry, ImportQuery, ImportReport, ImportVerdict, media};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::files;
use super::output::{self, Format};

/// Arguments of `certwright certificate import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright certificate import old-ca/*.pem --dry-run
  certwright certificate import export.p7b --team web --metadata billing=4711
  certwright certificate import store.p12 --password-file pw
  certwright certificate import owners.csv     # fingerprint,owner: values for certificates that are known

Each certificate is judged by itself: new, known, or broken. Private keys that come along do not leave
this machine with PEM files, and are thrown away by the server with PKCS #12. Exit code 1 if any is broken.")]
pub struct Import {
    /// Files: PEM, DER, PKCS #7, PKCS #12, JSON lines or CSV; `-` is PEM from standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Form of the files; by default their names and contents tell
    #[arg(long, value_enum)]
    form: Option<Form>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Team that is to own the certificates
    #[arg(long)]
    team: Option<String>,
    /// Metadata that each certificate gets
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// File whose first line opens PKCS #12 files; `-` is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Pem,
    Der,
    P7b,
    P12,
    Jsonl,
    Csv,
}

/// A part of a long file that is sent at once.
const PART: usize = 8 * 1024 * 1024;

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "it is written FIELD=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Form {
    /// What a file is: by its name, else by how it begins.
    fn of(path: &Path, beginning: &[u8]) -> Self {
        let extension = path.extension().and_then(|text| text.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Self::Csv,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            Some("p12" | "pfx") => Self::P12,
            _ if has_pem(beginning) => Self::Pem,
            Some("p7b" | "p7c") => Self::P7b,
            _ if beginning.first() == Some(&0x30) => Self::Der,
            _ => Self::Pem,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Pem => media::PEM,
            Self::Der => media::DER,
            Self::P7b => media::PKCS7,
            Self::P12 => media::PKCS12,
            Self::Jsonl => media::LINES,
            Self::Csv => media::CSV,
        }
    }
}

fn has_pem(octets: &[u8]) -> bool {
    octets.windows(11).any(|part| part == b"-----BEGIN ")
}

impl Import {
    /// Sends the files, one after the other.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let password = match &self.password_file {
            Some(path) => Some(files::read_secret(path)?),
            None => None,
        };
        let mut sum = ImportReport {
            dry_run: self.dry_run,
            ..ImportReport::default()
        };
        for path in &self.files {
            let mut file = open(path)?;
            let beginning = file
                .fill_buf()
                .map_err(|error| files::failed(path, error))?;
            let form = self.form.unwrap_or_else(|| Form::of(path, beginning));
            match form {
                Form::Pem | Form::Jsonl => {
                    let mut parts = Parts::new(file, form);
                    while let Some(part) = parts.next().map_err(|e| files::failed(path, e))? {
                        let report = self.send(client, form, part, None).await?;
                        add(&mut sum, report, path, parts.lines_before);
                    }
                }
                Form::Der | Form::P7b | Form::P12 | Form::Csv => {
                    let mut octets = Vec::new();
                    file.read_to_end(&mut octets)
                        .map_err(|error| files::failed(path, error))?;
                    let report = self.send(client, form, octets, password.as_ref()).await?;
                    add(&mut sum, report, path, 0);
                }
            }
        }
        print(context, &sum)?;
        match sum.broken {
            0 => Ok(()),
            1 => Err(Failure::refused("one entry is broken")),
            broken => Err(Failure::refused(format!("{broken} entries are broken"))),
        }
    }

    async fn send(
        &self,
        client: &Client,
        form: Form,
        octets: Vec<u8>,
        password: Option<&SecretString>,
    ) -> Result<ImportReport, Failure> {
        let is_table = form == Form::Csv;
        let metadata: serde_json::Map<String, Value> = self
            .metadata
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let has_metadata = !metadata.is_empty() && !is_table;
        let query = ImportQuery {
            dry_run: self.dry_run.then_some(true),
            team: self.team.clone().filter(|_| !is_table),
            metadata: has_metadata.then(|| Value::Object(metadata).to_string()),
        };
        let path = ["certificates", "import"];
        client
            .upload(&path, &query, form.media_type(), octets, password)
            .await
    }
}

fn open(path: &Path) -> Result<BufReader<Box<dyn Read + Send>>, Failure> {
    let source: Box<dyn Read + Send> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => {
            let file = std::fs::File::open(path);
            Box::new(file.map_err(|error| files::failed(path, error))?)
        }
    };
    Ok(BufReader::with_capacity(64 * 1024, source))
}

/// A long file of text in parts that each hold whole certificates, and no private keys.
struct Parts<R> {
    source: R,
    form: Form,
    /// Lines of the file before the part that was given last.
    lines_before: usize,
    lines: usize,
}

impl<R: BufRead> Parts<R> {
    fn new(source: R, form: Form) -> Self {
        Self {
            source,
            form,
            lines_before: 0,
            lines: 0,
        }
    }

    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        self.lines_before = self.lines;
        let mut part = Vec::new();
        let mut in_key = false;
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.source.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            self.lines += 1;
            let text = line.trim_ascii();
            let is_pem = self.form == Form::Pem;
            let is_key = text.ends_with(b"PRIVATE KEY-----");
            let (begins, ends) = (
                text.starts_with(b"-----BEGIN "),
                text.starts_with(b"-----END "),
            );
            if is_pem && is_key && begins {
                in_key = true;
            }
            // Lines are kept, though empty, so that the server counts as this file does.
            match in_key {
                true => part.push(b'\n'),
                false => part.extend_from_slice(&line),
            }
            if ends {
                in_key = false;
            }
            let is_border = !is_pem || ends;
            if is_border && part.len() >= PART {
                break;
            }
        }
        Ok((!part.is_empty()).then_some(part))
    }
}

/// Adds a report of one part to that of all.
fn add(sum: &mut ImportReport, report: ImportReport, path: &Path, lines_before: usize) {
    sum.added += report.added;
    sum.known += report.known;
    sum.broken += report.broken;
    sum.keys_dropped += report.keys_dropped;
    if let Some(reason) = report.stopped {
        output::note(&format!("{}: {reason}", path.display()));
        sum.stopped = Some(reason);
    }
    for mut entry in report.entries {
        let place = match entry.place.strip_prefix("line ").map(str::parse::<usize>) {
            Some(Ok(line)) => format!("line {}", line + lines_before),
            Some(Err(_)) | None => entry.place,
        };
        entry.place = format!("{}, {place}", path.display());
        sum.entries.push(entry);
    }
}

const COLUMNS: &[&str] = &[
    "place",
    "verdict",
    "certificate",
    "names",
    "not_after",
    "reason",
];

fn print(context: &Context, report: &ImportReport) -> Result<(), Failure> {
    if context.output == Format::Json {
        return Ok(output::print(context.output, report)?);
    }
    let rows: Vec<Value> = report.entries.iter().map(row).collect();
    output::print_columns(context.output, COLUMNS, &rows)?;
    let would = if report.dry_run {
        " (dry run: nothing was changed)"
    } else {
        ""
    };
    output::note(&format!(
        "{} new, {} known, {} broken{would}",
        report.added, report.known, report.broken
    ));
    if report.keys_dropped > 0 {
        output::note(&format!(
            "{} private keys came along and were thrown away",
            report.keys_dropped
        ));
    }
    Ok(())
}

fn row(entry: &ImportEntry) -> Value {
    json!({
        "place": entry.place,
        "verdict": match entry.verdict {
            ImportVerdict::New => "new",
            ImportVerdict::Known => "known",
            ImportVerdict::Broken => "broken",
        },
        "certificate": entry.certificate,
        "names": entry.names,
        "not_after": entry.not_after,
        "reason": entry.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_or_its_beginning_says() {
        for (name, beginning, form) in [
            ("a.csv", &b"fingerprint"[..], Form::Csv),
            ("a.pfx", b"0", Form::P12),
            ("a.p7b", b"\x30\x82", Form::P7b),
            ("a.p7b", b"-----BEGIN PKCS7-----", Form::Pem),
            ("a.crt", b"\x30\x82", Form::Der),
            ("a.crt", b"# x\n-----BEGIN CERTIFICATE-----", Form::Pem),
            ("-", b"", Form::Pem),
        ] {
            assert_eq!(Form::of(Path::new(name), beginning), form, "{name}");
        }
    }

    #[test]
    fn private_keys_of_pem_files_stay_here_and_lines_keep_their_numbers() {
        let text = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n\
                    -----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let mut parts = Parts::new(text.as_bytes(), Form::Pem);
        let part = String::from_utf8(parts.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            part,
            "\n\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        );
        assert!(parts.next().unwrap().is_none());
    }
}
