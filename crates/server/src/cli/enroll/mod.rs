//! `certwright enroll`: one line from nothing to a certificate with its key in files.

mod delivery;
mod key;
mod pending;
mod places;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use pki::key::KeyAlgorithm;
use protocols::rest::authorization::Identifier;
use protocols::rest::enroll::{Enroll, ServerKey};
use protocols::rest::enrollment::Enrollment;
use protocols::rest::profile::KeyEvidence;

use super::Context;
use super::client::Client;
use super::exit::{Exit, Failure};
use super::lifetime::Lifetime;
use super::output;
use super::profile_explain::key_evidence;

pub(super) use delivery::{Outcome, Patience, deliver, until_issued};
pub(super) use key::{Names, key_type, new_key, read_attestation, read_key};
pub(super) use pending::Pending;
pub(super) use places::{Places, Targets};

/// Arguments of `certwright enroll`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright enroll --dns www.example.org --out-dir /etc/ssl/www
  certwright enroll --dns db.example.org --ip 192.0.2.7 --profile short-lived --key-type p-384
  certwright enroll --csr server.csr --fullchain server.pem
  certwright enroll --dns legacy.example.org --server-key --p12 legacy.p12 --password-file pw
  certwright enroll --dns '*.example.org' --metadata billing-code=4711 --no-wait --out-dir wild
  certwright enroll --resume enr_06ek9q3v5c8m2k7t1r4x0z9w8y --out-dir wild

Without any file named, the four files cert.pem, privkey.pem, chain.pem and fullchain.pem go into a
folder named after the first name. The private key is born here and does not leave this machine
(but for --server-key and --csr). Files are replaced as a whole; a private key that is there already
is not touched without --force. With --no-wait, or when waiting takes longer than --wait, the key is
kept beside its place as KEY.pending until --resume.")]
pub struct EnrollCommand {
    /// Name of the profile
    #[arg(long, default_value = "default")]
    profile: String,
    #[command(flatten)]
    names: Names,
    /// Distinguished name; what of it is certified, the profile says
    #[arg(long, value_name = "DN", default_value = "", hide_default_value = true)]
    subject: String,
    /// Kind of key: p-256, p-384, ed25519, rsa-2048, rsa-3072 or rsa-4096
    #[arg(long, default_value = "p-256", value_parser = key_type)]
    key_type: KeyAlgorithm,
    /// Use the private key that is in the key's file already
    #[arg(long, conflicts_with_all = ["csr", "server_key"])]
    reuse_key: bool,
    /// File with a certificate request made elsewhere (PEM or DER); `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["server_key", "subject"])]
    csr: Option<PathBuf>,
    /// Have the key made on the server, and fetch it once
    #[arg(long)]
    server_key: bool,
    /// How the private key is protected, for profiles that ask: attestation, supplied-device,
    /// cloud-service or witness, and where that is found
    #[arg(long, value_name = "KIND=REFERENCE", value_parser = key_evidence)]
    key_evidence: Option<KeyEvidence>,
    /// File with what the maker of the key's device says of it: certificates in PEM, or an attestation
    /// object; for a request made elsewhere
    #[arg(
        long,
        value_name = "FILE",
        requires = "csr",
        conflicts_with = "key_evidence"
    )]
    attestation: Option<PathBuf>,
    /// Value of a metadata field; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    metadata: Vec<Metadata>,
    /// Name of the team that the certificate is for; only needed where there are several
    #[arg(long)]
    team: Option<String>,
    /// Lifetime, like 30d; the profile's without it
    #[arg(long, value_name = "TIME")]
    validity: Option<Lifetime>,
    /// Id of the certificate that this one takes the place of
    #[arg(long, value_name = "ID")]
    replaces: Option<String>,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    patience: Patience,
    /// Go on with a request that was made before
    #[arg(long, value_name = "ENROLLMENT", conflicts_with_all = [
        "csr", "server_key", "reuse_key", "dns", "ip", "email", "uri", "metadata", "validity",
        "replaces", "subject", "team",
    ])]
    resume: Option<String>,
}

/// `field=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata(pub String, pub String);

impl FromStr for Metadata {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self(name.to_owned(), value.to_owned())),
            Some(_) | None => Err("write FIELD=VALUE"),
        }
    }
}

/// The values by their fields.
pub(super) fn metadata(given: &[Metadata]) -> BTreeMap<String, String> {
    let pairs = given
        .iter()
        .map(|Metadata(name, value)| (name.clone(), value.clone()));
    pairs.collect()
}

