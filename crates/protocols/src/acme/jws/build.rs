//! Building a JWS: the client's side. The signature comes from whoever holds the key.

use serde::Serialize;

use super::super::base64url;
use super::super::jwk::Jwk;
use super::envelope::signing_input;
use super::{Algorithm, FlattenedJws, MacAlgorithm, MacKey};

/// A protected header to send.
#[derive(Clone, Debug, Serialize)]
pub struct Header<'a> {
    /// The algorithm's name.
    pub alg: &'static str,
    /// The key itself, or nothing where `kid` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwk: Option<&'a Jwk>,
    /// The account's URL or the MAC key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<&'a str>,
    /// The nonce; inner JWS have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// The URL the request goes to.
    pub url: &'a str,
}

impl<'a> Header<'a> {
    /// A header that holds the key.
    pub fn with_jwk(jwk: &'a Jwk, nonce: Option<&'a str>, url: &'a str) -> Self {
        Self {
            alg: Algorithm::of(jwk.kind()).name(),
            jwk: Some(jwk),
            kid: None,
            nonce,
            url,
        }
    }

    /// A header that names the account.
    pub fn with_kid(algorithm: Algorithm, kid: &'a str, nonce: &'a str, url: &'a str) -> Self {
        Self {
            alg: algorithm.name(),
            jwk: None,
            kid: Some(kid),
            nonce: Some(nonce),
            url,
        }
    }

    /// The header of an external account binding.
    pub fn with_mac(algorithm: MacAlgorithm, kid: &'a str, url: &'a str) -> Self {
        Self {
            alg: algorithm.name(),
            jwk: None,
            kid: Some(kid),
            nonce: None,
            url,
        }
    }
}

/// Header and payload, encoded and waiting for a signature over [`SigningInput::as_bytes`].
#[derive(Clone, Debug)]
pub struct SigningInput {
    protected: String,
    payload: String,
    joined: String,
}

impl SigningInput {
    /// Encodes header and payload; an empty payload makes a POST-as-GET.
    pub fn new(header: &impl Serialize, payload: &[u8]) -> serde_json::Result<Self> {
        let protected = base64url::encode(serde_json::to_vec(header)?);
        let payload = base64url::encode(payload);
        Ok(Self {
            joined: signing_input(protected.clone(), &payload),
            protected,
            payload,
        })
    }

    /// The octets to sign.
    pub fn as_bytes(&self) -> &[u8] {
        self.joined.as_bytes()
    }

    /// The finished JWS. ECDSA signatures are the two numbers side by side (RFC 7518 section 3.4).
    pub fn with_signature(self, signature: &[u8]) -> FlattenedJws {
        FlattenedJws {
            protected: self.protected,
            payload: self.payload,
            signature: base64url::encode(signature),
        }
    }

    /// The finished JWS under a MAC.
    pub fn with_mac(self, algorithm: MacAlgorithm, key: &MacKey) -> FlattenedJws {
        let tag = key.tag(algorithm, self.as_bytes());
        self.with_signature(tag.as_ref())
    }
}
