//! `certwright issuer`: the configured CAs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pki::key::KeyAlgorithm;
use protocols::rest::issuer::{
    Crl, ImportIssuer, InstallCertificate, Issuer, IssuerLimits, IssuerRequest, RequestIssuer,
    SetIssuerState, WantedState,
};
use protocols::rest::metadata::IssuerMetadataFields;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::issuer_migrate::{Migrate, MigrationVerb};
use super::issuer_remote::{self, Create, Update};
use super::metadata::{Given, sought};
use super::{files, output, paging};

/// Arguments of `certwright issuer`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright issuer list
  certwright issuer csr issuing-2027 --subject 'CN=Example Issuing CA 2027,O=Example' --out ca.csr
  certwright issuer install issuing-2027 --certificates ca.pem")]
pub struct IssuerCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the issuers
    #[command(after_help = "Example:
  certwright issuer list")]
    List,
    /// Show one issuer
    #[command(after_help = "Example:
  certwright issuer show issuing")]
    Show {
        /// Name of the issuer
        name: String,
    },
    /// Configure a CA elsewhere: ACME, EST, SCEP, CMP, AD CS, Vault, EJBCA, AWS, or a program of yours
    #[command(after_help = "Examples:
  certwright issuer create vault --kind vault --set url=https://vault.example.org:8200 \\
    --set mount=pki_int --set role=web --secret token=@token.txt --file trust_anchors=@vault-root.pem
  certwright issuer create corporate --kind adcs --from adcs.toml --secret password=-
  certwright issuer test vault

`certwright issuer kinds --output json` shows settings and secrets of each kind.")]
    Create(Create),
    /// Change settings or secrets of a CA elsewhere; what is not named stays
    #[command(after_help = "Examples:
  certwright issuer update vault --set role=servers
  certwright issuer update vault --secret token=@new-token.txt")]
    Update(Update),
    /// Look whether an issuer works: reach, credentials, rights; exit code 1 if something fails
    #[command(after_help = "Example:
  certwright issuer test vault

No certificate comes of it. What the CA says of its own certificates is kept.")]
    Test {
        /// Name of the issuer
        name: String,
    },
    /// Say how much an issuer may sign in calendar time (UTC); what is not named is not limited
    #[command(after_help = "Examples:
  certwright issuer limit letsencrypt --per-hour 300 --per-month 50000
  certwright issuer limit letsencrypt            # no limits from now on")]
    Limit {
        /// Name of the issuer
        name: String,
        /// Certificates in an hour
        #[arg(long, value_name = "NUMBER")]
        per_hour: Option<u64>,
        /// Certificates in a day
        #[arg(long, value_name = "NUMBER")]
        per_day: Option<u64>,
        /// Certificates in a month
        #[arg(long, value_name = "NUMBER")]
        per_month: Option<u64>,
    },
    /// Replace what one issuer signed by certificates of another, in waves
    #[command(after_help = "Examples:
  certwright issuer migrate --from old --to new --dry-run
  certwright issuer migrate --from old --to new --filter 'team:web' --wave-size 500

Profiles are routed to the new issuer, and ACME clients are told wave by wave to renew now.")]
    Migrate(Migrate),
    /// Migrations under way and before: list, show, items, pause, resume, rollback
    #[command(after_help = "Examples:
  certwright issuer migration list
  certwright issuer migration items mig_06ek9q3v5c8m2k7t1r4x0z9w8y --state late")]
    Migration {
        #[command(subcommand)]
        verb: MigrationVerb,
    },
    /// Look through what a CA elsewhere issued, as soon as there is time
    #[command(after_help = "Example:
  certwright issuer sync vault")]
    Sync {
        /// Name of the issuer
        name: String,
    },
    /// List the kinds of CAs; with --output json an example of the settings of each
    #[command(after_help = "Example:
  certwright issuer kinds --output json")]
    Kinds,
    /// Say which fields of custom metadata a CA is told, and under which names; nothing is told unless said
    #[command(after_help = "Examples:
  certwright issuer tell vendor 'cost_center=Custom Field 1' 'contact=requestor'
  certwright issuer tell vendor                     # nothing from now on")]
    Tell {
        /// Name of the issuer
        name: String,
        /// A field and the CA's own name for it
        #[arg(value_name = "FIELD=NAME")]
        fields: Vec<Given>,
    },
    /// Make a key for a CA whose certificate comes from a CA elsewhere, and write its request
    #[command(after_help = "Example:
  certwright issuer csr issuing-2027 --subject 'CN=Example Issuing CA 2027,O=Example' --out ca.csr