impl EnrollCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match &self.resume {
            Some(id) => self.resume(&client, context, id).await,
            None => self.request(&client, context).await,
        }
    }

    async fn request(&self, client: &Client, context: &Context) -> Result<(), Failure> {
        let mut body = Enroll {
            profile: self.profile.clone(),
            identifiers: self.names.identifiers()?,
            validity_seconds: self.validity.map(|lifetime| lifetime.0),
            metadata: metadata(&self.metadata),
            team: self.team.clone(),
            replaces: self.replaces.clone(),
            key_evidence: self.key_evidence.clone(),
            attestation: read_attestation(self.attestation.as_deref())?,
            ..Enroll::default()
        };
        let targets = self
            .places
            .targets(self.csr.is_none(), &first_name(&body.identifiers))?;
        let mut pending = None;
        if let Some(path) = &self.csr {
            body.csr = Some(key::read_csr(path)?);
        } else {
            self.need_names(&body.identifiers)?;
            targets.check_key(None, self.places.force || self.reuse_key)?;
            if self.server_key {
                targets.need_key()?;
                body.key = Some(ServerKey {
                    algorithm: self.key_type,
                });
                body.subject = Some(self.subject.clone()).filter(|text| !text.is_empty());
            } else {
                let waiting = Pending::of(&targets)?;
                waiting.refuse_if_under_way(self.places.force)?;
                let key = match self.reuse_key {
                    true => read_key(targets.need_key()?)?,
                    false => new_key(self.key_type)?,
                };
                body.csr = Some(key::csr(&self.subject, &body.identifiers, &key)?);
                pending = Some(waiting.keep(key)?);
            }
        }
        let enrolled: Result<Enrollment, Failure> = client.create(&["enrollments"], &body).await;
        let enrolled = match (enrolled, &pending) {
            (Ok(enrolled), _) => enrolled,
            (Err(failure), Some(pending)) => {
                // Refused for good: the key was certified by nobody.
                if failure.exit == Exit::Refused {
                    pending.discard()?;
                }
                return Err(failure);
            }
            (Err(failure), None) => return Err(failure),
        };
        if let Some(pending) = &mut pending {
            pending.note(&enrolled.id)?;
        }
        self.finish(client, context, enrolled, pending, &targets)
            .await
    }

    async fn resume(&self, client: &Client, context: &Context, id: &str) -> Result<(), Failure> {
        let enrolled: Enrollment = client.get(&["enrollments", id]).await?;
        let targets = self
            .places
            .targets(true, &first_name(&enrolled.identifiers))?;
        let pending = Pending::of(&targets)?.found()?;
        self.finish(client, context, enrolled, pending, &targets)
            .await
    }

    async fn finish(
        &self,
        client: &Client,
        context: &Context,
        enrolled: Enrollment,
        pending: Option<Pending>,
        targets: &Targets,
    ) -> Result<(), Failure> {
        let outcome = until_issued(client, enrolled, &self.patience, pending.as_ref()).await?;
        let delivered = match outcome {
            Outcome::Issued(enrolled) => {
                deliver(client, *enrolled, pending, targets, self.places.force).await?
            }
            Outcome::Left(left) => *left,
        };
        Ok(output::print(context.output, &delivered)?)
    }

    fn need_names(&self, identifiers: &[Identifier]) -> Result<(), Failure> {
        match identifiers.is_empty() && self.subject.is_empty() {
            true => Err(Failure::usage(
                "a certificate needs a name; give --dns, --ip, --email or --uri, or --subject where \
                 the profile takes that alone",
            )),
            false => Ok(()),
        }
    }
}

/// What the folder is called where nobody says: a file name, whatever the name is.
fn first_name(identifiers: &[Identifier]) -> String {
    let name = identifiers
        .first()
        .map_or("certificate", |identifier| &identifier.value);
    name.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | '@' => c,
            _ => '_',
        })
        .collect::<String>()
        .trim_start_matches('.')
        .to_owned()
}

/// Reads a certificate request in any form.
pub(super) fn request_file(path: &std::path::Path) -> Result<String, Failure> {
    key::read_csr(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_after_the_first_name() {
        for (name, folder) in [
            ("www.example.org", "www.example.org"),
            ("*.example.org", "_.example.org"),
            ("2001:db8::1", "2001_db8__1"),
            ("../../etc", "_.._etc"),
            ("spiffe://a/b", "spiffe___a_b"),
        ] {
            let identifier = Identifier {
                kind: "dns".to_owned(),
                value: name.to_owned(),
            };
            assert_eq!(first_name(&[identifier]), folder);
        }
    }

    #[test]
    fn metadata_is_a_field_and_a_value() {
        assert_eq!(
            "billing=4711=a".parse(),
            Ok(Metadata("billing".to_owned(), "4711=a".to_owned()))
        );
        for text in ["billing", "=4711"] {
            assert!(text.parse::<Metadata>().is_err());
        }
    }
}
