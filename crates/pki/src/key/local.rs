//! Private keys in memory.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as provider, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::{KeyAlgorithm, KeyError, KeyKind, PublicKey, SignatureAlgorithm, SigningKey};
use crate::asn1::{Reader, tag};
use crate::{oid, pem};

/// A private key in this process's memory; the provider wipes it when it is dropped.
pub struct LocalKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, SignatureAlgorithm),
    Ed25519(Ed25519KeyPair),
}

impl LocalKey {
    /// A new key from the provider's own generator.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        const ERROR: KeyError = KeyError::Provider("generate a key");
        let rsa = |size| RsaKeyPair::generate(size).map_err(|_| ERROR);
        let ecdsa = |curve| EcdsaKeyPair::generate(curve).map_err(|_| ERROR);
        match algorithm {
            KeyAlgorithm::Rsa2048 => Self::rsa(rsa(KeySize::Rsa2048)?),
            KeyAlgorithm::Rsa3072 => Self::rsa(rsa(KeySize::Rsa3072)?),
            KeyAlgorithm::Rsa4096 => Self::rsa(rsa(KeySize::Rsa4096)?),
            KeyAlgorithm::EcP256 => Self::ecdsa(ecdsa(P256.0)?, &P256),
            KeyAlgorithm::EcP384 => Self::ecdsa(ecdsa(P384.0)?, &P384),
            KeyAlgorithm::Ed25519 => Self::ed25519(Ed25519KeyPair::generate().map_err(|_| ERROR)?),
        }
    }

    /// Reads an unencrypted PKCS#8 PrivateKeyInfo, RFC 5958.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, parameters) = private_key_algorithm(der).ok_or(KeyError::Malformed)?;
        if algorithm == oid::RSA.as_bytes() {
            return Self::rsa(RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Malformed)?);
        }
        if algorithm == oid::ED25519.as_bytes() {
            let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Malformed)?;
            return Self::ed25519(pair);
        }
        if algorithm == oid::EC_PUBLIC_KEY.as_bytes() {
            let curve = curve(parameters)?;
            let pair = EcdsaKeyPair::from_pkcs8(curve.0, der).map_err(|_| KeyError::Malformed)?;
            return Self::ecdsa(pair, curve);
        }
        Err(KeyError::Unsupported(format!(
            "algorithm {} is neither RSA, ECDSA nor Ed25519",
            oid::to_text(algorithm).unwrap_or_default()
        )))
    }

    /// Reads the first private key of a PEM text: PKCS#8, SEC1 (`EC PRIVATE KEY`) or PKCS#1
    /// (`RSA PRIVATE KEY`), unencrypted. Other blocks, such as `EC PARAMETERS`, are passed over.
    pub fn from_pem(text: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let blocks =
            pem::decode(text.as_ref()).map_err(|error| KeyError::Unsupported(error.to_string()))?;
        let unsupported = |why: &str| Err(KeyError::Unsupported(why.to_owned()));
        for block in blocks {
            let der = Zeroizing::new(block.der);
            match block.label.as_str() {
                "PRIVATE KEY" => return Self::from_pkcs8(&der),
                "RSA PRIVATE KEY" => {
                    let pair = RsaKeyPair::from_der(&der).map_err(|_| KeyError::Malformed)?;
                    return Self::rsa(pair);
                }
                "EC PRIVATE KEY" => return Self::from_sec1(&der),
                "ENCRYPTED PRIVATE KEY" => return unsupported("decrypt it first"),
                _ => (),
            }
        }
        unsupported("the PEM text holds no private key")
    }

    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        // The curve may be missing here (RFC 5915 section 3), so each is tried.
        [&P256, &P384]
            .into_iter()
            .find_map(|curve| {
                let pair = EcdsaKeyPair::from_private_key_der(curve.0, der).ok()?;
                Self::ecdsa(pair, curve).ok()
            })
            .ok_or(KeyError::Malformed)
    }

    /// The PrivateKeyInfo in DER, for sealing and for export.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        const ERROR: KeyError = KeyError::Provider("write the private key");
        let octets = match &self.pair {
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| ERROR)?;
                der.as_ref().to_vec()
            }
            Pair::Ecdsa(pair, _) => pair.to_pkcs8v1().map_err(|_| ERROR)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(|_| ERROR)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(octets))
    }

    /// The PrivateKeyInfo in PEM.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = self.to_pkcs8()?;
        Ok(Zeroizing::new(pem::encode(pem::PRIVATE_KEY, &der)))
    }

    fn rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let public = PublicKey::from_rsa_public_key_der(pair.public_key().as_ref());
        Self::new(Pair::Rsa(pair), public.ok())
    }

    fn ecdsa(pair: EcdsaKeyPair, curve: &Curve) -> Result<Self, KeyError> {
        let public = PublicKey::from_ec_point(&curve.1, pair.public_key().as_ref());
        Self::new(Pair::Ecdsa(pair, curve.2), public.ok())
    }

    fn ed25519(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = PublicKey::from_ed25519(pair.public_key().as_ref());
        Self::new(Pair::Ed25519(pair), public.ok())
    }

    fn new(pair: Pair, public: Option<PublicKey>) -> Result<Self, KeyError> {
        let public = public.ok_or(KeyError::Malformed)?;
        Ok(Self { pair, public })
    }
}