Without --subject it writes the request of an issuer that waits for its certificate once more.")]
    Csr {
        /// Name of the issuer: lower-case letters, digits and hyphens
        name: String,
        /// Distinguished name of the CA
        #[arg(long)]
        subject: Option<String>,
        /// p-256, p-384, rsa-3072, rsa-4096 or ed25519
        #[arg(long, value_name = "ALGORITHM", default_value = "p-256")]
        key_algorithm: KeyAlgorithm,
        /// File to write; standard output without it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take over a CA that was made elsewhere, with its private key
    #[command(after_help = "Example:
  certwright issuer import corporate --certificates chain.pem --key ca-key.pem

The key is sealed on arrival and is never handed out. A PKCS #11 token takes none: there the CA's key
is made in the token, and `certwright issuer csr` asks the CA above for its certificate.")]
    Import {
        /// Name of the issuer: lower-case letters, digits and hyphens
        name: String,
        /// Its certificate and those above it, PEM, in any order
        #[arg(long, value_name = "FILE")]
        certificates: PathBuf,
        /// Its private key, PEM, not encrypted
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Give an issuer the certificate that was made for its request
    #[command(after_help = "Example:
  certwright issuer install issuing-2027 --certificates ca.pem")]
    Install {
        /// Name of the issuer
        name: String,
        /// Its certificate and those above it, PEM, in any order
        #[arg(long, value_name = "FILE")]
        certificates: PathBuf,
    },
    /// Take an issuer out of service; it still signs CRLs and OCSP answers
    #[command(after_help = "Example:
  certwright issuer retire issuing-2024")]
    Retire {
        /// Name of the issuer
        name: String,
    },
    /// Put an issuer into service
    #[command(after_help = "Example:
  certwright issuer activate issuing-2027")]
    Activate {
        /// Name of the issuer
        name: String,
    },
    /// Publish an issuer's next CRL now
    #[command(after_help = "Example:
  certwright issuer refresh-crl issuing")]
    RefreshCrl {
        /// Name of the issuer
        name: String,
    },
}

impl IssuerCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let issuers: Vec<Issuer> = client.list_all(&["issuers"]).await?;
                paging::print_items(context, COLUMNS, &issuers, row)
            }
            Verb::Show { name } => show(context, &client.get(&["issuers", &name]).await?),
            Verb::Create(create) => print(context, &create.run(&client).await?),
            Verb::Update(update) => print(context, &update.run(&client).await?),
            Verb::Test { name } => issuer_remote::test(&client, context, &name).await,
            Verb::Limit {
                name,
                per_hour,
                per_day,
                per_month,
            } => {
                let limits = IssuerLimits {
                    per_hour,
                    per_day,
                    per_month,
                };
                let path = ["issuers", &name, "limits"];
                print(context, &client.replace(&path, &limits).await?)
            }
            Verb::Migrate(migrate) => migrate.run(&client, context).await,
            Verb::Migration { verb } => verb.run(&client, context).await,
            Verb::Sync { name } => client.tell(&["issuers", &name, "sync"]).await,
            Verb::Kinds => issuer_remote::kinds(&client, context).await,
            Verb::Tell { name, fields } => {
                let body = IssuerMetadataFields {
                    metadata_fields: sought(&fields),
                };
                let path = ["issuers", &name, "metadata-fields"];
                print(context, &client.replace(&path, &body).await?)
            }
            Verb::Csr {
                name,
                subject,
                key_algorithm,
                out,
            } => {
                let request = request(&client, name, subject, key_algorithm).await?;
                files::write(out.as_deref(), request.csr.as_bytes())
            }
            Verb::Import {
                name,
                certificates,
                key,
            } => {
                let body = ImportIssuer {
                    name,
                    certificates: files::read_text(&certificates)?,
                    key: SecretString::from(files::read_text(&key)?),
                };
                print(
                    context,
                    &client.create(&["issuers", "import"], &body).await?,
                )
            }
            Verb::Install { name, certificates } => {
                let certificates = files::read_text(&certificates)?;
                let path = ["issuers", &name, "certificate"];
                print(
                    context,
                    &client
                        .post(&path, &InstallCertificate { certificates })
                        .await?,
                )
            }
            Verb::Retire { name } => set(&client, context, &name, WantedState::Retired).await,
            Verb::Activate { name } => set(&client, context, &name, WantedState::Active).await,
            Verb::RefreshCrl { name } => {
                let crl: Crl = client.act(&["issuers", &name, "crl"], &()).await?;
                Ok(output::print(context.output, &crl)?)
            }
        }
    }
}

