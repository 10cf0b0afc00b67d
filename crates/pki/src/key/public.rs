//! Public keys as SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, UnparsedPublicKey};
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{KeyKind, SignatureAlgorithm};
use crate::asn1::{DerError, Reader, Writer, tag};
use crate::fingerprint::sha256;
use crate::oid;

/// A public key whose structure was checked; cheap to clone.
#[derive(Clone)]
pub struct PublicKey {
    spki: Arc<[u8]>,
    /// Where the content of subjectPublicKey lies in `spki`.
    key: Range<usize>,
    kind: KeyKind,
}

/// Octets that are no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not DER, or not of the structure.
    #[error("the public key is malformed: {0}")]
    Der(#[from] DerError),
    /// An RSA modulus or exponent that is zero or negative, or parameters that are not NULL.
    #[error("the RSA public key is malformed")]
    Rsa,
    /// A point that is compressed, of the wrong length, or not on its curve.
    #[error("the public key is not an uncompressed point on the curve {0}")]
    NotOnCurve(KeyKind),
    /// An Ed25519 key that is not 32 octets, or has parameters.
    #[error("the Ed25519 public key is malformed")]
    Ed25519,
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The key is of another kind than the algorithm, or of one that cannot be verified here.
    #[error("a key of kind {kind} makes no signatures of algorithm {algorithm}")]
    Unsupported {
        /// The key's kind.
        kind: KeyKind,
        /// The algorithm named with the signature.
        algorithm: SignatureAlgorithm,
    },
    /// The signature was not made over this message with this key.
    #[error("the signature is not valid")]
    Invalid,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. Keys of unknown algorithms are kept as [`KeyKind::Other`]; a
    /// point that is not on its curve is refused.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let (algorithm, key) = split(der)?;
        let kind = checked_kind(algorithm, key)?;
        Ok(Self::new(der, key, kind))
    }

    /// Like [`Self::from_spki_der`], but a broken key of a known algorithm is kept too: what was
    /// found in the field must be shown, it need not be usable.
    pub(crate) fn observed(der: &[u8]) -> Result<Self, DerError> {
        let (algorithm, key) = split(der)?;
        let kind = checked_kind(algorithm, key).or_else(|_| other_kind(algorithm))?;
        Ok(Self::new(der, key, kind))
    }

    /// An EC key from its uncompressed point, as JWK and PKCS#11 give it.
    pub fn from_ec_point(kind: &KeyKind, point: &[u8]) -> Result<Self, PublicKeyError> {
        let curve = match kind {
            KeyKind::EcP256 => oid::P256,
            KeyKind::EcP384 => oid::P384,
            KeyKind::EcP521 => oid::P521,
            KeyKind::Rsa { .. } | KeyKind::Ed25519 | KeyKind::Other(_) => {
                return Err(PublicKeyError::NotOnCurve(kind.clone()));
            }
        };
        Self::from_spki_der(&spki(point, |w| {
            w.oid(&oid::EC_PUBLIC_KEY);
            w.oid(&curve);
        }))
    }

    /// An RSA key from big-endian modulus and exponent.
    pub fn from_rsa_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, PublicKeyError> {
        let key = Writer::encode(|w| {
            w.sequence(|w| {
                w.unsigned(modulus);
                w.unsigned(exponent);
            });
        });
        Self::from_rsa_public_key_der(&key)
    }

    pub(super) fn from_rsa_public_key_der(key: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_spki_der(&spki(key, |w| {
            w.oid(&oid::RSA);
            w.null();
        }))
    }

    /// An Ed25519 key from its 32 octets.
    pub fn from_ed25519(key: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_spki_der(&spki(key, |w| w.oid(&oid::ED25519)))
    }

    fn new(spki: &[u8], key: &[u8], kind: KeyKind) -> Self {
        // subjectPublicKey is the last field, so it ends where the whole ends.
        Self {
            key: spki.len() - key.len()..spki.len(),
            spki: spki.into(),
            kind,
        }
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// What kind of key this is.
    pub fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// The content of subjectPublicKey: the EC point, the RSAPublicKey, the 32 octets of Ed25519.
    pub fn key_octets(&self) -> &[u8] {
        self.spki.get(self.key.clone()).unwrap_or_default()
    }

    /// The SHA-256 digest of the SubjectPublicKeyInfo, by which keys are blocked and compared.
    pub fn spki_sha256(&self) -> [u8; 32] {
        sha256(&self.spki)
    }

    /// The key identifier that our certificates carry: the left-most 160 bits of the SHA-256 digest
    /// of subjectPublicKey, RFC 7093 section 2 method 1.
    pub fn key_identifier(&self) -> [u8; 20] {
        let digest = sha256(self.key_octets());
        let mut identifier = [0; 20];
        identifier.copy_from_slice(&digest[..20]);
        identifier
    }

    /// The modulus of an RSA key, big-endian without leading zeros.
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        self.rsa_components().map(|(modulus, _)| modulus)
    }

    /// The public exponent of an RSA key, big-endian without leading zeros.
    pub fn rsa_exponent(&self) -> Option<&[u8]> {
        self.rsa_components().map(|(_, exponent)| exponent)
    }

    fn rsa_components(&self) -> Option<(&[u8], &[u8])> {
        match self.kind {
            KeyKind::Rsa { .. } => rsa_components(self.key_octets()).ok(),
            KeyKind::EcP256
            | KeyKind::EcP384
            | KeyKind::EcP521
            | KeyKind::Ed25519
            | KeyKind::Other(_) => None,
        }
    }

    /// Verifies a signature; those of ECDSA are DER, as in certificates.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let verifier = algorithm
            .verifier(&self.kind)
            .ok_or_else(|| VerifyError::Unsupported {
                kind: self.kind.clone(),
                algorithm,
            })?;
        UnparsedPublicKey::new(verifier, self.key_octets())
            .verify(message, signature)
            .map_err(|_| VerifyError::Invalid)
    }

    /// Whether this RSA key made a signature with SHA-1. Only for messages of old systems whose content
    /// is public and proves itself otherwise.
    pub fn verify_rsa_sha1(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifier = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY;
        matches!(self.kind, KeyKind::Rsa { .. })
            && UnparsedPublicKey::new(verifier, self.key_octets())
                .verify(message, signature)
                .is_ok()
    }
}

