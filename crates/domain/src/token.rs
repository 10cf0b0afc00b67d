//! API tokens and what their roles may do.

use std::fmt;
use std::str::FromStr;

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::id::TokenId;

/// An API token as we keep it: by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: String,
    pub role: Role,
    pub hash: Fingerprint,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl ApiToken {
    /// Whether it opens anything at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a caller presents. Shown once, never stored.
pub struct TokenSecret(SecretString);

impl TokenSecret {
    /// A new secret with 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        let octets: [u8; 32] = random.octets();
        let text = data_encoding::BASE64URL_NOPAD.encode(&octets);
        Self(SecretString::from(format!("cwt_{text}")))
    }

    /// What a caller sent.
    pub fn from_presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is stored. The secret has 256 bits of its own, so one hash is enough.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret().as_bytes())
    }

    /// The text, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Operates CAs and certificates, but makes no tokens.
    CaOperator,
    /// May see everything and change nothing.
    Auditor,
}

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Read,
    Operate,
    Administer,
}

impl Role {
    /// Whether the role holds the permission.
    pub fn grants(self, permission: Permission) -> bool {
        match (self, permission) {
            (_, Permission::Read) | (Self::Administrator, _) => true,
            (Self::CaOperator, Permission::Operate) => true,
            (Self::CaOperator, Permission::Administer)
            | (Self::Auditor, Permission::Operate | Permission::Administer) => false,
        }
    }

    /// All roles, for help texts.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::CaOperator, Self::Auditor];

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::CaOperator => "ca-operator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no role; there are administrator, ca-operator and auditor")]
pub struct ParseRoleError(String);

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| ParseRoleError(text.chars().take(64).collect()))
    }
}
