//! What requests and inner JWS have in common once their header is read.

use super::super::base64url;
use super::header::RawHeader;
use super::{Algorithm, FlattenedJws, JwsError, KeyReference, VerifyingKey};

/// An asymmetric JWS with its header read and its parts decoded, not verified.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) algorithm: Algorithm,
    pub(crate) url: String,
    pub(crate) key: KeyReference,
    pub(crate) payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

impl Envelope {
    /// Reads everything but the nonce, about which the kinds of JWS differ.
    pub(super) fn open(jws: FlattenedJws) -> Result<(Self, RawHeader), JwsError> {
        let mut header = RawHeader::read(&jws.protected)?;
        let algorithm = Algorithm::from_name(header.algorithm_name()?)?;
        let key = header.take_key(algorithm)?;
        let url = header.take_url()?;
        let envelope = Self {
            algorithm,
            url,
            key,
            payload: decode("payload", &jws.payload)?,
            signature: decode("signature", &jws.signature)?,
            signing_input: signing_input(jws.protected, &jws.payload),
        };
        Ok((envelope, header))
    }

    /// Checks the signature; where the header holds a `jwk`, only that key is accepted.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<(), JwsError> {
        self.algorithm.check_fits(key.jwk().kind())?;
        if matches!(&self.key, KeyReference::Jwk(jwk) if jwk != key.jwk()) {
            return Err(JwsError::Signature);
        }
        if key.accepts(self.signing_input.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(JwsError::Signature)
        }
    }
}

pub(super) fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(text).map_err(|error| JwsError::Encoding { part, error })
}

/// RFC 7515 section 5.1, step 8: the octets that are signed.
pub(super) fn signing_input(mut protected: String, payload: &str) -> String {
    protected.reserve_exact(payload.len() + 1);
    protected.push('.');
    protected.push_str(payload);
    protected
}
