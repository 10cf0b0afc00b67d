//! Rules for code signing: what no such certificate may be, and the Code Signing Baseline
//! Requirements for those that claim to meet them by the CA/Browser Forum's policy identifiers.

use std::time::Duration;

use super::fields::period;
use super::subject::for_each_attribute;
use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::certificate::{ExtendedKeyUsage, KeyUsage};
use crate::key::{KeyKind, PublicKey};
use crate::oid;

pub(super) fn requirements(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if context.kind != CertificateKind::CodeSigning {
        return;
    }
    // Section 7.1.2.3.f.
    for purpose in FOREIGN.iter().filter(|purpose| tbs.has_purpose(purpose)) {
        findings.error(
            "code_signing.eku",
            format!("a certificate for code must not be one for {purpose}, too"),
        );
    }
    // Section 7.1.2.3.e.
    if let Some(usage) = tbs.key_usage
        && usage != KeyUsage::DIGITAL_SIGNATURE
    {
        findings.error(
            "code_signing.key_usage",
            "the key usage is digitalSignature and nothing else",
        );
    }
    if tbs.subject.len() == 2 {
        findings.error(
            "code_signing.subject",
            "the subject is empty, so nobody could see who signed",
        );
    }
    if tbs.policies.iter().any(|policy| POLICIES.contains(policy)) {
        claimed(tbs, findings);
    }
}

fn claimed(tbs: &Tbs<'_>, findings: &mut Findings) {
    // Section 6.3.2, since 1 March 2026.
    if let Some((start, end)) = period(tbs.not_before, tbs.not_after)
        && end.since(start) >= Duration::from_secs(460 * 86_400)
    {
        findings.error(
            "code_signing.validity",
            "the validity is longer than 460 days, both ends counted",
        );
    }
    // Section 6.1.5.2.
    if let Ok(key) = PublicKey::from_spki_der(tbs.spki)
        && matches!(key.kind(), KeyKind::Rsa { bits } if *bits < 3072)
    {
        findings.error("code_signing.key", "an RSA key has at least 3072 bits");
    }
    subject(tbs, findings);
    // Sections 7.1.2.3.b and .c.
    for (extension, what) in [
        (oid::EXT_CRL_DISTRIBUTION_POINTS, "no CRL is named"),
        (
            oid::EXT_AUTHORITY_INFO_ACCESS,
            "authority information access is missing",
        ),
    ] {
        if tbs.extension(&extension).is_none() {
            findings.error("code_signing.revocation", what);
        }
    }
}

/// Section 7.1.4.2.
fn subject(tbs: &Tbs<'_>, findings: &mut Findings) {
    let mut present = Vec::new();
    // A subject that cannot be read is reported by `subject.malformed`.
    let _ = for_each_attribute(tbs.subject, |kind, _| present.push(kind.to_vec()));
    let has = |oid: &const_oid::ObjectIdentifier| {
        present.iter().any(|kind| kind.as_slice() == oid.as_bytes())
    };
    for (attribute, name) in [
        (oid::COMMON_NAME, "commonName"),
        (oid::ORGANIZATION, "organizationName"),
        (oid::COUNTRY, "countryName"),
    ] {
        if !has(&attribute) {
            findings.error("code_signing.subject", format!("the subject has no {name}"));
        }
    }
    if !has(&oid::LOCALITY) && !has(&oid::STATE) {
        findings.error(
            "code_signing.subject",
            "the subject has neither localityName nor stateOrProvinceName",
        );
    }
}

const FOREIGN: [ExtendedKeyUsage; 2] = [
    ExtendedKeyUsage::ServerAuth,
    ExtendedKeyUsage::EmailProtection,
];

/// 2.23.140.1.4.1 and, extended validation, 2.23.140.1.3.
const POLICIES: [&[u8]; 2] = [
    &[0x67, 0x81, 0x0c, 0x01, 0x04, 0x01],
    &[0x67, 0x81, 0x0c, 0x01, 0x03],
];
