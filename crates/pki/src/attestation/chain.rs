//! A chain of certificates in PEM, the first of which is a maker's about the key itself: what security
//! modules give for a key that was made in them.

use super::{AttestationError, AttestationFormat, Attested, Expectation, path, step};
use crate::certificate::Certificate;
use crate::pem;

/// Security keys give such a chain as well, without the signature that a challenge asks for.
pub(super) fn verify(
    text: &[u8],
    expected: &Expectation<'_>,
) -> Result<Attested, AttestationError> {
    let unreadable = |_| AttestationError::Member("certificates in PEM");
    let list = pem::decode_all(pem::CERTIFICATE, text).map_err(unreadable)?;
    if list.len() > path::MAX_PATH {
        return Err(AttestationError::Member("certificates in PEM"));
    }
    let mut certificates = Vec::with_capacity(list.len());
    for der in &list {
        certificates.push(Certificate::from_der(der)?);
    }
    let is_trusted = |format| expected.roots.iter().any(|(one, _)| *one == format);
    let by_hsm = match is_trusted(AttestationFormat::Hsm) {
        true => path::climb(certificates.clone(), AttestationFormat::Hsm, expected),
        false => Err(AttestationError::NotTaken(AttestationFormat::Hsm)),
    };
    match by_hsm {
        Ok(path) => {
            let key = path.leaf.public_key.clone();
            Ok(super::attested(AttestationFormat::Hsm, key, path))
        }
        Err(_) if is_trusted(AttestationFormat::Step) => {
            let path = path::climb(certificates, AttestationFormat::Step, expected)?;
            Ok(step::of_path(path))
        }
        Err(error) => Err(error),
    }
}
