//! External account binding keys (RFC 8555 section 7.3.4).

use std::collections::BTreeMap;
use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::metadata::GivenValues;

/// A key that ties new ACME accounts to whoever was given it. Its secret is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EabKey {
    /// The `kid` that clients send
    #[schema(example = "eab_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What people call it
    pub name: String,
    pub status: EabKeyStatus,
    /// Where set, accounts of this ACME directory only
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Where not empty, orders of its accounts may name only these
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_names: Vec<String>,
    pub usage: EabUsage,
    /// Name of the team that owns it, and what is ordered with it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Values of custom metadata that orders of its accounts inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How many accounts were bound with it
    pub uses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Whether a key still binds accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EabKeyStatus {
    Usable,
    /// It was for one account
    Used,
    Expired,
    Revoked,
}

/// How many accounts a key may bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EabUsage {
    #[default]
    Single,
    Multi,
}

/// A key to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEabKey {
    /// Who it is for
    #[schema(example = "web team", min_length = 1)]
    pub name: String,
    /// For accounts of this ACME directory only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Name of the team that it is for; may be left out by who can make keys in one team only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// `host.example.org`, `.example.org` for everything below, `192.0.2.0/24`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_names: Vec<String>,
    #[serde(default)]
    pub usage: EabUsage,
    /// Values of custom metadata that orders of its accounts inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
    /// Seconds until it binds no more accounts; absent means never
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
}

/// A key that was made, with its secret: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedEabKey {
    #[serde(flatten)]
    pub key: EabKey,
    /// The HMAC key, base64url
    pub hmac: String,
}

impl fmt::Debug for CreatedEabKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedEabKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// How far a revocation reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeEabKeyQuery {
    /// Also revoke the accounts that were made with it
    #[serde(default)]
    #[param(default = false)]
    pub cascade: bool,
}

/// What a revocation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokedEabKey {
    pub id: String,
    /// How many accounts ended with it
    pub accounts_revoked: u64,
}
