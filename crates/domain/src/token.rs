//! API tokens: how programs say who they are.

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::access::Principal;
use crate::id::TokenId;

/// An API token as we keep it: by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: String,
    pub hash: Fingerprint,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Who had it made, where that was a principal: no second pair of eyes beside it.
    pub created_by: Option<Principal>,
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
