//! The kind of a public key, also of those that are only observed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::oid;

/// The kind of a public key; in text and JSON `rsa-2048`, `p-256`, … or an object identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum KeyKind {
    /// RSA
    Rsa {
        /// The length of the modulus.
        bits: u32,
    },
    /// ECDSA on P-256
    EcP256,
    /// ECDSA on P-384
    EcP384,
    /// ECDSA on P-521
    EcP521,
    /// Ed25519
    Ed25519,
    /// Anything else: the object identifier of the algorithm or, for an elliptic curve, of the curve
    Other(String),
}

/// A text that names no kind of key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a kind of key: use rsa-<bits>, p-256, p-384, p-521, ed25519 or an object identifier"
)]
pub struct ParseKeyKindError(String);

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "rsa-{bits}"),
            Self::EcP256 => f.write_str("p-256"),
            Self::EcP384 => f.write_str("p-384"),
            Self::EcP521 => f.write_str("p-521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Other(oid) => f.write_str(oid),
        }
    }
}

impl FromStr for KeyKind {
    type Err = ParseKeyKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "p-256" => Ok(Self::EcP256),
            "p-384" => Ok(Self::EcP384),
            "p-521" => Ok(Self::EcP521),
            "ed25519" => Ok(Self::Ed25519),
            _ => text
                .strip_prefix("rsa-")
                .and_then(|bits| bits.parse().ok())
                .map(|bits| Self::Rsa { bits })
                .or_else(|| oid::from_text(text).map(|_| Self::Other(text.to_owned())))
                .ok_or_else(|| ParseKeyKindError(text.to_owned())),
        }
    }
}

impl From<KeyKind> for String {
    fn from(kind: KeyKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for KeyKind {
    type Error = ParseKeyKindError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::key::KeyAlgorithm;

    #[rstest]
    #[case("rsa-2048", KeyKind::Rsa { bits: 2048 })]
    #[case("p-521", KeyKind::EcP521)]
    #[case("1.3.101.113", KeyKind::Other("1.3.101.113".into()))]
    fn a_kind_reads_back(#[case] text: &str, #[case] kind: KeyKind) {
        assert_eq!(text.parse(), Ok(kind.clone()));
        assert_eq!(kind.to_string(), text);
    }

    #[test]
    fn an_algorithm_and_its_kind_have_one_name() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(KeyKind::from(algorithm).to_string(), algorithm.to_string());
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        assert!("rsa-1024".parse::<KeyAlgorithm>().is_err());
        assert!("rsa".parse::<KeyKind>().is_err());
    }
}
