//! Passkeys: what a person's authenticator registered.

use pki::time::Timestamp;

use crate::id::{PasskeyId, UserId};

/// An authenticator's key (WebAuthn Level 3). Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: PasskeyId,
    pub user: UserId,
    /// What the authenticator calls it, base64url.
    pub credential_id: String,
    /// What its owner calls it.
    pub name: String,
    pub created_at: Timestamp,
    /// Public key, counter and flags, as JSON.
    pub credential: String,
    pub last_used_at: Option<Timestamp>,
}