fn spki(key: &[u8], algorithm: impl FnOnce(&mut Writer)) -> Vec<u8> {
    Writer::encode(|w| {
        w.sequence(|w| {
            w.sequence(algorithm);
            w.bit_string(key);
        });
    })
}

/// The content of the AlgorithmIdentifier and of subjectPublicKey.
fn split(der: &[u8]) -> Result<(Reader<'_>, &[u8]), DerError> {
    let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
    let algorithm = fields.sequence()?;
    let key = fields.bit_string()?;
    fields.finish()?;
    Ok((algorithm, key))
}

fn checked_kind(mut algorithm: Reader<'_>, key: &[u8]) -> Result<KeyKind, PublicKeyError> {
    let whole = algorithm;
    let oid = algorithm.oid()?;
    if oid == oid::RSA.as_bytes() {
        let parameters = algorithm.expect(tag::NULL)?;
        if !parameters.content.is_empty() || !algorithm.is_empty() {
            return Err(PublicKeyError::Rsa);
        }
        let (modulus, _) = rsa_components(key)?;
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |o| o.leading_zeros() as usize);
        let bits = u32::try_from(bits).map_err(|_| PublicKeyError::Rsa)?;
        return Ok(KeyKind::Rsa { bits });
    }
    if oid == oid::ED25519.as_bytes() {
        return if algorithm.is_empty() && key.len() == 32 {
            Ok(KeyKind::Ed25519)
        } else {
            Err(PublicKeyError::Ed25519)
        };
    }
    let curve = match algorithm.oid() {
        Ok(curve) if oid == oid::EC_PUBLIC_KEY.as_bytes() && algorithm.is_empty() => curve,
        Ok(_) | Err(_) => return Ok(other_kind(whole)?),
    };
    let known = [
        (oid::P256, KeyKind::EcP256, SignatureAlgorithm::EcdsaSha256),
        (oid::P384, KeyKind::EcP384, SignatureAlgorithm::EcdsaSha384),
        (oid::P521, KeyKind::EcP521, SignatureAlgorithm::EcdsaSha512),
    ];
    match known.into_iter().find(|(oid, ..)| oid.as_bytes() == curve) {
        Some((_, kind, algorithm)) => check_point(kind, algorithm, key),
        None => Ok(other_kind(whole)?),
    }
}

