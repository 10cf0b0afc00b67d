//! What is written to the program and read from it.

use std::collections::BTreeMap;

use domain::issuer::{Finding, IssuerSecrets, RevocationRequest, SigningRequest};
use domain::profile::CertificateKind;
use pki::name::GeneralName;
use pki::pem;
use pki::time::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Changes when programs that were written before would no longer be right.
const VERSION: u32 = 1;

/// One question.
#[derive(Serialize)]
pub(super) struct Call<'a> {
    version: u32,
    issuer: &'a str,
    settings: &'a BTreeMap<String, String>,
    secrets: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    operation: Operation<'a>,
}

#[derive(Serialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub(super) enum Operation<'a> {
    Issue { request: Box<Wanted<'a>> },
    Poll { handle: &'a str },
    Revoke { revocation: Revoked },
    Check,
}

#[derive(Serialize)]
pub(super) struct Wanted<'a> {
    /// The same for every repetition of one request: what the CA may know repeats by.
    id: &'a str,
    csr: String,
    profile: &'a str,
    kind: CertificateKind,
    subject: String,
    names: Vec<GeneralName>,
    not_before: Timestamp,
    not_after: Timestamp,
    key_usage: Vec<&'static str>,
    extended_key_usage: Vec<String>,
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct Revoked {
    certificate: String,
    serial: String,
    reason: String,
    revoked_at: Timestamp,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        issuer: &'a str,
        settings: &'a BTreeMap<String, String>,
        secrets: &'a IssuerSecrets,
        operation: Operation<'a>,
    ) -> Self {
        Self {
            version: VERSION,
            issuer,
            settings,
            secrets: secrets
                .iter()
                .map(|(name, secret)| (name, secret.expose_secret()))
                .collect(),
            operation,
        }
    }

    /// Gone from memory after it was written.
    pub(super) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        serde_json::to_vec(self).map(Zeroizing::new)
    }
}

impl<'a> Operation<'a> {
    pub(super) fn issue(request: &'a SigningRequest) -> Self {
        let content = &request.content;
        Self::Issue {
            request: Box::new(Wanted {
                id: request.enrollment.as_str(),
                csr: pem::encode(pem::CERTIFICATE_REQUEST, &request.csr_der),
                profile: &request.profile,
                kind: request.kind,
                subject: content.subject.to_string(),
                names: content.subject_alt_names.clone(),
                not_before: content.not_before,
                not_after: content.not_after,
                key_usage: content.key_usage.names().collect(),
                extended_key_usage: content
                    .extended_key_usage
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                metadata: &request.metadata,
            }),
        }
    }

    pub(super) fn revoke(request: &RevocationRequest) -> Self {
        Self::Revoke {
            revocation: Revoked {
                certificate: pem::encode(pem::CERTIFICATE, &request.certificate),
                serial: request.serial.to_string(),
                reason: request.reason.to_string(),
                revoked_at: request.revoked_at,
            },
        }
    }
}

/// One answer.
#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    /// The certificate and those above it, PEM, leaf first.
    Issued { chain: String },
    /// Ask again with the handle.
    Pending {
        handle: String,
        #[serde(default = "default_poll")]
        poll_after_seconds: u64,
    },
    /// Asking again cannot help.
    Refused { message: String },
    /// Asking again can help.
    Unavailable { message: String },
    /// The same, and nothing of it came to the CA: another one may be asked.
    NotReached { message: String },
    /// Revoked, now or before.
    Done,
    /// What a check found.
    Checked {
        #[serde(default)]
        findings: Vec<Finding>,
        /// The CA's certificate and those above it, PEM.
        #[serde(default)]
        chain: Option<String>,
    },
}

impl Answer {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Issued { .. } => "issued",
            Self::Pending { .. } => "pending",
            Self::Refused { .. } => "refused",
            Self::Unavailable { .. } => "unavailable",
            Self::NotReached { .. } => "not-reached",
            Self::Done => "done",
            Self::Checked { .. } => "checked",
        }
    }
}

const fn default_poll() -> u64 {
    60
}
