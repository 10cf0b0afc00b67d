//! An enrollment: one request for one certificate on its way through the pipeline.

use std::collections::BTreeMap;

use pki::name::DistinguishedName;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{
    AccountId, CertificateId, DirectoryId, EnrollmentId, IssuerId, OrderId, ProfileId, TeamId,
    TokenId, UserId,
};
use crate::identifier::Identifier;
use crate::issuer::Prepared;
use crate::metadata::Source;
use crate::policy::Violation;
use crate::profile::KeyEvidence;

/// One request for one certificate, from whatever protocol.
#[derive(Clone, Debug)]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub requester: Requester,
    pub profile_id: ProfileId,
    pub profile_version: u32,
    /// The names for the subject alternative name.
    pub identifiers: Vec<Identifier>,
    /// The subject that was asked for beside the CSR.
    pub subject: Option<DistinguishedName>,
    /// What was brought forward about the protection of the key.
    pub key_evidence: Option<KeyEvidence>,
    pub csr_der: Vec<u8>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// Name and value of custom metadata, carried into the inventory.
    pub metadata: BTreeMap<String, String>,
    /// Where each of these values came from.
    pub metadata_sources: BTreeMap<String, Source>,
    /// The certificate this one renews.
    pub replaces: Option<CertificateId>,
    pub state: EnrollmentState,
    /// The team that the certificate will be of.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who asks for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Requester {
    AcmeAccount {
        account: AccountId,
        directory: DirectoryId,
        order: OrderId,
    },
    /// A person, by dashboard, REST or CLI.
    User { user: UserId },
    /// A program, by REST or CLI.
    Token { token: TokenId },
    /// This program itself, for its own TLS certificate.
    System,
}

/// Where an enrollment stands. Each variant carries what exists in that state and only that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum EnrollmentState {
    /// The rules were broken; nothing was signed.
    Rejected { violations: Vec<Violation> },
    /// Decided, waits for an issuer to be fit.
    Approved {
        attempts: u32,
        #[serde(default)]
        last_error: Option<String>,
    },
    /// Durable before the issuer is asked: a crash from here on finds what was to be signed.
    Signing {
        issuer: IssuerId,
        prepared: Option<Prepared>,
        attempts: u32,
    },
    /// The issuer took it and has not answered yet.
    AwaitingIssuer {
        issuer: IssuerId,
        handle: String,
        poll_at: Timestamp,
    },
    /// In the inventory.
    Issued { certificate: CertificateId },
    /// Gave up; the requester may try anew.
    Failed { reason: String },
    /// Withdrawn by the requester or an operator.
    Cancelled { reason: String },
}

impl EnrollmentState {
    /// The state's name in the store, the API and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::Approved { .. } => "approved",
            Self::Signing { .. } => "signing",
            Self::AwaitingIssuer { .. } => "awaiting-issuer",
            Self::Issued { .. } => "issued",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether nothing will change any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Rejected { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => true,
            Self::Approved { .. } | Self::Signing { .. } | Self::AwaitingIssuer { .. } => false,
        }
    }
}
