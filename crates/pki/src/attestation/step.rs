//! The format `step`: a key in a security key, which its maker's certificate attests, signs the key
//! authorization.

use super::cbor::Value;
use super::{AttestationError, AttestationFormat, Attested, Expectation, Freshness, path};
use crate::asn1::{Reader, tag};
use crate::key::SignatureAlgorithm;
use crate::name::PermanentIdentifier;
use crate::oid;

pub(super) fn verify(
    statement: &Value,
    expected: &Expectation<'_>,
) -> Result<Attested, AttestationError> {
    let path = path::of_statement(statement, AttestationFormat::Step, expected)?;
    if let Freshness::Challenge {
        key_authorization, ..
    } = expected.freshness
    {
        check_signature(statement, &path, key_authorization)?;
    }
    Ok(of_path(path))
}

fn check_signature(
    statement: &Value,
    path: &path::Path,
    key_authorization: &str,
) -> Result<(), AttestationError> {
    let signature = statement.member("sig").and_then(Value::as_octets);
    let signature = signature.ok_or(AttestationError::Member("sig"))?;
    // Clients write the signature as CBOR inside the octets; the draft's text can be read either way.
    let inner = match Value::read(signature) {
        Ok(Value::Octets(inner)) => inner,
        Ok(_) | Err(_) => signature.to_vec(),
    };
    let key = &path.leaf.public_key;
    let algorithm = match statement.member("alg").map(Value::as_integer) {
        Some(Some(-7)) => SignatureAlgorithm::EcdsaSha256,
        Some(Some(-35)) => SignatureAlgorithm::EcdsaSha384,
        Some(Some(-257)) => SignatureAlgorithm::RsaSha256,
        Some(Some(-8)) => SignatureAlgorithm::Ed25519,
        Some(Some(other)) => return Err(AttestationError::Algorithm(other)),
        Some(None) | None => return Err(AttestationError::Member("alg")),
    };
    key.verify(algorithm, key_authorization.as_bytes(), &inner)
        .map_err(|_| AttestationError::Signature)
}

/// What a security key's certificate says: beside its names, the serial number.
pub(super) fn of_path(path: path::Path) -> Attested {
    let serial = oid::from_text(SERIAL).unwrap_or_default();
    let numbers: Vec<PermanentIdentifier> = path
        .leaf
        .extension_values(&serial)
        .into_iter()
        .filter_map(|(_, value)| number(value))
        .collect();
    let key = path.leaf.public_key.clone();
    let mut attested = super::attested(AttestationFormat::Step, key, path);
    attested.permanent.extend(numbers);
    attested
}

/// The serial number as people read it off the device: decimal.
fn number(der: &[u8]) -> Option<PermanentIdentifier> {
    let content = Reader::single(der).ok()?;
    if content.tag != tag::INTEGER {
        return None;
    }
    let octets = match content.content {
        [0, rest @ ..] if !rest.is_empty() => rest,
        content => content,
    };
    if octets.is_empty() || octets.len() > 8 {
        return None;
    }
    let number = octets
        .iter()
        .fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
    PermanentIdentifier::plain(&number.to_string()).ok()
}

/// The device's serial number in the attestation certificates of YubiKeys.
const SERIAL: &str = "1.3.6.1.4.1.41482.3.7";
