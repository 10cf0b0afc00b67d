//! Signed requests: JWS in flattened JSON serialization (RFC 7515 section 7.2.2) under the restrictions of
//! RFC 8555 section 6.2.
//!
//! [`FlattenedJws::parse`] gives an [`UnverifiedJws`] that shows its header but not its payload; only
//! [`UnverifiedJws::verify`] leads to the payload.

mod algorithm;
mod build;
mod envelope;
mod error;
mod header;
mod key;
mod mac;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use algorithm::{Algorithm, MacAlgorithm};
pub use build::{Header, SigningInput};
pub use error::JwsError;
pub use header::KeyReference;
pub use key::VerifyingKey;
pub use mac::{MacKey, MacKeyError, UnverifiedMac};

pub(crate) use envelope::Envelope;

use super::json::{self, JsonError, Limits};

/// The media type of a request.
pub const CONTENT_TYPE: &str = "application/jose+json";

/// The three members of a JWS with one signature. There is no room for `header`, `signatures` or anything
/// else: a stranger's addition is refused rather than ignored, so that two readers cannot differ about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenedJws {
    /// Base64url of the header's JSON.
    pub protected: String,
    /// Base64url of the payload; empty for POST-as-GET.
    pub payload: String,
    /// Base64url of the signature or MAC.
    pub signature: String,
}

impl FlattenedJws {
    /// Reads a request's body (RFC 8555 section 6.2).
    pub fn parse(body: &[u8]) -> Result<UnverifiedJws, JwsError> {
        Self::parse_within(body, Limits::ACME)
    }

    /// Reads a request's body within other limits than [`Limits::ACME`].
    pub fn parse_within(body: &[u8], limits: Limits) -> Result<UnverifiedJws, JwsError> {
        Self::read(body, limits)?.into_request()
    }

    /// Reads the three members and nothing of what they hold.
    pub fn read(body: &[u8], limits: Limits) -> Result<Self, JwsError> {
        let part = "object";
        json::read_within(body, limits).map_err(|error| JwsError::Json { part, error })
    }

    /// Reads the header by the rules for a request: asymmetric, with nonce and url.
    pub fn into_request(self) -> Result<UnverifiedJws, JwsError> {
        let (envelope, mut header) = Envelope::open(self)?;
        Ok(UnverifiedJws {
            nonce: header.take_nonce()?,
            envelope,
        })
    }

    /// Reads the header by the rules for the inner JWS of keyChange (RFC 8555 section 7.3.5): asymmetric,
    /// with `jwk` and url, without nonce.
    pub(crate) fn into_key_change(self) -> Result<Envelope, JwsError> {
        let (envelope, header) = Envelope::open(self)?;
        header.refuse_nonce()?;
        Ok(envelope)
    }
}

/// A request whose signature has not been checked: its header says which key to check it with.
#[derive(Debug)]
pub struct UnverifiedJws {
    envelope: Envelope,
    nonce: String,
}

impl UnverifiedJws {
    /// The header's `alg`.
    pub fn algorithm(&self) -> Algorithm {
        self.envelope.algorithm
    }

    /// The header's `nonce`, known to be base64url.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The header's `url`.
    pub fn url(&self) -> &str {
        &self.envelope.url
    }

    /// The header's `jwk` or `kid`.
    pub fn key(&self) -> &KeyReference {
        &self.envelope.key
    }

    /// Refuses a request signed for another URL: RFC 8555 section 6.4 compares the strings.
    pub fn check_url(&self, requested: &str) -> Result<(), JwsError> {
        if self.url() == requested {
            return Ok(());
        }
        Err(JwsError::UrlMismatch {
            signed: self.url().to_owned(),
            requested: requested.to_owned(),
        })
    }

    /// Checks the signature. Where the header holds a `jwk`, only that key is accepted.
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedJws, JwsError> {
        self.envelope.verify(key)?;
        Ok(VerifiedJws(self))
    }
}

/// A request whose signature holds.
#[derive(Debug)]
pub struct VerifiedJws(UnverifiedJws);

impl VerifiedJws {
    /// The header's `alg`.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// The header's `nonce`.
    pub fn nonce(&self) -> &str {
        self.0.nonce()
    }

    /// The header's `url`.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// The header's `jwk` or `kid`.
    pub fn key(&self) -> &KeyReference {
        self.0.key()
    }

    /// The payload's octets.
    pub fn payload(&self) -> &[u8] {
        &self.0.envelope.payload
    }

    /// RFC 8555 section 6.3: the payload is empty, which `{}` is not.
    pub fn is_post_as_get(&self) -> bool {
        self.payload().is_empty()
    }

    /// Reads the payload as strict JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        json::read(self.payload())
    }
}

#[cfg(test)]
mod tests;
