//! `certwright renew`: a new certificate in place of an old one, safe to run from cron.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use pki::certificate::Certificate as Parsed;
use pki::fingerprint::Fingerprint;
use pki::key::{KeyAlgorithm, KeyKind, LocalKey, SigningKey};
use pki::name::GeneralName;
use pki::{csr, pem};
use protocols::rest::certificate::{Certificate, CertificateQuery};
use protocols::rest::enroll::Renew;
use protocols::rest::enrollment::Enrollment;
use protocols::rest::profile::KeyEvidence;
use serde_json::json;

use super::Context;
use super::client::Client;
use super::enroll::{
    Metadata, Outcome, Patience, Pending, Places, Targets, deliver, key_type, metadata, new_key,
    read_attestation, read_key, request_file, until_issued,
};
use super::exit::{Exit, Failure};
use super::files;
use super::lifetime::Lifetime;
use super::output;
use super::paging::Paging;
use super::profile_explain::key_evidence;

/// Arguments of `certwright renew`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright renew /etc/ssl/www/cert.pem --if-due --deploy-hook 'systemctl reload nginx'
  certwright renew crt_06ek9q3v5c8m2k7t1r4x0z9w8y --out-dir /etc/ssl/www
  certwright renew /etc/ssl/db/fullchain.pem --same-key

For a file, privkey.pem, chain.pem and fullchain.pem beside it are renewed with it; name others with
--key, --chain, … The new certificate gets a new key of the same kind unless --same-key is given.
With --if-due nothing is done before the server's renewal window begins, so it can run every hour; what
an earlier run began is gone on with. The hook runs after a renewal only, with CERTWRIGHT_CERTIFICATE,
CERTWRIGHT_NAMES and the files in CERTWRIGHT_CERT, _KEY, _CHAIN, _FULLCHAIN and _P12.")]
pub struct RenewCommand {
    /// File with the certificate, or its id
    #[arg(value_name = "FILE|ID")]
    what: String,
    /// Do nothing before it is time
    #[arg(long)]
    if_due: bool,
    /// Keep the private key
    #[arg(long, conflicts_with_all = ["key_type", "csr"])]
    same_key: bool,
    /// Kind of the new key; that of the old one without it
    #[arg(long, value_parser = key_type)]
    key_type: Option<KeyAlgorithm>,
    /// File with a new certificate request made elsewhere (PEM or DER)
    #[arg(long, value_name = "FILE", conflicts_with = "key_type")]
    csr: Option<PathBuf>,
    /// How another private key is protected, for profiles that ask; as with `certwright enroll`
    #[arg(long, value_name = "KIND=REFERENCE", value_parser = key_evidence)]
    key_evidence: Option<KeyEvidence>,
    /// File with what the maker of the new key's device says of it; as with `certwright enroll`
    #[arg(
        long,
        value_name = "FILE",
        requires = "csr",
        conflicts_with = "key_evidence"
    )]
    attestation: Option<PathBuf>,
    /// Value of a metadata field that changes; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    metadata: Vec<Metadata>,
    /// Lifetime, like 30d; the profile's without it
    #[arg(long, value_name = "TIME")]
    validity: Option<Lifetime>,
    /// Shell command to run when the new files are in place
    #[arg(long, value_name = "COMMAND")]
    deploy_hook: Option<String>,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    patience: Patience,
}

/// What is renewed, and the files it is in.
struct Subject {
    certificate: Certificate,
    parsed: Parsed,
    targets: Targets,
}

