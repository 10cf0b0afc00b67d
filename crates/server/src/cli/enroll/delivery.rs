//! Waiting for a certificate, and putting it with its key where they belong.

use std::time::{Duration, Instant};

use clap::Args;
use pki::certificate::Certificate;
use pki::key::{LocalKey, SigningKey};
use pki::pem;
use pki::pkcs12;
use pki::time::Timestamp;
use protocols::rest::enroll::{FetchKey, KeyFormat};
use protocols::rest::enrollment::{Enrollment, EnrollmentStatus};
use serde::Serialize;

use super::super::client::Client;
use super::super::exit::Failure;
use super::super::files::{self, Staged};
use super::super::lifetime::Lifetime;
use super::pending::Pending;
use super::places::Targets;

/// Flags that say how long to wait.
#[derive(Clone, Debug, Default, Args)]
pub struct Patience {
    /// How long to wait for people and slow CAs, 5m without it
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "5m")]
    wait: Option<Lifetime>,
    /// Leave what is not issued at once for --resume
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

impl Patience {
    fn limit(&self) -> Duration {
        match (self.no_wait, self.wait) {
            (true, _) => Duration::ZERO,
            (false, wait) => Duration::from_secs(wait.map_or(300, |wait| wait.0)),
        }
    }
}

/// How far it came.
pub enum Outcome {
    Issued(Box<Enrollment>),
    /// Not issued, and not to be waited for any longer.
    Left(Box<Delivered>),
}

/// What a command tells at its end.
#[derive(Debug, Serialize)]
pub struct Delivered {
    pub enrollment: String,
    pub status: EnrollmentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    pub names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Targets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

impl Delivered {
    fn of(enrolled: &Enrollment) -> Self {
        let names = enrolled.identifiers.iter().map(|name| name.value.clone());
        Self {
            enrollment: enrolled.id.clone(),
            status: enrolled.status,
            certificate: enrolled.certificate.clone(),
            names: names.collect(),
            not_after: None,
            files: None,
            resume: None,
        }
    }
}

/// Waits until an enrollment is issued, or patience ends.
pub async fn until_issued(
    client: &Client,
    enrolled: Enrollment,
    patience: &Patience,
    pending: Option<&Pending>,
) -> Result<Outcome, Failure> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(500);
    let mut enrolled = enrolled;
    loop {
        if enrolled.status == EnrollmentStatus::Issued {
            return Ok(Outcome::Issued(Box::new(enrolled)));
        }
        if has_ended(enrolled.status) {
            if let Some(pending) = pending {
                pending.discard()?;
            }
            return Err(refused(&enrolled));
        }
        let left = patience.limit().saturating_sub(began.elapsed());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(15));
        enrolled = client.get(&["enrollments", &enrolled.id]).await?;
    }
    let resume = format!("certwright enroll --resume {}", enrolled.id);
    match patience.no_wait {
        true => Ok(Outcome::Left(Box::new(Delivered {
            resume: Some(resume),
            ..Delivered::of(&enrolled)
        }))),
        false => Err(Failure::refused(format!(
            "the certificate is not issued yet, it is {}; go on with `{resume}` and the same files",
            enrolled.status.as_str()
        ))),
    }
}

fn has_ended(status: EnrollmentStatus) -> bool {
    matches!(
        status,
        EnrollmentStatus::Rejected
            | EnrollmentStatus::Denied
            | EnrollmentStatus::Expired
            | EnrollmentStatus::Failed
            | EnrollmentStatus::Cancelled
    )
}

fn refused(enrolled: &Enrollment) -> Failure {
    let mut reasons: Vec<String> = Vec::new();
    reasons.extend(enrolled.reason.clone());
    reasons.extend(enrolled.violations.iter().map(|v| v.message.clone()));
    Failure::refused(format!(
        "the enrollment {} is {}: {}",
        enrolled.id,
        enrolled.status.as_str(),
        reasons.join("; ")
    ))
}

