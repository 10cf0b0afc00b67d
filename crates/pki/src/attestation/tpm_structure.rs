//! Structures of TPM 2.0 part 2, as far as a certified key needs them.

use aws_lc_rs::digest;

use super::AttestationError;
use crate::asn1::Writer;
use crate::key::{KeyKind, PublicKey};

/// A signature as X.509 writes it, of a TPMT_SIGNATURE or of what is one already: clients send both.
pub(super) fn signature(octets: &[u8]) -> Vec<u8> {
    read_signature(octets).unwrap_or_else(|_| octets.to_vec())
}

fn read_signature(octets: &[u8]) -> Result<Vec<u8>, AttestationError> {
    let mut reader = Structure { rest: octets };
    let scheme = reader.short()?;
    let _hash = reader.short()?;
    let signature = match scheme {
        RSASSA => reader.sized()?.to_vec(),
        ECDSA => {
            let (r, s) = (reader.sized()?, reader.sized()?);
            Writer::encode(|writer| {
                writer.sequence(|pair| {
                    pair.unsigned(r);
                    pair.unsigned(s);
                });
            })
        }
        _ => return Err(AttestationError::Tpm("the signature is of another kind")),
    };
    reader.finish()?;
    Ok(signature)
}

/// What of a TPMS_ATTEST of the kind certify is needed.
pub(super) struct Certified<'a> {
    pub(super) extra_data: &'a [u8],
    /// The hash algorithm and the digest of the key's public area.
    pub(super) name: &'a [u8],
}

impl<'a> Certified<'a> {
    pub(super) fn read(octets: &'a [u8]) -> Result<Self, AttestationError> {
        let mut reader = Structure { rest: octets };
        if reader.take(4)? != [0xff, b'T', b'C', b'G'] {
            return Err(AttestationError::Tpm("certInfo was not made by a TPM"));
        }
        if reader.short()? != ATTEST_CERTIFY {
            return Err(AttestationError::Tpm("certInfo certifies no key"));
        }
        let _signer = reader.sized()?;
        let extra_data = reader.sized()?;
        // clockInfo and firmwareVersion
        reader.take(17 + 8)?;
        let name = reader.sized()?;
        let _qualified = reader.sized()?;
        reader.finish()?;
        Ok(Self { extra_data, name })
    }
}

pub(super) fn is_name_of(name: &[u8], area: &[u8]) -> bool {
    let (algorithm, digest) = match name {
        [0x00, 0x0b, digest @ ..] => (&digest::SHA256, digest),
        [0x00, 0x0c, digest @ ..] => (&digest::SHA384, digest),
        [0x00, 0x0d, digest @ ..] => (&digest::SHA512, digest),
        _ => return false,
    };
    digest::digest(algorithm, area).as_ref() == digest
}

/// TPMT_PUBLIC of a signing key that was made in the TPM and cannot leave it.
pub(super) fn read_public_area(octets: &[u8]) -> Result<PublicKey, AttestationError> {
    let mut reader = Structure { rest: octets };
    let kind = reader.short()?;
    let _name_algorithm = reader.short()?;
    let attributes = reader.long()?;
    let bound = FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN;
    if attributes & bound != bound {
        return Err(AttestationError::NotBound);
    }
    let _policy = reader.sized()?;
    let key = match kind {
        RSA => rsa(&mut reader)?,
        ECC => ecc(&mut reader)?,
        _ => return Err(AttestationError::Tpm("the key is neither RSA nor ECC")),
    };
    reader.finish()?;
    Ok(key)
}

fn rsa(reader: &mut Structure<'_>) -> Result<PublicKey, AttestationError> {
    symmetric(reader)?;
    scheme(reader)?;
    let _bits = reader.short()?;
    let exponent = match reader.long()? {
        // The specification's way to say 65537.
        0 => 65_537,
        exponent => exponent,
    };
    let modulus = reader.sized()?;
    PublicKey::from_rsa_components(modulus, &exponent.to_be_bytes())
        .map_err(|_| AttestationError::Tpm("the RSA key is malformed"))
}

fn ecc(reader: &mut Structure<'_>) -> Result<PublicKey, AttestationError> {
    symmetric(reader)?;
    scheme(reader)?;
    let (kind, length): (KeyKind, usize) = match reader.short()? {
        0x0003 => (KeyKind::EcP256, 32),
        0x0004 => (KeyKind::EcP384, 48),
        0x0005 => (KeyKind::EcP521, 66),
        _ => return Err(AttestationError::Tpm("the key's curve is not taken")),
    };
    scheme(reader)?;
    let mut point = vec![4];
    for _ in 0..2 {
        let coordinate = reader.sized()?;
        let missing = length
            .checked_sub(coordinate.len())
            .ok_or(AttestationError::Tpm("a coordinate is too long"))?;
        point.extend(std::iter::repeat_n(0, missing));
        point.extend_from_slice(coordinate);
    }
    PublicKey::from_ec_point(&kind, &point)
        .map_err(|_| AttestationError::Tpm("the key is not on its curve"))
}

/// TPMT_SYM_DEF_OBJECT, which signing keys have none of.
fn symmetric(reader: &mut Structure<'_>) -> Result<(), AttestationError> {
    match reader.short()? {
        NULL => Ok(()),
        _ => reader.take(4).map(drop),
    }
}

/// A scheme with its hash, or none.
fn scheme(reader: &mut Structure<'_>) -> Result<(), AttestationError> {
    match reader.short()? {
        NULL => Ok(()),
        _ => reader.take(2).map(drop),
    }
}

/// Big-endian fields, one after the other.
struct Structure<'a> {
    rest: &'a [u8],
}

impl<'a> Structure<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], AttestationError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(AttestationError::Tpm("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn short(&mut self) -> Result<u16, AttestationError> {
        let octets = self.take(2)?;
        Ok(octets
            .iter()
            .fold(0, |number, octet| number << 8 | u16::from(*octet)))
    }

    fn long(&mut self) -> Result<u32, AttestationError> {
        let octets = self.take(4)?;
        Ok(octets
            .iter()
            .fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }

    fn sized(&mut self) -> Result<&'a [u8], AttestationError> {
        let length = self.short()?;
        self.take(usize::from(length))
    }

    fn finish(self) -> Result<(), AttestationError> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(AttestationError::Tpm("octets follow its end")),
        }
    }
}

/// TPM_ST_ATTEST_CERTIFY
const ATTEST_CERTIFY: u16 = 0x8017;
/// TPM_ALG_RSA
const RSA: u16 = 0x0001;
/// TPM_ALG_ECC
const ECC: u16 = 0x0023;
/// TPM_ALG_RSASSA
const RSASSA: u16 = 0x0014;
/// TPM_ALG_ECDSA
const ECDSA: u16 = 0x0018;
/// TPM_ALG_NULL
const NULL: u16 = 0x0010;
const FIXED_TPM: u32 = 1 << 1;
const FIXED_PARENT: u32 = 1 << 4;
const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
