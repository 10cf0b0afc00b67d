//! The protected header (RFC 7515 section 4, RFC 8555 section 6.2).

use serde::{Deserialize, Deserializer};

use super::super::jwk::{Jwk, RawJwk, raw::Present};
use super::super::{base64url, json};
use super::{Algorithm, JwsError};

/// Who signed: the key itself, or the name of a key that the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReference {
    /// The public key, for newAccount and for revocation with the certificate's key.
    Jwk(Jwk),
    /// The account's URL; in an external account binding, the name of the MAC key.
    Kid(String),
}

/// The header's members as they stand there. Others (`typ`, `x5c`, `jku`, …) carry no meaning here:
/// in particular a key is never fetched or taken from them.
#[derive(Deserialize)]
pub(super) struct RawHeader {
    alg: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    nonce: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "some_object")]
    jwk: Option<RawJwk>,
    #[serde(default, deserialize_with = "not_null")]
    kid: Option<String>,
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    b64: Present,
}

/// Keeps `null` from passing for absence where both carry a meaning.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn some_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    json::object(deserializer).map(Some)
}

impl RawHeader {
    pub(super) fn read(protected: &str) -> Result<Self, JwsError> {
        let part = "protected header";
        let octets =
            base64url::decode(protected).map_err(|error| JwsError::Encoding { part, error })?;
        let header: Self = json::read(&octets).map_err(|error| JwsError::Json { part, error })?;
        if header.crit.0 {
            return Err(JwsError::Critical);
        }
        if header.b64.0 {
            return Err(JwsError::UnencodedPayload);
        }
        Ok(header)
    }

    /// The name in `alg`.
    pub(super) fn algorithm_name(&self) -> Result<&str, JwsError> {
        self.alg.as_deref().ok_or(JwsError::AlgorithmMissing)
    }

    pub(super) fn take_url(&mut self) -> Result<String, JwsError> {
        self.url
            .take()
            .filter(|url| !url.is_empty())
            .ok_or(JwsError::UrlMissing)
    }

    /// RFC 8555 section 6.5.2: present, and base64url of at least one octet.
    pub(super) fn take_nonce(&mut self) -> Result<String, JwsError> {
        let nonce = self.nonce.take().ok_or(JwsError::NonceMissing)?;
        if nonce.is_empty() {
            return Err(JwsError::NonceMissing);
        }
        base64url::decode(&nonce).map_err(JwsError::NonceEncoding)?;
        Ok(nonce)
    }

    pub(super) fn refuse_nonce(&self) -> Result<(), JwsError> {
        match self.nonce {
            Some(_) => Err(JwsError::InnerNonce),
            None => Ok(()),
        }
    }

    /// Exactly one of `jwk` and `kid`, and a `jwk` must fit the algorithm.
    pub(super) fn take_key(&mut self, algorithm: Algorithm) -> Result<KeyReference, JwsError> {
        match (self.jwk.take(), self.kid.take()) {
            (Some(_), Some(_)) => Err(JwsError::TwoKeys),
            (None, None) => Err(JwsError::NoKey),
            (None, Some(kid)) => Ok(KeyReference::Kid(kid)),
            (Some(raw), None) => {
                let jwk = Jwk::try_from(raw)?;
                algorithm.check_fits(jwk.kind())?;
                Ok(KeyReference::Jwk(jwk))
            }
        }
    }

    /// The `kid` of a header that must not have a `jwk`.
    pub(super) fn take_kid(&mut self) -> Result<String, JwsError> {
        match (self.jwk.take(), self.kid.take()) {
            (Some(_), Some(_)) => Err(JwsError::TwoKeys),
            (Some(_), None) => Err(JwsError::KidNeeded),
            (None, None) => Err(JwsError::NoKey),
            (None, Some(kid)) => Ok(kid),
        }
    }
}