/// Writes certificate and key. The key is that which waits, or the one made on the server, or `None`
/// where the request came from elsewhere.
pub async fn deliver(
    client: &Client,
    enrolled: Enrollment,
    pending: Option<Pending>,
    targets: &Targets,
    force: bool,
) -> Result<Delivered, Failure> {
    let chain = chain_of(client, &enrolled).await?;
    let leaf = chain
        .first()
        .and_then(|der| Certificate::from_der(der).ok())
        .ok_or_else(|| Failure::from(anyhow::anyhow!("the server sent no certificate")))?;
    let waiting = pending.filter(|pending| pending.key.public_key() == &leaf.public_key);
    let waiting = match (waiting, &enrolled.links) {
        (None, Some(links)) if links.key.is_some() => {
            targets.need_key()?;
            targets.check_key(Some(&leaf.public_key), force)?;
            // The server has it no more: it is on the disk before anything else can fail.
            let mut fetched = Pending::of(targets)?.keep(fetch_key(client, &enrolled.id).await?)?;
            fetched.note(&enrolled.id)?;
            Some(fetched)
        }
        (waiting, _) => waiting,
    };
    let key = waiting.as_ref().map(|pending| &pending.key);
    let staged = stage(targets, &chain, key, &enrolled.id)?;
    // Everything is on the disk: what is left to do are renames.
    for file in staged {
        file.place()?;
    }
    if let Some(pending) = &waiting {
        pending.discard()?;
    }
    let mut files = targets.clone();
    if key.is_none() {
        files.key = None;
        files.p12 = None;
    }
    Ok(Delivered {
        not_after: Some(leaf.not_after),
        files: Some(files),
        ..Delivered::of(&enrolled)
    })
}

async fn chain_of(client: &Client, enrolled: &Enrollment) -> Result<Vec<Vec<u8>>, Failure> {
    let text = match &enrolled.chain {
        Some(chain) => chain.clone(),
        None => {
            let again: Enrollment = client.get(&["enrollments", &enrolled.id]).await?;
            again.chain.unwrap_or_default()
        }
    };
    Ok(pem::decode_all(pem::CERTIFICATE, text.as_bytes()).map_err(anyhow::Error::from)?)
}

async fn fetch_key(client: &Client, enrollment: &str) -> Result<LocalKey, Failure> {
    let wish = FetchKey {
        format: KeyFormat::Pkcs8,
        password: None,
    };
    let text = client
        .fetch(&["enrollments", enrollment, "key"], &wish)
        .await?;
    let text = zeroize::Zeroizing::new(text);
    Ok(LocalKey::from_pem(&*text).map_err(anyhow::Error::from)?)
}

/// Writes every file beside its place: the key for its owner alone, certificates for everybody.
fn stage(
    targets: &Targets,
    chain: &[Vec<u8>],
    key: Option<&LocalKey>,
    name: &str,
) -> Result<Vec<Staged>, Failure> {
    let (leaf, above) = chain.split_at(1.min(chain.len()));
    let mut staged = Vec::new();
    if let (Some(path), Some(key)) = (&targets.key, key) {
        let text = key.to_pem().map_err(anyhow::Error::from)?;
        staged.push(files::stage(path, text.as_bytes(), 0o600)?);
    }
    if let (Some(path), Some(key), Some(password)) = (&targets.p12, key, &targets.password) {
        let octets = pkcs12::export_key(name, key, chain, password).map_err(Failure::refused)?;
        staged.push(files::stage(path, &octets, 0o600)?);
    }
    for (path, certificates) in [
        (&targets.cert, leaf),
        (&targets.chain, above),
        (&targets.fullchain, chain),
    ] {
        if let Some(path) = path {
            let text = pem::encode_chain(certificates);
            staged.push(files::stage(path, text.as_bytes(), 0o644)?);
        }
    }
    Ok(staged)
}