impl RenewCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        let subject = self.subject(&client).await?;
        let begun = match subject.targets.need_key() {
            Ok(_) => Pending::of(&subject.targets)?.found()?,
            Err(_) => None,
        };
        if let Some(pending) = begun
            && let Some(id) = pending.enrollment.clone()
            && !self.places.force
        {
            let enrolled: Enrollment = client.get(&["enrollments", &id]).await?;
            return self
                .finish(&client, context, enrolled, Some(pending), &subject.targets)
                .await;
        }
        if let Some(successor) = &subject.certificate.replaced_by {
            return self.catch_up(&client, context, &subject, successor).await;
        }
        if self.if_due && !self.is_due(&subject.certificate)? {
            return note_not_due(context, &subject.certificate);
        }
        self.renew(&client, context, subject).await
    }

    async fn subject(&self, client: &Client) -> Result<Subject, Failure> {
        let path = Path::new(&self.what);
        if !path.exists() {
            let certificate: Certificate = client.get(&["certificates", &self.what]).await?;
            let targets = self.places.targets(true, "certificate")?;
            let path = ["certificates", &certificate.id, "download"];
            let query = json!({ "format": "der" });
            let octets = client.download(&path, &query).await?.bytes().await;
            let parsed = parse(&octets.map_err(anyhow::Error::from)?)?;
            return Ok(Subject {
                certificate,
                parsed,
                targets,
            });
        }
        let chain = certificates_of(path)?;
        let leaf = chain.first().ok_or_else(|| no_certificate(path))?;
        let query = CertificateQuery {
            fingerprint: Some(Fingerprint::of(leaf)),
            ..CertificateQuery::default()
        };
        let found = client
            .list::<Certificate>(&["certificates"], &query, &Paging::everything())
            .await?;
        let certificate = found.items.into_iter().next().ok_or_else(|| {
            Failure::not_found(format!(
                "the server does not know the certificate in {}",
                self.what
            ))
        })?;
        let mut targets = Targets::beside(path, chain.len() > 1);
        if self.places.are_named() {
            let named = self.places.targets(true, "certificate")?;
            targets = Targets {
                key: named.key.or(targets.key),
                cert: named.cert.or(targets.cert),
                chain: named.chain.or(targets.chain),
                fullchain: named.fullchain.or(targets.fullchain),
                p12: named.p12,
                password: named.password,
            };
        }
        Ok(Subject {
            certificate,
            parsed: parse(leaf)?,
            targets,
        })
    }

    fn is_due(&self, certificate: &Certificate) -> Result<bool, Failure> {
        match &certificate.renewal {
            Some(window) => Ok(window.due),
            None => Err(Failure::refused(format!(
                "the certificate {} was not issued here, so nobody says when to renew it; enroll \
                 for a new one with --replaces",
                certificate.id
            ))),
        }
    }

    async fn renew(
        &self,
        client: &Client,
        context: &Context,
        subject: Subject,
    ) -> Result<(), Failure> {
        let mut body = Renew {
            validity_seconds: self.validity.map(|lifetime| lifetime.0),
            metadata: metadata(&self.metadata),
            key_evidence: self.key_evidence.clone(),
            attestation: read_attestation(self.attestation.as_deref())?,
            ..Renew::default()
        };
        let mut pending = None;
        if let Some(path) = &self.csr {
            body.csr = Some(request_file(path)?);
        } else if self.same_key {
            // Without the key at hand the server takes the request that the certificate was made for.
            let own = subject.targets.key.as_deref().filter(|path| path.exists());
            if let Some(key) = own.map(read_key).transpose()? {
                body.csr = Some(request(&subject.parsed, &key)?);
                pending = Some(Pending::of(&subject.targets)?.keep(key)?);
            }
        } else {
            subject
                .targets
                .check_key(Some(&subject.parsed.public_key), self.places.force)?;
            let key = new_key(self.algorithm(&subject.parsed)?)?;
            body.csr = Some(request(&subject.parsed, &key)?);
            pending = Some(Pending::of(&subject.targets)?.keep(key)?);
        }
        let path = ["certificates", &subject.certificate.id, "renew"];
        let enrolled: Enrollment = match client.create(&path, &body).await {
            Ok(enrolled) => enrolled,
            Err(failure) => {
                if let Some(pending) = &pending
                    && failure.exit == Exit::Refused
                {
                    pending.discard()?;
                }
                return Err(failure);
            }
        };
        if let Some(pending) = &mut pending {
            pending.note(&enrolled.id)?;
        }
        self.finish(client, context, enrolled, pending, &subject.targets)
            .await
    }

    /// It was renewed already: by a run that died before it wrote the files, or by somebody else.
    async fn catch_up(
        &self,
        client: &Client,
        context: &Context,
        subject: &Subject,
        successor: &str,
    ) -> Result<(), Failure> {
        let renewed: Certificate = client.get(&["certificates", successor]).await?;
        let elsewhere = || {
            Failure::refused(format!(
                "the certificate was renewed already, by {successor}, whose key is not here; fetch \
                 that one, or enroll for another"
            ))
        };
        let id = renewed.enrollment.as_deref().ok_or_else(elsewhere)?;
        let enrolled: Enrollment = client.get(&["enrollments", id]).await?;
        let chain = enrolled.chain.clone().unwrap_or_default();
        let chain = pem::decode_all(pem::CERTIFICATE, chain.as_bytes()).unwrap_or_default();
        let leaf = parse(chain.first().ok_or_else(elsewhere)?)?;
        let waiting = Pending::of(&subject.targets).and_then(|waiting| waiting.found());
        let pending = waiting
            .ok()
            .flatten()
            .filter(|pending| pending.key.public_key() == &leaf.public_key);
        let has_key = pending.is_some() || leaf.public_key == subject.parsed.public_key;
        match has_key {
            true => {
                self.finish(client, context, enrolled, pending, &subject.targets)
                    .await
            }
            false => Err(elsewhere()),
        }
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
            Outcome::Left(left) => return Ok(output::print(context.output, &left)?),
            Outcome::Issued(enrolled) => {
                deliver(client, *enrolled, pending, targets, self.places.force).await?
            }
        };
        if let Some(hook) = &self.deploy_hook {
            let certificate = delivered.certificate.as_deref().unwrap_or_default();
            run_hook(hook, certificate, &delivered.names, targets)?;
        }
        Ok(output::print(context.output, &delivered)?)
    }

    fn algorithm(&self, old: &Parsed) -> Result<KeyAlgorithm, Failure> {
        if let Some(wanted) = self.key_type {
            return Ok(wanted);
        }
        KeyAlgorithm::ALL
            .into_iter()
            .find(|algorithm| KeyKind::from(*algorithm) == *old.public_key.kind())
            .ok_or_else(|| {
                Failure::usage(format!(
                    "keys like the old one ({}) are not made here; choose one with --key-type",
                    old.public_key.kind()
                ))
            })
    }
}

