//! The port to a CA: what it is asked, what it answers, why it does not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pki::ari::CertId;
use pki::certificate::{Certificate, CertificateContent};
use pki::key::SigningKey;
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Abilities, Issuer};
use crate::certificate::Chain;
use crate::id::EnrollmentId;
use crate::metadata::Values;
use crate::profile::{CertificateKind, RevocationPointers};

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
    /// The certificate that this one replaces, where the same issuer signed it.
    pub replaces: Option<CertId>,
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
    /// Nothing of the request reached the CA, so that another may be asked instead. Only where that is
    /// certain: a request that may have arrived is [`Unavailable`](Self::Unavailable).
    #[error("the issuer is not reached: {0}")]
    NotReached(String),
    /// The CA wants to be left alone for so long, or whoever set it up here does. Nothing of the request,
    /// or of its next step, was taken.
    #[error("the issuer takes no more for now: {text}")]
    Throttled { text: String, after: Duration },
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

    /// Tells the CA that a certificate of its own is revoked. Called again after a failure that can
    /// pass, and after a crash: a CA that says it is revoked already has done what was asked.
    ///
    /// Of a CA whose key we hold nobody asks it: its CRL and OCSP are ours.
    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError>;

    /// The issuer's own certificate first, then those above it; empty while they are not known.
    fn chain(&self) -> &Chain;

    /// The last instant a certificate of this issuer may be valid at.
    fn not_after(&self) -> Timestamp;

    /// The CA's key, where it is in our hands: then CRL and OCSP are ours to sign as well.
    fn local_ca(&self) -> Option<&LocalCa>;

    /// What else it can do.
    fn abilities(&self) -> Abilities<'_>;
}

/// A certificate that its CA is to revoke.
#[derive(Clone, Debug)]
pub struct RevocationRequest {
    pub certificate: Vec<u8>,
    pub serial: Serial,
    pub reason: RevocationReason,
    pub revoked_at: Timestamp,
}

/// Why a CA did not revoke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Trying again can help.
    #[error("the issuer is unavailable: {0}")]
    Unavailable(String),
    /// Trying again cannot help.
    #[error("the issuer refused: {0}")]
    Refused(String),
    /// The CA has no way to be told; somebody has to do it there.
    #[error("this kind of issuer cannot be told of revocations; revoke it at the CA itself")]
    Unsupported,
}

impl From<IssueError> for RevocationError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Unavailable(text)
            | IssueError::NotReached(text)
            | IssueError::Throttled { text, .. } => Self::Unavailable(text),
            IssueError::Refused(text) => Self::Refused(text),
            IssueError::Lint(_) => Self::Refused(error.to_string()),
        }
    }
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
    #[error("{0}")]
    Settings(String),
}
