//! Message authentication by a shared secret, RFC 9481 section 6.1: PBMAC1 (RFC 8018) and the
//! older PasswordBasedMac (RFC 4210 section 5.1.3.1).

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use der::oid::ObjectIdentifier;
use pki::asn1::{Reader, Writer, tag};
use zeroize::Zeroizing;

use super::ProtectionError;

/// A hash under HMAC or to derive keys with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacHash {
    /// SHA-1, which older clients use and HMAC still bears
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// How the key is made from the secret, and the MAC with the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MacParameters {
    /// PasswordBasedMac
    PasswordBased {
        /// Makes the key another one each time.
        salt: Vec<u8>,
        /// The one-way function.
        hash: MacHash,
        /// How often it is applied.
        iterations: u32,
        /// The MAC.
        mac: MacHash,
    },
    /// PBMAC1 with PBKDF2
    Pbmac1 {
        /// Makes the key another one each time.
        salt: Vec<u8>,
        /// The pseudo-random function of PBKDF2.
        prf: MacHash,
        /// How often it is applied.
        iterations: u32,
        /// How many octets the key has.
        key_length: usize,
        /// The MAC.
        mac: MacHash,
    },
}

const PASSWORD_BASED_MAC: ObjectIdentifier = oid("1.2.840.113533.7.66.13");
const PBMAC1: ObjectIdentifier = oid("1.2.840.113549.1.5.14");
const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
/// What RFC 4210 calls HMAC-SHA1, by another name than PKCS #5 does.
const PKIX_HMAC_SHA1: ObjectIdentifier = oid("1.3.6.1.5.5.8.1.2");

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

impl MacHash {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    const fn digest_oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid("1.3.14.3.2.26"),
            Self::Sha256 => oid("2.16.840.1.101.3.4.2.1"),
            Self::Sha384 => oid("2.16.840.1.101.3.4.2.2"),
            Self::Sha512 => oid("2.16.840.1.101.3.4.2.3"),
        }
    }

    const fn hmac_oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid("1.2.840.113549.2.7"),
            Self::Sha256 => oid("1.2.840.113549.2.9"),
            Self::Sha384 => oid("1.2.840.113549.2.10"),
            Self::Sha512 => oid("1.2.840.113549.2.11"),
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn read_digest(fields: &mut Reader<'_>) -> Result<Self, ProtectionError> {
        let mut fields = fields.sequence()?;
        let kind = fields.oid()?;
        Self::ALL
            .into_iter()
            .find(|hash| hash.digest_oid().as_bytes() == kind)
            .ok_or_else(|| ProtectionError::algorithm(kind))
    }

    fn read_hmac(fields: &mut Reader<'_>) -> Result<Self, ProtectionError> {
        let mut fields = fields.sequence()?;
        let kind = fields.oid()?;
        if kind == PKIX_HMAC_SHA1.as_bytes() {
            return Ok(Self::Sha1);
        }
        Self::ALL
            .into_iter()
            .find(|hash| hash.hmac_oid().as_bytes() == kind)
            .ok_or_else(|| ProtectionError::algorithm(kind))
    }
}

impl MacParameters {
    /// PBMAC1 as RFC 9481 recommends it.
    pub fn pbmac1(salt: [u8; 16]) -> Self {
        Self::Pbmac1 {
            salt: salt.to_vec(),
            prf: MacHash::Sha256,
            iterations: ITERATIONS,
            key_length: 32,
            mac: MacHash::Sha256,
        }
    }

    /// PasswordBasedMac with SHA-256, for those who know no other.
    pub fn password_based(salt: [u8; 16]) -> Self {
        Self::PasswordBased {
            salt: salt.to_vec(),
            hash: MacHash::Sha256,
            iterations: ITERATIONS,
            mac: MacHash::Sha256,
        }
    }

    /// The same with another salt, to answer as one was asked.
    pub fn with_salt(&self, fresh: [u8; 16]) -> Self {
        let mut parameters = self.clone();
        match &mut parameters {
            Self::PasswordBased { salt, .. } | Self::Pbmac1 { salt, .. } => {
                *salt = fresh.to_vec();
            }
        }
        parameters
    }

