//! The signature and MAC algorithms of RFC 7518 that ACME may use, and which key each one fits.

use std::fmt;

use aws_lc_rs::{hmac, signature};

use super::super::jwk::{Curve, KeyKind};
use super::JwsError;

/// A signature algorithm accepted for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256; every ACME server must have it.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// Ed25519 (RFC 8037); RFC 9864 names it `Ed25519` and deprecates `EdDSA`, which clients still send.
    EdDsa,
}

impl Algorithm {
    /// Every accepted name, as `badSignatureAlgorithm` lists them.
    pub const NAMES: [&'static str; 6] = ["ES256", "ES384", "ES512", "RS256", "EdDSA", "Ed25519"];

    /// Reads `alg`; `none`, MACs and everything unknown are refused.
    pub fn from_name(name: &str) -> Result<Self, JwsError> {
        match name {
            "ES256" => Ok(Self::Es256),
            "ES384" => Ok(Self::Es384),
            "ES512" => Ok(Self::Es512),
            "RS256" => Ok(Self::Rs256),
            "EdDSA" | "Ed25519" => Ok(Self::EdDsa),
            other => Err(JwsError::AlgorithmRefused(excerpt(other))),
        }
    }

    /// The name to send.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The one algorithm that a key may be used with: the key decides, never the header.
    pub const fn of(key: KeyKind) -> Self {
        match key {
            KeyKind::Ec(Curve::P256) => Self::Es256,
            KeyKind::Ec(Curve::P384) => Self::Es384,
            KeyKind::Ec(Curve::P521) => Self::Es512,
            KeyKind::Rsa { .. } => Self::Rs256,
            KeyKind::Ed25519 => Self::EdDsa,
        }
    }

    /// Refuses a key of another kind.
    pub(super) fn check_fits(self, key: KeyKind) -> Result<(), JwsError> {
        if Self::of(key) == self {
            return Ok(());
        }
        Err(JwsError::AlgorithmMismatch {
            algorithm: self,
            key,
        })
    }

    pub(super) fn verification(self) -> &'static dyn signature::VerificationAlgorithm {
        match self {
            Self::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::EdDsa => &signature::ED25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A MAC algorithm, accepted in external account bindings only (RFC 8555 section 7.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl MacAlgorithm {
    /// Reads `alg`; signature algorithms are refused.
    pub fn from_name(name: &str) -> Result<Self, JwsError> {
        match name {
            "HS256" => Ok(Self::Hs256),
            "HS384" => Ok(Self::Hs384),
            "HS512" => Ok(Self::Hs512),
            other => Err(JwsError::MacRefused(excerpt(other))),
        }
    }

    /// The name to send.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    pub(super) fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Enough of a stranger's text to recognise it in an error message.
fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}