/// A request for the names and the subject that the certificate has.
fn request(old: &Parsed, key: &LocalKey) -> Result<String, Failure> {
    let names: Vec<GeneralName> = old.names.clone();
    let der = csr::build(&old.subject, &names, &[], key).map_err(Failure::refused)?;
    Ok(pem::encode(pem::CERTIFICATE_REQUEST, &der))
}

fn certificates_of(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let octets = files::read_octets(path)?;
    match octets.first() {
        Some(0x30) => Ok(vec![octets]),
        _ => pem::decode_all(pem::CERTIFICATE, &octets).map_err(|_| no_certificate(path)),
    }
}

fn no_certificate(path: &Path) -> Failure {
    Failure::usage(format!("{} holds no certificate", path.display()))
}

fn parse(der: &[u8]) -> Result<Parsed, Failure> {
    Ok(Parsed::from_der(der).map_err(anyhow::Error::from)?)
}

fn note_not_due(context: &Context, certificate: &Certificate) -> Result<(), Failure> {
    let told = json!({
        "certificate": certificate.id,
        "names": certificate.names,
        "due": false,
        "renewal_starts": certificate.renewal.map(|window| window.start),
        "not_after": certificate.not_after,
    });
    Ok(output::print(context.output, &told)?)
}

fn run_hook(
    hook: &str,
    certificate: &str,
    names: &[String],
    targets: &Targets,
) -> Result<(), Failure> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", hook])
        .env("CERTWRIGHT_CERTIFICATE", certificate)
        .env("CERTWRIGHT_NAMES", names.join(" "))
        // Whatever the hook does, it needs no way into the server.
        .env_remove("CERTWRIGHT_TOKEN");
    for (variable, path) in [
        ("CERTWRIGHT_CERT", &targets.cert),
        ("CERTWRIGHT_KEY", &targets.key),
        ("CERTWRIGHT_CHAIN", &targets.chain),
        ("CERTWRIGHT_FULLCHAIN", &targets.fullchain),
        ("CERTWRIGHT_P12", &targets.p12),
    ] {
        if let Some(path) = path {
            command.env(variable, path);
        }
    }
    // What the hook says is not the command's answer.
    let status = command.stdout(std::io::stderr()).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::from(anyhow::anyhow!(
            "the new files are in place, but the deploy hook ended with {status}; run it again by hand"
        ))),
    }
}
