//! `certwright client-certificate`: machines that show a certificate in place of a token's secret.

use clap::{Args, Subcommand};
use protocols::rest::client_certificate::{
    CertificateMatch, ClientCertificate, CreateClientCertificate,
};

use super::Context;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright client-certificate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright client-certificate create --name 'build host 7' --token-id tok_… --issued-by issuing --dns build7.example.org
  certwright client-certificate list")]
pub struct ClientCertificateCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List rules, newest first
    #[command(after_help = "Example:
  certwright client-certificate list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one rule
    #[command(after_help = "Example:
  certwright client-certificate show ccr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Show {
        /// Id of the rule
        id: String,
    },
    /// Let certificates open what a token opens
    #[command(after_help = "Examples:
  certwright client-certificate create --name 'build host 7' --token-id tok_… --issued-by issuing --dns build7.example.org
  certwright client-certificate create --name gate --token-id tok_… --issued-by issuing --serial 4f8a01

The server has to ask for certificates: server.client_certificates = \"on\".")]
    Create(Create),
    /// Delete a rule: its certificates open nothing any more
    #[command(after_help = "Example:
  certwright client-certificate delete ccr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    Delete {
        /// Id of the rule
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Which machine it is
    #[arg(long)]
    name: String,
    /// Id of the token whose rights the certificates have
    #[arg(long, value_name = "ID")]
    token_id: String,
    /// The issuer's name, or the SHA-256 of a certificate in server.client_authorities
    #[arg(long, value_name = "CA")]
    issued_by: String,
    #[command(flatten)]
    subject: Subject,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// This one certificate, by its serial number
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
    /// Certificates with exactly this subject, as RFC 4514 writes it
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
    /// Certificates with this DNS name
    #[arg(long, value_name = "NAME")]
    dns: Option<String>,
    /// Certificates with this e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Certificates with this URI
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
}

impl Subject {
    fn given(self) -> Option<CertificateMatch> {
        let serial = self.serial.map(CertificateMatch::Serial);
        serial
            .or(self.subject.map(CertificateMatch::Subject))
            .or(self.dns.map(CertificateMatch::Dns))
            .or(self.email.map(CertificateMatch::Email))
            .or(self.uri.map(CertificateMatch::Uri))
    }
}

impl ClientCertificateCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { paging } => {
                let path = ["client-certificates"];
                let page = client
                    .list::<ClientCertificate>(&path, &(), &paging)
                    .await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { id } => {
                let shown: ClientCertificate = client.get(&["client-certificates", &id]).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Create(create) => {
                let subject = create.subject.given().ok_or_else(|| {
                    Failure::usage("say what has to stand in the certificate, for instance --dns")
                })?;
                let body = CreateClientCertificate {
                    name: create.name,
                    token: create.token_id,
                    ca: create.issued_by,
                    subject,
                };
                let made: ClientCertificate = client.post(&["client-certificates"], &body).await?;
                Ok(output::print(context.output, &made)?)
            }
            Verb::Delete { id } => client.delete(&["client-certificates", &id]).await,
        }
    }
}

const COLUMNS: &[&str] = &["id", "name", "token", "ca", "subject", "last_used_at"];