/// RFC 5480 section 2.2 lets us require the uncompressed form; the provider then checks that the
/// point satisfies the curve's equation.
fn check_point(
    kind: KeyKind,
    algorithm: SignatureAlgorithm,
    point: &[u8],
) -> Result<KeyKind, PublicKeyError> {
    let on_curve = point.first() == Some(&0x04)
        && algorithm
            .verifier(&kind)
            .is_some_and(|verifier| ParsedPublicKey::new(verifier, point).is_ok());
    if on_curve {
        Ok(kind)
    } else {
        Err(PublicKeyError::NotOnCurve(kind))
    }
}

/// The identifier of the curve if the parameters are one, else of the algorithm.
fn other_kind(mut algorithm: Reader<'_>) -> Result<KeyKind, DerError> {
    let mut named = algorithm.oid()?;
    if named == oid::EC_PUBLIC_KEY.as_bytes() {
        named = algorithm.oid().unwrap_or(named);
    }
    oid::to_text(named)
        .map(KeyKind::Other)
        .ok_or(DerError::Content("OBJECT IDENTIFIER"))
}

fn rsa_components(key: &[u8]) -> Result<(&[u8], &[u8]), PublicKeyError> {
    let mut fields = Reader::single(key)?.open(tag::SEQUENCE)?;
    let (modulus, exponent) = (fields.unsigned()?, fields.unsigned()?);
    fields.finish()?;
    if modulus == [0] || exponent == [0] {
        return Err(PublicKeyError::Rsa);
    }
    Ok((modulus, exponent))
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = data_encoding::HEXLOWER.encode(&self.spki_sha256());
        write!(f, "PublicKey({}, sha256 {digest})", self.kind)
    }
}

impl Serialize for PublicKey {
    /// The SubjectPublicKeyInfo in base64.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.spki))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let der = BASE64.decode(text.as_bytes()).map_err(de::Error::custom)?;
        Self::from_spki_der(&der).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::key::{KeyAlgorithm, LocalKey, SigningKey};

    #[rstest]
    fn i3_a_point_off_its_curve_is_refused(
        #[values(KeyAlgorithm::EcP256, KeyAlgorithm::EcP384)] algorithm: KeyAlgorithm,
    ) {
        let key = LocalKey::generate(algorithm).unwrap();
        let mut spki = key.public_key().spki_der().to_vec();
        assert!(PublicKey::from_spki_der(&spki).is_ok());
        *spki.last_mut().unwrap() ^= 1;
        let kind = KeyKind::from(algorithm);
        assert_eq!(
            PublicKey::from_spki_der(&spki),
            Err(PublicKeyError::NotOnCurve(kind))
        );
        assert!(PublicKey::observed(&spki).is_ok());
    }

    #[test]
    fn a_compressed_point_is_refused() {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let point = key.public_key().key_octets();
        let mut compressed = point[..33].to_vec();
        compressed[0] = 2 | point[64] & 1;
        assert!(PublicKey::from_ec_point(&KeyKind::EcP256, point).is_ok());
        assert!(PublicKey::from_ec_point(&KeyKind::EcP256, &compressed).is_err());
    }

    #[test]
    fn an_unknown_curve_is_named_by_its_identifier() {
        let der = spki(&[4; 65], |w| {
            w.oid(&oid::EC_PUBLIC_KEY);
            w.oid(&const_oid::ObjectIdentifier::new_unwrap("1.3.132.0.10"));
        });
        let key = PublicKey::from_spki_der(&der).unwrap();
        assert_eq!(key.kind(), &KeyKind::Other("1.3.132.0.10".into()));
    }

    #[test]
    fn an_rsa_key_is_known_by_the_bits_of_its_modulus() {
        let key = PublicKey::from_rsa_components(&[0x00, 0x01, 0xff], &[1, 0, 1]).unwrap();
        assert_eq!(key.kind(), &KeyKind::Rsa { bits: 9 });
        assert_eq!(key.rsa_modulus(), Some(&[0x01, 0xff][..]));
        assert_eq!(key.rsa_exponent(), Some(&[1, 0, 1][..]));
        assert!(PublicKey::from_rsa_components(&[], &[3]).is_err());
    }

    #[test]
    fn the_key_identifier_is_the_start_of_the_digest_of_the_key_octets() {
        let key = PublicKey::from_ed25519(&[1; 32]).unwrap();
        let identifier = data_encoding::HEXLOWER.encode(&key.key_identifier());
        assert_eq!(identifier, "72cd6e8422c407fb6d098690f1130b7ded7ec2f7");
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = PublicKey::from_spki_der(&octets);
            let _ = PublicKey::observed(&octets);
            let _ = rsa_components(&octets);
        }
    }
}
