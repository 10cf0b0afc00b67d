//! An account: the holder of an ACME key (RFC 8555 section 7.1.2).

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, DirectoryId, EabKeyId, TeamId};
use crate::metadata::Values;

/// An ACME account. It belongs to the directory it was made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub directory_id: DirectoryId,
    /// The public key as canonical JWK JSON.
    pub jwk: String,
    /// RFC 7638, base64url.
    pub thumbprint: String,
    pub status: AccountStatus,
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    pub terms_agreed: bool,
    pub eab_key_id: Option<EabKeyId>,
    /// The binding as the client sent it, shown back to it.
    pub eab_jws: Option<String>,
    /// Values of custom metadata that its orders inherit.
    pub metadata: Values,
    /// Where the request that made the account came from.
    pub created_from: Option<String>,
    /// The team that owns it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatus {
    Valid,
    /// By its holder.
    Deactivated,
    /// By us.
    Revoked,
}
