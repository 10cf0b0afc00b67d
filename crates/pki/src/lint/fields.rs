//! Rules for the fields before the extensions, RFC 5280 section 4.1.

use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::asn1::{Tlv, tag};
use crate::key::{PublicKey, weak};
use crate::time::Timestamp;

pub(super) fn version(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    if tbs.version != Some(2) {
        findings.error(
            "version.not_v3",
            "a certificate with extensions has version 3",
        );
    }
    if tbs.has_unique_identifiers {
        findings.error(
            "version.unique_identifiers",
            "issuer and subject unique identifiers must not be written",
        );
    }
}

/// RFC 5280 section 4.1.2.2, and 64 random bits by TLS Baseline Requirements section 7.1.
pub(super) fn serial(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    match tbs.serial {
        [0] | [0x80..=0xff, ..] => {
            findings.error("serial.not_positive", "the serial number is not positive")
        }
        serial if serial.len() > 20 => {
            findings.error(
                "serial.too_long",
                "the serial number has more than 20 octets",
            );
        }
        serial if serial.len() < 8 => findings.error(
            "serial.predictable",
            "the serial number has fewer than 64 bits and cannot be random",
        ),
        _ => (),
    }
}

pub(super) fn signature_algorithm(
    tbs: &Tbs<'_>,
    context: &LintContext<'_>,
    findings: &mut Findings,
) {
    if tbs.signature != context.issuer.signature_algorithm.to_der() {
        findings.error(
            "signature.algorithm",
            format!(
                "the signature algorithm is not {} as the issuer's key signs, in its exact form",
                context.issuer.signature_algorithm
            ),
        );
    }
}

pub(super) fn issuer(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if tbs.issuer != context.issuer.subject_der {
        findings.error(
            "issuer.not_ca_subject",
            "the issuer name differs from the octets of the CA's subject",
        );
    }
    if context.issuer.subject_der.len() <= 2 {
        findings.error("issuer.empty", "the issuer name is empty");
    }
}

/// RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
pub(super) fn validity_form(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    for (field, element) in [("notBefore", tbs.not_before), ("notAfter", tbs.not_after)] {
        match element.time() {
            Err(_) => findings.error(
                "validity.form",
                format!("{field} is not a time in Zulu with seconds and without fraction"),
            ),
            Ok(instant) if element.tag != form(instant) => findings.error(
                "validity.form",
                format!("{field} is UTCTime until the year 2049 and GeneralizedTime after"),
            ),
            Ok(_) => (),
        }
    }
}

fn form(instant: Timestamp) -> u8 {
    match instant.civil().year() {
        1950..2050 => tag::UTC_TIME,
        _ => tag::GENERALIZED_TIME,
    }
}

pub(super) fn validity_period(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let Some((not_before, not_after)) = period(tbs.not_before, tbs.not_after) else {
        return;
    };
    if not_after < not_before {
        findings.error("validity.reversed", "the certificate ends before it begins");
    }
    if not_after > context.issuer_not_after {
        findings.error(
            "validity.outlives_issuer",
            format!(
                "the certificate ends at {not_after}, after its issuer at {}",
                context.issuer_not_after
            ),
        );
    }
}

/// Both times, if both can be read.
pub(super) fn period(not_before: Tlv<'_>, not_after: Tlv<'_>) -> Option<(Timestamp, Timestamp)> {
    Some((not_before.time().ok()?, not_after.time().ok()?))
}

pub(super) fn key(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    match PublicKey::from_spki_der(tbs.spki) {
        Err(error) => findings.error("key.malformed", error.to_string()),
        Ok(key) => {
            if let Err(error) = weak::check(&key) {
                findings.error("key.weak", error.to_string());
            }
            if context.kind != CertificateKind::CaCertificate
                && tbs.subject == context.issuer.subject_der
            {
                findings.error(
                    "subject.is_issuer",
                    "only a CA's certificate may have its issuer's name as subject",
                );
            }
        }
    }
}
