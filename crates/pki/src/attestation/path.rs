//! The certificates of a statement, and the path from the first of them to a maker's root.

use super::cbor::Value;
use super::{AttestationError, AttestationFormat, Expectation};
use crate::certificate::{Certificate, KeyUsage};

/// A maker's certificate, and the root that is above it.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) leaf: Certificate,
    pub(super) root: Certificate,
}

/// The first certificate of `x5c`, if a path of valid certificates leads from it to a root that is
/// trusted for the format.
pub(super) fn of_statement(
    statement: &Value,
    format: AttestationFormat,
    expected: &Expectation<'_>,
) -> Result<Path, AttestationError> {
    let list = statement.member("x5c").and_then(Value::as_list);
    let list = list.ok_or(AttestationError::Member("x5c"))?;
    if list.len() > MAX_PATH {
        return Err(AttestationError::Member("x5c"));
    }
    let mut certificates = Vec::with_capacity(list.len());
    for value in list {
        let der = value.as_octets().ok_or(AttestationError::Member("x5c"))?;
        certificates.push(Certificate::from_der(der)?);
    }
    climb(certificates, format, expected)
}

/// Goes up from the first of the certificates (RFC 5280 section 6.1, as far as makers' paths need it).
pub(super) fn climb(
    certificates: Vec<Certificate>,
    format: AttestationFormat,
    expected: &Expectation<'_>,
) -> Result<Path, AttestationError> {
    let trusted = expected.roots.iter().filter(|(one, _)| *one == format);
    let roots: Vec<&Certificate> = trusted.map(|(_, root)| root).collect();
    if roots.is_empty() {
        return Err(AttestationError::NotTaken(format));
    }
    let mut certificates = certificates.into_iter();
    let leaf = certificates.next().ok_or(AttestationError::Member("x5c"))?;
    if leaf.is_ca {
        return Err(AttestationError::Purpose("it is a CA's"));
    }
    let others: Vec<Certificate> = certificates.collect();
    let mut current = &leaf;
    for below in 0..=MAX_PATH {
        check(current, expected)?;
        if let Some(root) = roots.iter().find(|root| issued(root, current)) {
            check_issuer(root, below)?;
            let root = (*root).clone();
            return Ok(Path { leaf, root });
        }
        match others.iter().find(|ca| ca.is_ca && issued(ca, current)) {
            Some(issuer) => {
                check_issuer(issuer, below)?;
                current = issuer;
            }
            None => break,
        }
    }
    Err(AttestationError::Untrusted(leaf.subject.to_string()))
}

fn issued(issuer: &Certificate, below: &Certificate) -> bool {
    issuer.subject_der == below.issuer_der && below.is_signed_by(issuer)
}

fn check(certificate: &Certificate, expected: &Expectation<'_>) -> Result<(), AttestationError> {
    let subject = || certificate.subject.to_string();
    if !(certificate.not_before..=certificate.not_after).contains(&expected.now) {
        return Err(AttestationError::NotValid(subject()));
    }
    match certificate.unknown_critical_extensions.is_empty() {
        true => Ok(()),
        false => Err(AttestationError::CriticalExtension(subject())),
    }
}

/// `below` is how many CAs there are between this one and the first certificate.
fn check_issuer(issuer: &Certificate, below: usize) -> Result<(), AttestationError> {
    let below = u32::try_from(below).unwrap_or(u32::MAX);
    let is_too_long = issuer.path_len.is_some_and(|most| below > most);
    let may_sign = issuer
        .key_usage
        .is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    match is_too_long || !may_sign {
        true => Err(AttestationError::NotIssuer(issuer.subject.to_string())),
        false => Ok(()),
    }
}

pub(super) const MAX_PATH: usize = 8;
