//! The SHA-256 thumbprint of a JWK (RFC 7638).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::acme::base64url;

/// A key's thumbprint; shown and stored as 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

/// A text that is not a SHA-256 thumbprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key thumbprint, which has 43 base64url characters")]
pub struct ParseThumbprintError(String);

impl Thumbprint {
    /// The thumbprint of a key whose canonical JSON this is.
    pub(super) fn of(canonical: &[u8]) -> Self {
        let mut octets = [0; 32];
        octets
            .iter_mut()
            .zip(digest(&SHA256, canonical).as_ref())
            .for_each(|(octet, value)| *octet = *value);
        Self(octets)
    }

    /// From the digest's octets.
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The digest's octets.
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl FromStr for Thumbprint {
    type Err = ParseThumbprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        base64url::decode(text)
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .map(Self)
            .ok_or_else(|| ParseThumbprintError(text.to_owned()))
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
