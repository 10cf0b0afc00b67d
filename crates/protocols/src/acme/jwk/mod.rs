//! Public account keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), read strictly.
//!
//! Reading settles form and strength; that an EC point lies on its curve is settled by
//! [`VerifyingKey::new`](super::jws::VerifyingKey::new), which alone can use the key.

pub(super) mod raw;
mod spki;
mod thumbprint;

use std::fmt;

use pki::key::{PublicKey, WeakKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(crate) use raw::RawJwk;
pub use spki::SpkiError;
pub use thumbprint::{ParseThumbprintError, Thumbprint};

use super::base64url;
use super::json::{self, JsonError};
use super::problem::{Problem, ProblemType};

/// The smallest RSA modulus accepted, in bits.
pub const RSA_MIN_BITS: usize = 2048;
/// The largest RSA modulus accepted, in bits: beyond it a stranger would choose how long we compute.
pub const RSA_MAX_BITS: usize = 4096;

/// An elliptic curve of RFC 7518 section 6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// The name in `crv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Octets of one coordinate.
    pub const fn coordinate_octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521]
            .into_iter()
            .find(|curve| curve.name() == name)
    }
}

/// What kind of key a [`Jwk`] is, with what tells two keys of one kind apart in strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `kty` EC.
    Ec(Curve),
    /// `kty` RSA with a modulus of so many bits.
    Rsa {
        /// Length of the modulus.
        bits: usize,
    },
    /// `kty` OKP, `crv` Ed25519.
    Ed25519,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ec(curve) => write!(f, "EC {}", curve.name()),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// A public key that may own an ACME account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Jwk(pub(super) Material);

/// The numbers of a key, each in the one length or minimal form its kind prescribes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Material {
    /// `point` is the uncompressed point, 0x04 || x || y.
    Ec { curve: Curve, point: Vec<u8> },
    /// Big endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The 32 octets of RFC 8032.
    Ed25519([u8; 32]),
}

/// Why a key is refused; every case is `badPublicKey` but unreadable JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// The JWK is not the JSON object it should be.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A `kty` that cannot sign an ACME request.
    #[error("key type `{0}` is not accepted; use EC, RSA or OKP")]
    KeyType(String),
    /// RFC 8555 section 6.2: never a MAC.
    #[error("a symmetric key (`oct`) cannot be an account key")]
    Symmetric,
    /// Someone sent us a secret.
    #[error(
        "the key holds the private member `{0}`: send the public part only, and replace this key, for it has been disclosed"
    )]
    PrivateMember(&'static str),
    /// An unknown `crv`.
    #[error("curve `{0}` is not accepted; use P-256, P-384 or P-521 with EC, and Ed25519 with OKP")]
    Curve(String),
    /// A member that its `kty` requires.
    #[error("the key lacks the member `{0}`")]
    Missing(&'static str),
    /// A number in a form its kind does not allow.
    #[error("the key's member `{member}` {fault}")]
    Member {
        /// Which member.
        member: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// A modulus outside the accepted sizes.
    #[error("the RSA key has {bits} bits; {RSA_MIN_BITS} to {RSA_MAX_BITS} are accepted")]
    RsaSize {
        /// Bits of the modulus sent.
        bits: usize,
    },
    /// An exponent that is weak or costly.
    #[error("the RSA public exponent must be odd, at least 65537 and below 2^32")]
    RsaExponent,
    /// An even modulus.
    #[error("the RSA modulus is even, so it is not a product of two large primes")]
    RsaEvenModulus,
    /// `use` says that the key is for something else.
    #[error("the key is marked for the use `{0}`, not for signatures (`sig`)")]
    Use(String),
    /// A key whose private half can be computed, such as one with the ROCA flaw.
    #[error(transparent)]
    Weak(#[from] WeakKey),
    /// The numbers are no key, for instance a point off its curve.
    #[error("the numbers in the key are not a valid {0} public key")]
    Invalid(KeyKind),
}

impl JwkError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::Json(_) => ProblemType::Malformed,
            _ => ProblemType::BadPublicKey,
        };
        Problem::new(kind, self.to_string())
    }
}

impl Jwk {
    /// Reads a JWK from its JSON.
    pub fn parse(octets: &[u8]) -> Result<Self, JwkError> {
        json::read::<RawJwk>(octets)?.try_into()
    }

    /// Which kind of key this is.
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Material::Ec { curve, .. } => KeyKind::Ec(*curve),
            Material::Rsa { modulus, .. } => KeyKind::Rsa {
                bits: bit_length(modulus),
            },
            Material::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The required members in lexicographic order without whitespace (RFC 7638 section 3), which is
    /// also a JWK to send or to store.
    pub fn to_canonical_json(&self) -> String {
        let b64 = |octets: &[u8]| base64url::encode(octets);
        match &self.0 {
            Material::Ec { curve, point } => {
                let (x, y) = coordinates(*curve, point);
                format!(
                    r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                    curve.name(),
                    b64(x),
                    b64(y)
                )
            }
            Material::Rsa { modulus, exponent } => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                b64(exponent),
                b64(modulus)
            ),
            Material::Ed25519(x) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64(x))
            }
        }
    }

    /// The key as certificates and CSRs know it; a point off its curve is refused.
    pub fn public_key(&self) -> Result<PublicKey, JwkError> {
        PublicKey::from_spki_der(&self.to_spki_der()).map_err(|_| JwkError::Invalid(self.kind()))
    }

    /// Refuses keys that can be broken, before one becomes an account's key. Not part of reading, for a
    /// weak key must still be able to revoke its certificate.
    pub fn check_strength(&self) -> Result<(), JwkError> {
        Ok(pki::key::weak::check(&self.public_key()?)?)
    }

    /// The RFC 7638 thumbprint with SHA-256, the name by which accounts are found.
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(self.to_canonical_json().as_bytes())
    }
}

fn coordinates(curve: Curve, point: &[u8]) -> (&[u8], &[u8]) {
    let numbers = point.get(1..).unwrap_or_default();
    numbers
        .split_at_checked(curve.coordinate_octets())
        .unwrap_or_default()
}

/// Bits of a big-endian number without leading zero octets.
fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(leading as usize)
}

/// Refuses RSA keys by the numbers alone.
fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Jwk, JwkError> {
    let bits = bit_length(&modulus);
    if !(RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits) {
        return Err(JwkError::RsaSize { bits });
    }
    if modulus.last().is_none_or(|last| last % 2 == 0) {
        return Err(JwkError::RsaEvenModulus);
    }
    let value = exponent
        .iter()
        .try_fold(0_u32, |value, octet| {
            value.checked_mul(256)?.checked_add(u32::from(*octet))
        })
        .ok_or(JwkError::RsaExponent)?;
    if value < 65_537 || value % 2 == 0 {
        return Err(JwkError::RsaExponent);
    }
    Ok(Jwk(Material::Rsa { modulus, exponent }))
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({}, {})", self.kind(), self.thumbprint())
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawJwk::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::object::<RawJwk, D>(deserializer)?
            .try_into()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