    /// Reads an AlgorithmIdentifier; `None` if it is of no MAC.
    pub fn from_der(der: &[u8]) -> Result<Option<Self>, ProtectionError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let kind = fields.oid()?;
        let read = if kind == PASSWORD_BASED_MAC.as_bytes() {
            Self::read_password_based(fields.sequence()?)?
        } else if kind == PBMAC1.as_bytes() {
            Self::read_pbmac1(fields.sequence()?)?
        } else {
            return Ok(None);
        };
        fields.finish()?;
        read.check().map(Some)
    }

    fn read_password_based(mut fields: Reader<'_>) -> Result<Self, ProtectionError> {
        let salt = fields.octet_string()?.to_vec();
        let hash = MacHash::read_digest(&mut fields)?;
        let iterations = fields.small()?;
        let mac = MacHash::read_hmac(&mut fields)?;
        fields.finish()?;
        Ok(Self::PasswordBased {
            salt,
            hash,
            iterations,
            mac,
        })
    }

    fn read_pbmac1(mut fields: Reader<'_>) -> Result<Self, ProtectionError> {
        let mut derivation = fields.sequence()?;
        let kind = derivation.oid()?;
        if kind != PBKDF2.as_bytes() {
            return Err(ProtectionError::algorithm(kind));
        }
        let mut inner = derivation.sequence()?;
        derivation.finish()?;
        let salt = inner.octet_string()?.to_vec();
        let iterations = inner.small()?;
        let key_length = match inner.peek() {
            Some(tag::INTEGER) => Some(inner.small()?),
            Some(_) | None => None,
        };
        let prf = match inner.is_empty() {
            true => MacHash::Sha1,
            false => MacHash::read_hmac(&mut inner)?,
        };
        inner.finish()?;
        let mac = MacHash::read_hmac(&mut fields)?;
        fields.finish()?;
        let length = key_length.map_or(mac.digest().output_len(), |length| length as usize);
        Ok(Self::Pbmac1 {
            salt,
            prf,
            iterations,
            key_length: length,
            mac,
        })
    }

    /// Nobody who has not shown a secret makes us count for long (CVE-2024-36066 and its like), and
    /// nobody makes the key one that can be looked up.
    fn check(self) -> Result<Self, ProtectionError> {
        let (salt, iterations, key_length) = match &self {
            Self::PasswordBased {
                salt, iterations, ..
            } => (salt, *iterations, 32),
            Self::Pbmac1 {
                salt,
                iterations,
                key_length,
                ..
            } => (salt, *iterations, *key_length),
        };
        if !(8..=128).contains(&salt.len()) {
            return Err(ProtectionError::Salt(salt.len()));
        }
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(ProtectionError::Iterations(iterations));
        }
        match key_length {
            16..=128 => Ok(self),
            other => Err(ProtectionError::KeyLength(other)),
        }
    }

    /// The AlgorithmIdentifier in DER.
    pub fn to_der(&self) -> Vec<u8> {
        Writer::encode(|w| w.sequence(|w| self.encode(w)))
    }

    fn encode(&self, w: &mut Writer) {
        match self {
            Self::PasswordBased {
                salt,
                hash,
                iterations,
                mac,
            } => {
                w.oid(&PASSWORD_BASED_MAC);
                w.sequence(|w| {
                    w.octet_string(salt);
                    algorithm(w, &hash.digest_oid());
                    w.small(*iterations);
                    algorithm(w, &mac.hmac_oid());
                });
            }
            Self::Pbmac1 {
                salt,
                prf,
                iterations,
                key_length,
                mac,
            } => {
                w.oid(&PBMAC1);
                w.sequence(|w| {
                    w.sequence(|w| {
                        w.oid(&PBKDF2);
                        w.sequence(|w| {
                            w.octet_string(salt);
                            w.small(*iterations);
                            w.unsigned(&key_length.to_be_bytes());
                            algorithm(w, &prf.hmac_oid());
                        });
                    });
                    algorithm(w, &mac.hmac_oid());
                });
            }
        }
    }

    /// The MAC of a message. Takes a moment: thousands of iterations.
    pub fn sign(&self, secret: &[u8], message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key(secret), message).as_ref().to_vec()
    }

    /// Whether the MAC was made with this secret, compared in constant time.
    pub fn accepts(&self, secret: &[u8], message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.key(secret), message, mac).is_ok()
    }

    fn key(&self, secret: &[u8]) -> hmac::Key {
        match self {
            Self::PasswordBased {
                salt,
                hash,
                iterations,
                mac,
            } => {
                let mut key = Zeroizing::new([secret, salt].concat());
                for _ in 0..*iterations {
                    let digest = digest::digest(hash.digest(), &key);
                    key = Zeroizing::new(digest.as_ref().to_vec());
                }
                hmac::Key::new(mac.hmac(), &key)
            }
            Self::Pbmac1 {
                salt,
                prf,
                iterations,
                key_length,
                mac,
            } => {
                let iterations = NonZeroU32::new(*iterations).unwrap_or(NonZeroU32::MIN);
                let mut key = Zeroizing::new(vec![0; *key_length]);
                pbkdf2::derive(prf.pbkdf2(), iterations, salt, secret, &mut key);
                hmac::Key::new(mac.hmac(), &key)
            }
        }
    }
}

/// AlgorithmIdentifier with NULL, which RFC 9481 and RFC 8018 have with these.
fn algorithm(w: &mut Writer, kind: &ObjectIdentifier) {
    w.sequence(|w| {
        w.oid(kind);
        w.null();
    });
}

/// What we use ourselves.
const ITERATIONS: u32 = 10_000;
/// RFC 4210 section 5.1.3.1 asks for 100 at least.
const MIN_ITERATIONS: u32 = 100;
const MAX_ITERATIONS: u32 = 100_000;
