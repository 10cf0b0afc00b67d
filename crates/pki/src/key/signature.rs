//! Signature algorithms and their identifiers.

use std::fmt;

use aws_lc_rs::signature::{self as provider, VerificationAlgorithm};
use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use super::KeyKind;
use crate::asn1::{Reader, Writer, tag};
use crate::oid;

/// A signature algorithm that is used and accepted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAlgorithm {
    /// sha256WithRSAEncryption
    RsaSha256,
    /// sha384WithRSAEncryption
    RsaSha384,
    /// sha512WithRSAEncryption
    RsaSha512,
    /// ecdsa-with-SHA256
    EcdsaSha256,
    /// ecdsa-with-SHA384
    EcdsaSha384,
    /// ecdsa-with-SHA512
    EcdsaSha512,
    /// Ed25519
    Ed25519,
}

/// An AlgorithmIdentifier that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "signature algorithm {oid} is not accepted: sign with RSA (PKCS #1 v1.5) or ECDSA and SHA-256, \
     SHA-384 or SHA-512, or with Ed25519"
)]
pub struct UnknownSignatureAlgorithm {
    /// The dotted object identifier, or what is wrong with it.
    pub oid: String,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 7] = [
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::Ed25519,
    ];

    /// What a key of this kind signs with here: the hash that matches its strength.
    pub fn for_key(kind: &KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Rsa { .. } => Some(Self::RsaSha256),
            KeyKind::EcP256 => Some(Self::EcdsaSha256),
            KeyKind::EcP384 => Some(Self::EcdsaSha384),
            KeyKind::EcP521 => Some(Self::EcdsaSha512),
            KeyKind::Ed25519 => Some(Self::Ed25519),
            KeyKind::Other(_) => None,
        }
    }

    /// The object identifier.
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::RsaSha256 => oid::RSA_SHA256,
            Self::RsaSha384 => oid::RSA_SHA384,
            Self::RsaSha512 => oid::RSA_SHA512,
            Self::EcdsaSha256 => oid::ECDSA_SHA256,
            Self::EcdsaSha384 => oid::ECDSA_SHA384,
            Self::EcdsaSha512 => oid::ECDSA_SHA512,
            Self::Ed25519 => oid::ED25519,
        }
    }

    /// The AlgorithmIdentifier in DER: RSA has NULL parameters (RFC 4055 section 5), the others have
    /// none (RFC 5758 section 3.2, RFC 8410 section 3).
    pub fn to_der(self) -> Vec<u8> {
        Writer::encode(|w| self.encode(w))
    }

    pub(crate) fn encode(self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.oid(&self.oid());
            if self.is_rsa() {
                w.null();
            }
        });
    }

    /// Reads an AlgorithmIdentifier; its parameters must be exactly what [`Self::to_der`] writes.
    pub fn from_der(der: &[u8]) -> Result<Self, UnknownSignatureAlgorithm> {
        let unknown = || UnknownSignatureAlgorithm {
            oid: oid_of(der).unwrap_or_else(|| "(malformed)".to_owned()),
        };
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.matches(der))
            .ok_or_else(unknown)
    }

    fn matches(self, der: &[u8]) -> bool {
        let Ok(mut fields) = Reader::single(der).and_then(|element| element.open(tag::SEQUENCE))
        else {
            return false;
        };
        let same = fields.oid().is_ok_and(|oid| oid == self.oid().as_bytes());
        let null = fields
            .optional(tag::NULL)
            .is_ok_and(|element| element.is_some_and(|null| null.content.is_empty()));
        same && null == self.is_rsa() && fields.is_empty()
    }

    fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }

    /// The provider's verifier for a key of this kind, if the two fit together.
    pub(super) fn verifier(self, kind: &KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (kind, self) {
            (KeyKind::Rsa { .. }, Self::RsaSha256) => &provider::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa { .. }, Self::RsaSha384) => &provider::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa { .. }, Self::RsaSha512) => &provider::RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::EcP256, Self::EcdsaSha256) => &provider::ECDSA_P256_SHA256_ASN1,
            (KeyKind::EcP256, Self::EcdsaSha384) => &provider::ECDSA_P256_SHA384_ASN1,
            (KeyKind::EcP256, Self::EcdsaSha512) => &provider::ECDSA_P256_SHA512_ASN1,
            (KeyKind::EcP384, Self::EcdsaSha256) => &provider::ECDSA_P384_SHA256_ASN1,
            (KeyKind::EcP384, Self::EcdsaSha384) => &provider::ECDSA_P384_SHA384_ASN1,
            (KeyKind::EcP384, Self::EcdsaSha512) => &provider::ECDSA_P384_SHA512_ASN1,
            (KeyKind::EcP521, Self::EcdsaSha256) => &provider::ECDSA_P521_SHA256_ASN1,
            (KeyKind::EcP521, Self::EcdsaSha384) => &provider::ECDSA_P521_SHA384_ASN1,
            (KeyKind::EcP521, Self::EcdsaSha512) => &provider::ECDSA_P521_SHA512_ASN1,
            (KeyKind::Ed25519, Self::Ed25519) => &provider::ED25519,
            (
                KeyKind::Rsa { .. }
                | KeyKind::EcP256
                | KeyKind::EcP384
                | KeyKind::EcP521
                | KeyKind::Ed25519
                | KeyKind::Other(_),
                _,
            ) => return None,
        })
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaSha256 => "RSA with SHA-256",
            Self::RsaSha384 => "RSA with SHA-384",
            Self::RsaSha512 => "RSA with SHA-512",
            Self::EcdsaSha256 => "ECDSA with SHA-256",
            Self::EcdsaSha384 => "ECDSA with SHA-384",
            Self::EcdsaSha512 => "ECDSA with SHA-512",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// The dotted object identifier of an AlgorithmIdentifier.
pub(crate) fn oid_of(algorithm_identifier: &[u8]) -> Option<String> {
    let mut fields = Reader::new(algorithm_identifier).sequence().ok()?;
    oid::to_text(fields.oid().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_identifier_reads_back() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(
                SignatureAlgorithm::from_der(&algorithm.to_der()),
                Ok(algorithm)
            );
        }
    }

    #[test]
    fn parameters_are_null_for_rsa_and_absent_for_the_others() {
        assert!(
            SignatureAlgorithm::RsaSha256
                .to_der()
                .ends_with(&[0x05, 0x00])
        );
        let without_null = Writer::encode(|w| w.sequence(|w| w.oid(&oid::RSA_SHA256)));
        let with_null = Writer::encode(|w| {
            w.sequence(|w| {
                w.oid(&oid::ECDSA_SHA256);
                w.null();
            });
        });
        for der in [without_null, with_null] {
            assert!(SignatureAlgorithm::from_der(&der).is_err());
        }
    }

    #[test]
    fn sha1_is_refused_by_its_identifier() {
        let sha1 = Writer::encode(|w| {
            w.sequence(|w| {
                w.oid(&ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"));
                w.null();
            });
        });
        let error = SignatureAlgorithm::from_der(&sha1).unwrap_err();
        assert_eq!(error.oid, "1.2.840.113549.1.1.5");
    }
}
