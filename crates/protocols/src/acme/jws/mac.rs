//! JWS under a MAC, which ACME knows in external account bindings only (RFC 8555 section 7.3.4).

use std::fmt;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretSlice};

use super::super::base64url::{self, Base64UrlError};
use super::envelope::{decode, signing_input};
use super::header::RawHeader;
use super::{FlattenedJws, JwsError, MacAlgorithm};

/// Octets below which a MAC key is refused: RFC 7518 section 3.2 asks for the hash's size.
const MIN_OCTETS: usize = 32;

/// A symmetric key shared out of band.
#[derive(Clone)]
pub struct MacKey(SecretSlice<u8>);

/// Why a text or octets are no MAC key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacKeyError {
    /// Not base64url. The text is not shown, for it is a secret.
    #[error("the MAC key is not base64url: {0}")]
    Encoding(#[from] Base64UrlError),
    /// Fewer octets than a hash has.
    #[error("the MAC key has {0} octets; at least {MIN_OCTETS} are needed")]
    TooShort(usize),
}

impl MacKey {
    /// From the key's octets.
    pub fn new(octets: Vec<u8>) -> Result<Self, MacKeyError> {
        let length = octets.len();
        let secret = SecretSlice::from(octets);
        if length < MIN_OCTETS {
            return Err(MacKeyError::TooShort(length));
        }
        Ok(Self(secret))
    }

    /// From base64url, as certificate authorities hand the key out.
    pub fn from_base64url(text: &str) -> Result<Self, MacKeyError> {
        Self::new(base64url::decode(text)?)
    }

    /// The key's octets, to be sealed or shown once.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    pub(super) fn tag(&self, algorithm: MacAlgorithm, message: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(algorithm.hmac(), self.expose()), message)
    }

    fn accepts(&self, algorithm: MacAlgorithm, message: &[u8], tag: &[u8]) -> bool {
        // Compares in constant time, and refuses a shortened tag.
        let key = hmac::Key::new(algorithm.hmac(), self.expose());
        hmac::verify(&key, message, tag).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(redacted)")
    }
}

/// A MACed JWS whose `kid` says which key to check it with.
#[derive(Debug)]
pub struct UnverifiedMac {
    algorithm: MacAlgorithm,
    kid: String,
    url: String,
    payload: Vec<u8>,
    signing_input: String,
    tag: Vec<u8>,
}

impl FlattenedJws {
    /// Reads the header by the rules for an external account binding: a MAC, `kid` and url, no nonce.
    pub fn into_mac(self) -> Result<UnverifiedMac, JwsError> {
        let mut header = RawHeader::read(&self.protected)?;
        let algorithm = MacAlgorithm::from_name(header.algorithm_name()?)?;
        header.refuse_nonce()?;
        Ok(UnverifiedMac {
            algorithm,
            kid: header.take_kid()?,
            url: header.take_url()?,
            payload: decode("payload", &self.payload)?,
            tag: decode("signature", &self.signature)?,
            signing_input: signing_input(self.protected, &self.payload),
        })
    }
}

impl UnverifiedMac {
    /// The header's `alg`.
    pub fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The header's `url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks the MAC and gives the payload.
    pub fn verify_hmac(&self, key: &MacKey) -> Result<&[u8], JwsError> {
        if key.accepts(self.algorithm, self.signing_input.as_bytes(), &self.tag) {
            Ok(&self.payload)
        } else {
            Err(JwsError::Mac(self.algorithm))
        }
    }
}
