//! The ports through which control of an identifier is looked at from outside.
//!
//! A validator answers with a verdict and writes nothing; only the lifecycle changes state.

use std::time::Duration;

use async_trait::async_trait;
use pki::attestation::TrustedRoot;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::challenge::ChallengeKind;
use crate::attestation::AttestedKey;
use crate::identifier::Identifier;

/// Everything a probe may look for.
#[derive(Clone, Debug)]
pub struct ValidationRequest {
    /// Without a leading `*.`.
    pub identifier: Identifier,
    pub wildcard: bool,
    pub kind: ChallengeKind,
    pub token: String,
    /// `token.thumbprint` (RFC 8555 section 8.1).
    pub key_authorization: String,
    /// The account's URL, never in another form.
    pub account_url: String,
    /// The account's present and past thumbprints (dns-persist-01).
    pub thumbprints: Vec<String>,
    /// Our names in dns-persist-01 records.
    pub issuer_domain_names: Vec<String>,
    /// What precedes the hash in the account URIs of dns-persist-01.
    pub account_hash_prefix: String,
    /// What came with the response (device-attest-01).
    pub answer: Option<Vec<u8>>,
    /// The roots of makers that profiles of the directory trust.
    pub makers: Vec<TrustedRoot>,
    pub now: Timestamp,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Control is shown; where the proof itself names an end (`persistUntil`), until then.
    Valid {
        until: Option<Timestamp>,
    },
    /// A device's maker vouches for the identifier and for this key.
    Attested(AttestedKey),
    Invalid(ValidationFailure),
}

/// Why a probe did not succeed. Reaches the client: it holds nothing that only we should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct ValidationFailure {
    pub kind: FailureKind,
    /// What was looked for, what was seen, what to change.
    pub detail: String,
    /// Whether another try in a few seconds may go better.
    pub can_retry: bool,
}

impl ValidationFailure {
    /// A failure that another try may mend.
    pub fn passing(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            can_retry: true,
        }
    }

    /// A failure that another try will not mend.
    pub fn lasting(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            can_retry: false,
            ..Self::passing(kind, detail)
        }
    }
}

/// The ACME error types a probe can end with (RFC 8555 section 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    BadAttestationStatement,
    Caa,
    Connection,
    Dns,
    IncorrectResponse,
    Malformed,
    ServerInternal,
    Tls,
    Unauthorized,
}

/// Probes for one challenge type.
#[async_trait]
pub trait ChallengeValidator: Send + Sync {
    /// The type this validator probes for.
    fn kind(&self) -> ChallengeKind;

    /// Looks once. Bounded in time and memory whatever the other side does.
    async fn validate(&self, request: &ValidationRequest) -> Verdict;
}

/// What CAA records are asked about.
#[derive(Clone, Debug)]
pub struct CaaQuestion {
    /// Without a leading `*.`.
    pub name: String,
    pub wildcard: bool,
    /// Our names in `issue` and `issuewild`.
    pub issuer_domain_names: Vec<String>,
    /// For the `accounturi` parameter (RFC 8657).
    pub account_url: String,
    /// For the `validationmethods` parameter (RFC 8657); none where no challenge proved control.
    pub method: Option<ChallengeKind>,
}

/// Looks up and judges CAA records (RFC 8659).
#[async_trait]
pub trait CaaChecker: Send + Sync {
    /// Gives how long the answer may be relied on.
    async fn check(&self, question: &CaaQuestion) -> Result<Duration, ValidationFailure>;
}
