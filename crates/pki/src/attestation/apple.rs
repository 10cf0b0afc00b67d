//! The format `apple`: Managed Device Attestation. Apple's servers see the token only.

use aws_lc_rs::constant_time;
use aws_lc_rs::digest;

use super::cbor::Value;
use super::{AttestationError, AttestationFormat, Attested, Expectation, Freshness, path};
use crate::asn1::Reader;
use crate::certificate::Certificate;
use crate::name::PermanentIdentifier;
use crate::oid;

pub(super) fn verify(
    statement: &Value,
    expected: &Expectation<'_>,
) -> Result<Attested, AttestationError> {
    let path = path::of_statement(statement, AttestationFormat::Apple, expected)?;
    if let Freshness::Challenge { token, .. } = expected.freshness {
        let fresh = digest::digest(&digest::SHA256, token.as_bytes());
        match values(&path.leaf, NONCE).as_slice() {
            [nonce] if constant_time::verify_slices_are_equal(nonce, fresh.as_ref()).is_ok() => {}
            _ => return Err(AttestationError::OtherChallenge),
        }
    }
    let names: Vec<PermanentIdentifier> = [SERIAL, UDID]
        .into_iter()
        .flat_map(|kind| values(&path.leaf, kind))
        .filter_map(text)
        .collect();
    let key = path.leaf.public_key.clone();
    let mut attested = super::attested(AttestationFormat::Apple, key, path);
    attested.permanent.extend(names);
    Ok(attested)
}

fn values<'a>(leaf: &'a Certificate, kind: &str) -> Vec<&'a [u8]> {
    let kind = oid::from_text(kind).unwrap_or_default();
    let found = leaf.extension_values(&kind).into_iter();
    found.map(|(_, value)| value).collect()
}

/// The text of an extension: a string of DER, or its octets as they are.
fn text(value: &[u8]) -> Option<PermanentIdentifier> {
    let read = Reader::single(value).ok().and_then(|element| {
        let text = element.text().ok()?;
        Some(text.into_owned())
    });
    let text = read.or_else(|| std::str::from_utf8(value).ok().map(str::to_owned))?;
    PermanentIdentifier::plain(&text).ok()
}

const SERIAL: &str = "1.2.840.113635.100.8.9.1";
const UDID: &str = "1.2.840.113635.100.8.9.2";
const NONCE: &str = "1.2.840.113635.100.8.11.1";
