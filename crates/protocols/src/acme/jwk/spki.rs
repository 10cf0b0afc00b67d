//! A JWK's other spelling, SubjectPublicKeyInfo, so that account keys compare with keys of CSRs.

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Encode, Sequence, asn1::ObjectIdentifier};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfoRef};

use super::{Curve, Jwk, JwkError, Material, rsa};

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ID_P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ID_P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a SubjectPublicKeyInfo is no account key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpkiError {
    /// Not DER, or not a SubjectPublicKeyInfo.
    #[error("the public key is not a DER SubjectPublicKeyInfo: {0}")]
    Der(#[from] der::Error),
    /// An algorithm or curve without a JWK that ACME accepts.
    #[error("the public key's algorithm {0} cannot own an ACME account")]
    Algorithm(ObjectIdentifier),
    /// An EC key without a named curve, or a point that is compressed or of the wrong length.
    #[error("the public key does not have a named curve and an uncompressed point")]
    Value,
    /// A key too weak or too large.
    #[error(transparent)]
    Key(#[from] JwkError),
}

/// RFC 8017 appendix A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

impl Curve {
    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ID_P256,
            Self::P384 => ID_P384,
            Self::P521 => ID_P521,
        }
    }
}

impl Jwk {
    /// The key as DER SubjectPublicKeyInfo (RFC 5480, RFC 3279, RFC 8410), as a CSR holds it.
    pub fn to_spki_der(&self) -> Vec<u8> {
        // Unwrap safety: encoding only fails beyond 256 MiB, and `Material` holds at most 516 octets.
        self.encode_spki()
            .expect("an accepted key is small enough for DER")
    }

    fn encode_spki(&self) -> der::Result<Vec<u8>> {
        match &self.0 {
            Material::Ec { curve, point } => {
                encode(ID_EC_PUBLIC_KEY, Some((&curve.oid()).into()), point)
            }
            Material::Rsa { modulus, exponent } => {
                let key = RsaPublicKey {
                    modulus: UintRef::new(modulus)?,
                    exponent: UintRef::new(exponent)?,
                };
                encode(ID_RSA, Some(AnyRef::NULL), &key.to_der()?)
            }
            Material::Ed25519(key) => encode(ID_ED25519, None, key),
        }
    }

    /// Reads a SubjectPublicKeyInfo by the same rules as a JWK.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, SpkiError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)?;
        let value = spki.subject_public_key.as_bytes().ok_or(SpkiError::Value)?;
        match spki.algorithm.oid {
            ID_EC_PUBLIC_KEY => {
                let curve = spki.algorithm.parameters_oid();
                ec(curve.map_err(|_| SpkiError::Value)?, value)
            }
            ID_RSA => {
                let key = RsaPublicKey::from_der(value)?;
                let (modulus, exponent) = (key.modulus.as_bytes(), key.exponent.as_bytes());
                Ok(rsa(modulus.to_vec(), exponent.to_vec())?)
            }
            ID_ED25519 => {
                let key = value.try_into().map_err(|_| SpkiError::Value)?;
                Ok(Self(Material::Ed25519(key)))
            }
            other => Err(SpkiError::Algorithm(other)),
        }
    }
}

fn ec(curve: ObjectIdentifier, point: &[u8]) -> Result<Jwk, SpkiError> {
    let curve = [Curve::P256, Curve::P384, Curve::P521]
        .into_iter()
        .find(|candidate| candidate.oid() == curve)
        .ok_or(SpkiError::Algorithm(curve))?;
    if point.first() != Some(&0x04) || point.len() != 1 + 2 * curve.coordinate_octets() {
        return Err(SpkiError::Value);
    }
    let point = point.to_vec();
    Ok(Jwk(Material::Ec { curve, point }))
}

fn encode(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    value: &[u8],
) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifier { oid, parameters },
        subject_public_key: BitStringRef::from_bytes(value)?,
    }
    .to_der()
}