async fn request(
    client: &Client,
    name: String,
    subject: Option<String>,
    key_algorithm: KeyAlgorithm,
) -> Result<IssuerRequest, Failure> {
    match subject {
        None => client.get(&["issuers", &name, "csr"]).await,
        Some(subject) => {
            let body = RequestIssuer {
                name,
                subject,
                key_algorithm,
            };
            client.create(&["issuers", "csr"], &body).await
        }
    }
}

async fn set(
    client: &Client,
    context: &Context,
    name: &str,
    state: WantedState,
) -> Result<(), Failure> {
    let path = ["issuers", name, "state"];
    print(
        context,
        &client.post(&path, &SetIssuerState { state }).await?,
    )
}

/// One issuer, and what was found when it was last looked at.
fn show(context: &Context, issuer: &Issuer) -> Result<(), Failure> {
    print(context, issuer)?;
    if context.output == output::Format::Table
        && let Some(health) = &issuer.health
    {
        let published = health.published.iter().map(|place| {
            let until = place
                .fresh_until
                .map(|until| format!("fresh until {until}"));
            let state = place.problem.clone().or(until);
            let state = state.unwrap_or_else(|| "in order".to_owned());
            let number = place.number.as_ref();
            let number = number.map_or_else(String::new, |number| format!(" number {number},"));
            format!("{:<5} {}{number} {state}\n", place.kind, place.url)
        });
        let published: String = published.collect();
        let findings = issuer_remote::lines(&health.findings);
        if !(published.is_empty() && findings.is_empty()) {
            let checked = health.checked_at;
            output::print_text(&format!("\nLooked at {checked}:\n{published}{findings}"))?;
        }
    }
    Ok(())
}

fn print(context: &Context, issuer: &Issuer) -> Result<(), Failure> {
    match context.output {
        output::Format::Json => Ok(output::print(context.output, issuer)?),
        output::Format::Table => Ok(output::print_columns(
            context.output,
            COLUMNS,
            &row(issuer),
        )?),
    }
}

/// An issuer on one line.
fn row(issuer: &Issuer) -> Value {
    let certificate = issuer.certificate.as_ref();
    json!({
        "name": issuer.name,
        "state": issuer.state,
        "healthy": issuer.health.as_ref().map(|health| health.healthy),
        "kind": issuer.kind,
        "root": issuer.is_root,
        "breaker": issuer.live.as_ref().map(|live| &live.breaker),
        "share": issuer.live.as_ref().map(|live| format!("{:.0} %", live.share * 100.0)),
        "subject": certificate.map(|certificate| &certificate.subject),
        "key_kind": certificate.map(|certificate| &certificate.key_kind),
        "not_after": certificate.map(|certificate| certificate.not_after),
        "waiting": issuer.health.as_ref().and_then(|health| health.backlog).map(|backlog| {
            format!("{}, oldest since {}", backlog.unanswered + backlog.pending, backlog.oldest)
        }),
        "crl_number": issuer.crl.as_ref().map(|crl| crl.number),
        "crl_next_update": issuer.crl.as_ref().map(|crl| crl.next_update),
        "id": issuer.id,
    })
}

const COLUMNS: &[&str] = &[
    "name",
    "state",
    "healthy",
    "kind",
    "root",
    "breaker",
    "share",
    "subject",
    "key_kind",
    "not_after",
    "waiting",
    "crl_number",
    "crl_next_update",
    "id",
];
