//! `certwright certificate`: the inventory.

use clap::{Args, Subcommand};
use pki::revocation::RevocationReason;
use protocols::rest::certificate::{Certificate, CertificateQuery, RevokeRequest};
use protocols::rest::inventory::InventorySummary;
use serde_json::{Value, json};

use super::Context;
use super::certificate_bulk::BulkCommand;
use super::certificate_export::Export;
use super::certificate_filters::Filters;
use super::certificate_import::Import;
use super::certificate_search::Search;
use super::certificate_summary;
use super::client::Client;
use super::exit::Failure;
use super::metadata::Change;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright certificate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright certificate list --suffix example.org --status valid
  certwright certificate revoke crt_… --reason superseded")]
pub struct CertificateCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List certificates, newest first
    #[command(after_help = "Examples:
  certwright certificate list --suffix example.org
  certwright certificate list --metadata cost_center=4711
  certwright certificate list --status valid --expires-before 2027-03-01T00:00:00Z --all")]
    List(Box<List>),
    /// Show one certificate
    #[command(after_help = "Example:
  certwright certificate show crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the certificate
        id: String,
    },
    /// Find certificates by name, serial number, fingerprint or id; exit code 3 if there is none
    #[command(after_help = "Examples:
  certwright certificate find www.example.org
  certwright certificate find .example.org          # the name and everything below
  certwright certificate find 3f:9a:01:7c:22:10:5b:e8")]
    Find {
        /// What to look for
        what: String,
    },
    /// Renew, revoke, give away or change the metadata of many at once, after a look at the plan
    Bulk(BulkCommand),
    /// Show the custom metadata of a certificate, or change it
    #[command(after_help = "Examples:
  certwright certificate metadata crt_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright certificate metadata crt_06ek9q3v5c8m2k7t1r4x0z9w8y cost_center=4711 contact=")]
    Metadata(Change),
    /// Search the inventory; count or export what is found
    Search(Box<Search>),
    /// Bring in certificates that others issued, or metadata from a table
    Import(Import),
    /// Show the inventory's figures
    #[command(after_help = "Example:
  certwright certificate summary --output json")]
    Summary,
    /// Write a certificate to a file
    Export(Export),
    /// Revoke a certificate, for good
    #[command(after_help = "Example:
  certwright certificate revoke crt_06ek9q3v5c8m2k7t1r4x0z9w8y --reason keyCompromise

Reasons: unspecified, keyCompromise (also blocks the key for ever), affiliationChanged, superseded,
cessationOfOperation, privilegeWithdrawn, certificateHold, cACompromise, aACompromise")]
    Revoke {
        /// Id of the certificate
        id: String,
        /// Why
        #[arg(long)]
        reason: RevocationReason,
    },
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    paging: Paging,
}

impl CertificateCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List(list) => {
                let query = list.filters.query();
                let page = client
                    .list::<Certificate>(&["certificates"], &query.parameters(), &list.paging)
                    .await?;
                paging::print_rows(context, COLUMNS, &page, row)
            }
            Verb::Show { id } => {
                let shown: Certificate = client.get(&["certificates", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Find { what } => find(&client, context, &what).await,
            Verb::Bulk(bulk) => bulk.run(&client, context).await,
            Verb::Metadata(change) => change.run(context, &client, &["certificates"]).await,
            Verb::Search(search) => search.run(&client, context).await,
            Verb::Import(import) => import.run(&client, context).await,
            Verb::Summary => {
                let summary: InventorySummary = client.get(&["certificates", "summary"]).await?;
                certificate_summary::print(context, &summary)
            }
            Verb::Export(export) => export.run(&client).await,
            Verb::Revoke { id, reason } => {
                let path = ["certificates", &id, "revoke"];
                let shown: Certificate = client.post(&path, &RevokeRequest { reason }).await?;
                Ok(output::print_columns(context.output, COLUMNS, &shown)?)
            }
        }
    }
}

async fn find(client: &Client, context: &Context, what: &str) -> Result<(), Failure> {
    if what.starts_with("crt_") {
        let found: Certificate = client.get(&["certificates", what]).await?;
        return Ok(output::print_columns(context.output, COLUMNS, &[found])?);
    }
    let paging = Paging::everything();
    let page = client
        .list::<Certificate>(&["certificates"], &sought(what), &paging)
        .await?;
    if page.items.is_empty() {
        return Err(Failure::not_found(format!(
            "no certificate is known for `{what}`"
        )));
    }
    paging::print_rows(context, COLUMNS, &page, row)
}

/// What a text without a label most likely is.
fn sought(what: &str) -> CertificateQuery {
    let digits = what.bytes().filter(|octet| *octet != b':');
    let is_hex = digits.clone().all(|octet| octet.is_ascii_hexdigit());
    let count = digits.count();
    match (what.strip_prefix('.'), is_hex) {
        (None, true) if count == 64 => CertificateQuery {
            fingerprint: what.parse().ok(),
            ..CertificateQuery::default()
        },
        // Shorter ones are host names such as `cafe`.
        (None, true) if count >= 16 => CertificateQuery {
            serial: what.parse().ok(),
            ..CertificateQuery::default()
        },
        (Some(suffix), _) => CertificateQuery {
            suffix: Some(suffix.to_owned()),
            ..CertificateQuery::default()
        },
        (None, _) => CertificateQuery {
            name: Some(what.to_owned()),
            ..CertificateQuery::default()
        },
    }
}

/// What has no names, like a CA, is known by its subject.
pub(super) fn row(certificate: &Certificate) -> Value {
    let names = match certificate.names.as_slice() {
        [] => json!(certificate.subject),
        names => json!(names),
    };
    json!({
        "id": certificate.id,
        "status": certificate.status,
        "names": names,
        "not_after": certificate.not_after,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
    })
}

pub(super) const COLUMNS: &[&str] = &["id", "status", "names", "not_after", "issuer", "serial"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_guessed_by_its_form() {
        let fingerprint = "ab".repeat(32);
        assert!(sought(&fingerprint).fingerprint.is_some());
        assert!(sought("3F:9A:01:7C:22:10:5B:E8").serial.is_some());
        assert_eq!(
            sought(".example.org").suffix.as_deref(),
            Some("example.org")
        );
        for name in ["www.example.org", "cafe", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(sought(name).name.as_deref(), Some(name));
        }
    }
}
