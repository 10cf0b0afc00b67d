//! An issuer is a configured CA; the connector behind it is code that talks to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pki::certificate::{Certificate, CertificateContent};
use pki::key::SigningKey;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::certificate::Chain;
use crate::id::{EnrollmentId, IssuerId};
use crate::keystore::KeyReference;
use crate::metadata::Values;
use crate::profile::{CertificateKind, RevocationPointers};

/// A configured CA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issuer {
    pub id: IssuerId,
    /// What profiles, URLs and people call it: lower-case letters, digits and hyphens.
    pub name: String,
    pub state: IssuerState,
    pub connector: ConnectorConfig,
    /// The fields of custom metadata that the CA is told, and what it calls each of them.
    #[serde(default)]
    pub metadata_fields: BTreeMap<String, String>,
    pub created_at: Timestamp,
}

/// Whether an issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerState {
    /// Has a key but waits for its certificate from a CA elsewhere.
    AwaitingCertificate,
    /// Signs what profiles route to it.
    Active,
    /// Signs no certificates any more, but still answers for those it signed.
    Retired,
}

/// What kind of CA an issuer is, with what its connector needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ConnectorConfig {
    Embedded(EmbeddedConfig),
}

impl ConnectorConfig {
    /// Whether the public trusts what this CA signs.
    pub fn is_public(&self) -> bool {
        match self {
            // Its root is ours: browsers know nothing of it.
            Self::Embedded(_) => false,
        }
    }
}

/// A CA whose key we hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddedConfig {
    pub key: KeyReference,
    /// Its own certificate first, then those above it; empty while it waits for its certificate.
    pub chain: Chain,
    /// Whether this is a root, which signs CA certificates and CRLs only.
    pub is_root: bool,
}

/// What an issuer is asked to sign.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    pub enrollment: EnrollmentId,
    /// The CSR as the requester sent it; connectors of CAs elsewhere forward it.
    pub csr_der: Vec<u8>,
    /// The decided content; pointers to revocation are the issuer's to fill in.
    pub content: CertificateContent,
    pub kind: CertificateKind,
    pub pointers: RevocationPointers,
    pub profile: String,
    /// Custom fields under the CA's own names, see [`Issuer::told`].
    pub metadata: Values,
}

impl Issuer {
    /// What of a request's metadata the CA is told, under the CA's own names.
    pub fn told(&self, metadata: &Values) -> Values {
        self.metadata_fields
            .iter()
            .filter_map(|(field, theirs)| Some((theirs.clone(), metadata.get(field)?.clone())))
            .collect()
    }
}

/// What is fixed, and stored, before a CA whose key we hold signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    pub serial: Serial,
    /// The to-be-signed octets, already linted.
    #[serde(skip)]
    pub tbs: Vec<u8>,
}

/// What a CA answers to a request that it took.
#[derive(Clone, Debug)]
pub enum Issuance {
    /// Signed. The chain is checked against the request before it is believed.
    Issued(Chain),
    /// Taken, but not yet signed: ask again with the handle.
    Pending {
        handle: String,
        poll_after: Duration,
    },
}

/// Why a CA did not sign.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Trying again can help.
    #[error("the issuer is unavailable: {0}")]
    Unavailable(String),
    /// Trying again cannot help.
    #[error("the issuer refused: {0}")]
    Refused(String),
    /// Our own linter stopped it before it was signed.
    #[error("the certificate would break a rule: {}", list(.0))]
    Lint(Vec<Objection>),
}

/// What our own checks hold against content that was about to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The linter's name for the rule: `san.dns`.
    pub code: &'static str,
    pub message: String,
}

fn list(objections: &[Objection]) -> String {
    let texts: Vec<String> = objections
        .iter()
        .map(|objection| format!("{} ({})", objection.message, objection.code))
        .collect();
    texts.join("; ")
}

/// Talks to one CA.
#[async_trait]
pub trait IssuerConnector: Send + Sync {
    /// Fixes serial and to-be-signed octets where that is ours to do; `None` where the CA does it.
    fn prepare(
        &self,
        request: &SigningRequest,
        now: Timestamp,
    ) -> Result<Option<Prepared>, IssueError>;

    /// Asks for the certificate. Called again with the same arguments after a crash.
    async fn issue(
        &self,
        request: &SigningRequest,
        prepared: Option<&Prepared>,
    ) -> Result<Issuance, IssueError>;

    /// Asks about a pending certificate.
    async fn poll(&self, handle: &str) -> Result<Issuance, IssueError>;

    /// The issuer's own certificate first, then those above it.
    fn chain(&self) -> &Chain;

    /// The last instant a certificate of this issuer may be valid at.
    fn not_after(&self) -> Timestamp;

    /// The CA's key, where it is in our hands: then CRL and OCSP are ours to sign as well.
    fn local_ca(&self) -> Option<&LocalCa>;
}

/// A CA whose key is at hand.
#[derive(Clone)]
pub struct LocalCa {
    pub certificate: Arc<Certificate>,
    pub key: Arc<dyn SigningKey>,
}

/// Makes a connector of a stored issuer.
pub trait ConnectorFactory: Send + Sync {
    fn connect(&self, issuer: &Issuer) -> Result<Arc<dyn IssuerConnector>, ConnectError>;
}

/// Why an issuer's connector cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the issuer's key cannot be opened: {0}")]
    Key(#[from] crate::keystore::KeyStoreError),
    #[error("the issuer's certificate does not fit: {0}")]
    Certificate(String),
}

/// Chooses an issuer for `draw`, uniform in 0..1: weighted among those that are fit to sign.
pub fn choose<T>(candidates: &[(T, u32)], draw: f64) -> Option<&T> {
    let total: u64 = candidates
        .iter()
        .map(|(_, weight)| u64::from(*weight))
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of the load, not a count"
    )]
    let mut left = draw.clamp(0.0, 1.0) * total as f64;
    let mut chosen = None;
    for (candidate, weight) in candidates.iter().filter(|(_, weight)| *weight > 0) {
        chosen = Some(candidate);
        left -= f64::from(*weight);
        if left < 0.0 {
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_and_zero_takes_an_issuer_out() {
        let candidates = [("a", 3), ("off", 0), ("b", 1)];
        let drawn: Vec<&str> = (0..100)
            .filter_map(|n| choose(&candidates, f64::from(n) / 100.0).copied())
            .collect();
        assert_eq!(drawn.iter().filter(|name| **name == "a").count(), 75);
        assert_eq!(drawn.iter().filter(|name| **name == "b").count(), 25);
        assert_eq!(choose(&candidates, 1.0), Some(&"b"));
        assert_eq!(choose(&[("off", 0)], 0.5), None);
    }
}