impl SigningKey for LocalKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        match &self.pair {
            Pair::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Pair::Ecdsa(_, algorithm) => *algorithm,
            Pair::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        const ERROR: KeyError = KeyError::Provider("sign");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &provider::RSA_PKCS1_SHA256,
                    &random,
                    message,
                    &mut signature,
                )
                .map_err(|_| ERROR)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair, _) => {
                let signature = pair.sign(&random, message).map_err(|_| ERROR)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(|_| ERROR)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

struct Curve(&'static EcdsaSigningAlgorithm, KeyKind, SignatureAlgorithm);

static P256: Curve = Curve(
    &provider::ECDSA_P256_SHA256_ASN1_SIGNING,
    KeyKind::EcP256,
    SignatureAlgorithm::EcdsaSha256,
);

static P384: Curve = Curve(
    &provider::ECDSA_P384_SHA384_ASN1_SIGNING,
    KeyKind::EcP384,
    SignatureAlgorithm::EcdsaSha384,
);

fn curve(parameters: Option<&[u8]>) -> Result<&'static Curve, KeyError> {
    match parameters {
        Some(oid) if oid == oid::P256.as_bytes() => Ok(&P256),
        Some(oid) if oid == oid::P384.as_bytes() => Ok(&P384),
        Some(_) | None => Err(KeyError::Unsupported(
            "its curve is neither P-256 nor P-384".to_owned(),
        )),
    }
}

/// The algorithm's identifier and, if the parameters are one too, the curve's.
fn private_key_algorithm(der: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut fields = Reader::single(der).ok()?.open(tag::SEQUENCE).ok()?;
    fields.small().ok()?;
    let mut algorithm = fields.sequence().ok()?;
    Some((algorithm.oid().ok()?, algorithm.oid().ok()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn a_key_signs_and_reads_back(
        #[values(
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Ed25519
        )]
        algorithm: KeyAlgorithm,
    ) {
        let key = LocalKey::generate(algorithm).unwrap();
        assert_eq!(key.public_key().kind(), &KeyKind::from(algorithm));
        let again = LocalKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let signature = again.sign(b"message").unwrap();
        let verify = |message: &[u8]| {
            key.public_key()
                .verify(key.signature_algorithm(), message, &signature)
        };
        assert!(verify(b"message").is_ok());
        assert!(verify(b"massage").is_err());
    }

    #[test]
    fn debug_shows_nothing_private() {
        let key = LocalKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let private = key.to_pkcs8().unwrap();
        let seed = data_encoding::HEXLOWER.encode(&private[16..48]);
        assert!(!format!("{key:?}").contains(&seed[..8]));
    }

    #[rstest]
    #[case::garbage(b"\x30\x03\x02\x01\x00")]
    #[case::empty(b"")]
    fn octets_that_are_no_key_are_refused(#[case] der: &[u8]) {
        assert!(LocalKey::from_pkcs8(der).is_err());
    }
}
