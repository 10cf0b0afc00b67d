//! Enrollments: passes through the issuance pipeline.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::authorization::Identifier;
use super::metadata::MetadataSource;
use super::profile::KeyEvidence;

/// One request for one certificate on its way through the pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Enrollment {
    #[schema(example = "enr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub status: EnrollmentStatus,
    pub identifiers: Vec<Identifier>,
    pub requester: Requester,
    pub profile: String,
    pub profile_version: u32,
    /// The issuer that signs, once chosen
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The certificate, once issued
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The certificate and those above it, PEM; not in lists
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// Where to go on from here; not in lists
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<EnrollmentLinks>,
    /// Rules that were broken
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Why it failed or was withdrawn, or what the last try met with
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tries to have it signed so far
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// When it is tried or asked about next, while it waits for an issuer
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub poll_at: Option<Timestamp>,
    /// What it waits for, where people have to agree
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "apr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub approval: Option<String>,
    /// When it ends if nobody has decided
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deadline_at: Option<Timestamp>,
    /// The certificate it renews
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Name of the team that owns it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What the people and programs are called whose ids stand here
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, String>,
    /// The subject that was asked for beside the CSR
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_evidence: Option<KeyEvidence>,
    /// Where each of these values came from
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata_sources: BTreeMap<String, MetadataSource>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Paths of what belongs to an enrollment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollmentLinks {
    /// The certificate in the inventory
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The certificate as a file, in the form that `format` or `Accept` names
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<String>,
    /// The key that was made on the server, while you can still fetch it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where to withdraw the request, while it waits
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<String>,
}

/// Where an enrollment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnrollmentStatus {
    Rejected,
    AwaitingApproval,
    Approved,
    Signing,
    AwaitingIssuer,
    Issued,
    Failed,
    Cancelled,
    Denied,
    Expired,
}

impl EnrollmentStatus {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Approved => "approved",
            Self::Signing => "signing",
            Self::AwaitingIssuer => "awaiting-issuer",
            Self::Issued => "issued",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Denied => "denied",
            Self::Expired => "expired",
        }
    }
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Requester {
    AcmeAccount {
        account: String,
        directory: String,
        order: String,
    },
    /// A person
    User { user: String },
    /// A program
    Token { token: String },
    /// A client of EST or SCEP: where it came in, and the id of the password or certificate that it showed
    Client { entry_point: String, client: String },
    /// The server, for itself
    System,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// Dotted: `names.wildcard`
    pub rule: String,
    /// What was found
    pub message: String,
    /// How to mend it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

/// Filters of the list of enrollments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EnrollmentQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<EnrollmentStatus>,
    /// Only what changed then or later
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub changed_since: Option<Timestamp>,
}
