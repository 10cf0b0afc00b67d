//! API tokens.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grant::HeldRole;

/// An API token. Its secret is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub name: String,
    /// What it holds, as far as the caller sees it
    pub roles: Vec<HeldRole>,
    pub status: TokenStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// To the minute
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Id of the user or token that had it made
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// Whether a token opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenStatus {
    Usable,
    Expired,
    Revoked,
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Who or what it is for
    #[schema(example = "deploy pipeline", min_length = 1)]
    pub name: String,
    #[schema(example = "requester")]
    pub role: String,
    /// In this team only; absent: everywhere
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
    /// Seconds until it opens nothing any more; absent means never
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
}

/// A token that was made, with its secret: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    #[serde(flatten)]
    pub token: Token,
    /// What goes behind `Authorization: Bearer`
    pub secret: String,
}

impl fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
