//! Authorizations and what became of their challenges.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An identifier: a name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identifier {
    /// `dns` or `ip`
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
}

/// An account's proof of control over one identifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Authorization {
    pub id: String,
    pub identifier: Identifier,
    pub wildcard: bool,
    pub status: AuthorizationStatus,
    /// What it rests on: a challenge type, or `trusted-binding`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    pub challenges: Vec<Challenge>,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorizationStatus {
    Pending,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

/// One way to prove control, and how far it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// `http-01`, `dns-01`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub status: ChallengeStatus,
    /// Every probe that failed, oldest first
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub validated_at: Option<Timestamp>,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeStatus {
    Pending,
    Processing,
    Valid,
    Invalid,
}

/// A probe that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The ACME error type without its prefix: `dns`, `connection`, `unauthorized`, …
    pub error: String,
    /// What was looked for, what was seen, what to change
    pub detail: String,
}
