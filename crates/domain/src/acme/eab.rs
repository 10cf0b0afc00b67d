//! External account binding keys (RFC 8555 section 7.3.4) as things that are managed.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{DirectoryId, EabKeyId, TeamId};
use crate::identifier::Identifier;
use crate::metadata::Values;
use crate::profile::NamePattern;

/// A key that ties new ACME accounts to whoever was given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EabKey {
    /// Also the `kid` that clients send.
    pub id: EabKeyId,
    /// What people call it.
    pub name: String,
    /// The HMAC key, sealed.
    pub sealed_hmac: String,
    /// Where set, accounts of this directory only.
    pub directory_id: Option<DirectoryId>,
    /// Where not empty, orders of its accounts may name only these.
    pub allowed_names: Vec<NamePattern>,
    /// Values of custom metadata that orders of its accounts inherit.
    pub metadata: Values,
    pub usage: EabUsage,
    pub uses: u32,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The team that owns it, and what is ordered by the accounts it bound.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// How many accounts a key may bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EabUsage {
    Single,
    Multi,
}

impl EabKey {
    /// Whether the key binds a new account of `directory` at `now`.
    pub fn check_usable(&self, directory: &DirectoryId, now: Timestamp) -> Result<(), EabRefusal> {
        if self.revoked_at.is_some() {
            return Err(EabRefusal::Revoked);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(EabRefusal::Expired);
        }
        if self.directory_id.as_ref().is_some_and(|id| id != directory) {
            return Err(EabRefusal::OtherDirectory);
        }
        if self.usage == EabUsage::Single && self.uses > 0 {
            return Err(EabRefusal::Used);
        }
        Ok(())
    }

    /// Whether accounts bound by this key may name `identifier`.
    pub fn allows(&self, identifier: &Identifier) -> bool {
        self.allowed_names.is_empty() || self.allowed_names.iter().any(|p| p.matches(identifier))
    }
}

/// Why a key binds no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EabRefusal {
    #[error("the external account binding key is revoked; ask for a new one")]
    Revoked,
    #[error("the external account binding key has expired; ask for a new one")]
    Expired,
    #[error("the external account binding key is for another directory")]
    OtherDirectory,
    #[error("the external account binding key is for one account and was used; ask for a new one")]
    Used,
}
