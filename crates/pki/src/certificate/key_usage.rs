//! The key usage bits, RFC 5280 section 4.2.1.3.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::asn1::{DerError, Reader, Writer, tag};

/// A set of key usages; in JSON a list of the names of RFC 5280, such as `digitalSignature`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<&'static str>", try_from = "Vec<String>")]
pub struct KeyUsage(u16);

/// A text that names no key usage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key usage: use digitalSignature, keyEncipherment, keyCertSign, cRLSign, …")]
pub struct ParseKeyUsageError(String);

impl KeyUsage {
    /// No usage at all: the extension is left out.
    pub const EMPTY: Self = Self(0);
    /// Signatures other than on certificates and CRLs
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// nonRepudiation, also called contentCommitment
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// RSA key transport
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// Encryption of data itself
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Diffie-Hellman
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Signatures on certificates
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Signatures on CRLs
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// With keyAgreement: only to encrypt
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// With keyAgreement: only to decrypt
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// The bits with bit 0 (digitalSignature) lowest.
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all usages of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any usage of `other` is in this set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The usages of both, usable in constants.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The usages of this set that are not in `other`.
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of the usages in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .into_iter()
            .filter(move |(_, usage)| self.contains(*usage))
            .map(|(name, _)| name)
    }

    /// The extension's value.
    pub fn to_der(self) -> Vec<u8> {
        Writer::encode(|w| w.named_bits(self.0))
    }

    /// Reads the BIT STRING; bits beyond those of RFC 5280 are ignored.
    pub(crate) fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(der);
        let bits = reader.expect(tag::BIT_STRING)?;
        reader.finish()?;
        match bits.content {
            [0..=7, first, rest @ ..] => {
                let second = rest.first().copied().unwrap_or(0);
                Ok(Self(
                    u16::from_be_bytes([*first, second]).reverse_bits() & 0x1ff,
                ))
            }
            [0] => Ok(Self::EMPTY),
            _ => Err(DerError::Content("BIT STRING")),
        }
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for KeyUsage {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl FromIterator<KeyUsage> for KeyUsage {
    fn from_iter<I: IntoIterator<Item = Self>>(usages: I) -> Self {
        usages.into_iter().fold(Self::EMPTY, Self::union)
    }
}

impl FromStr for KeyUsage {
    type Err = ParseKeyUsageError;

    /// One usage by its name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, usage)| usage)
            .ok_or_else(|| ParseKeyUsageError(text.to_owned()))
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsage({self})")
    }
}

impl From<KeyUsage> for Vec<&'static str> {
    fn from(usage: KeyUsage) -> Self {
        usage.names().collect()
    }
}

impl TryFrom<Vec<String>> for KeyUsage {
    type Error = ParseKeyUsageError;

    fn try_from(names: Vec<String>) -> Result<Self, Self::Error> {
        names.iter().map(|name| name.parse()).collect()
    }
}

const NAMES: [(&str, KeyUsage); 9] = [
    ("digitalSignature", KeyUsage::DIGITAL_SIGNATURE),
    ("nonRepudiation", KeyUsage::NON_REPUDIATION),
    ("keyEncipherment", KeyUsage::KEY_ENCIPHERMENT),
    ("dataEncipherment", KeyUsage::DATA_ENCIPHERMENT),
    ("keyAgreement", KeyUsage::KEY_AGREEMENT),
    ("keyCertSign", KeyUsage::KEY_CERT_SIGN),
    ("cRLSign", KeyUsage::CRL_SIGN),
    ("encipherOnly", KeyUsage::ENCIPHER_ONLY),
    ("decipherOnly", KeyUsage::DECIPHER_ONLY),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Writer;

    #[test]
    fn every_set_reads_back_from_der_and_names() {
        for bits in 0..=0x1ff {
            let usage = KeyUsage(bits);
            let der = Writer::encode(|w| w.named_bits(usage.bits()));
            assert_eq!(KeyUsage::read(&der), Ok(usage));
            let names = usage.names().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(KeyUsage::try_from(names), Ok(usage));
        }
    }
}
