//! Rules for extensions as such: known, not repeated, critical exactly where they should be.

use const_oid::ObjectIdentifier;

use super::tbs::{Extension, Tbs};
use super::{CertificateKind, Findings, LintContext};
use crate::oid;

/// Nothing is signed whose meaning is not known here: neither a precertificate poison nor an
/// extension that came in with a CSR.
pub(super) fn unknown_extensions(
    tbs: &Tbs<'_>,
    context: &LintContext<'_>,
    findings: &mut Findings,
) {
    if tbs.extensions.is_empty() {
        findings.error("extensions.missing", "the certificate has no extensions");
    }
    for extension in &tbs.extensions {
        let is_known = CRITICALITY.iter().any(|(oid, _)| extension.is(oid));
        if !is_known && !is_decided(extension, context) {
            let message = format!("extension {} is not known here", name(extension));
            match extension.critical {
                true => findings.error("extension.unknown", message),
                false => findings.warning("extension.unknown", message),
            }
        }
    }
    // Whoever holds such a certificate could answer tls-alpn-01 challenges with it.
    let answers_challenges = tbs.extension(&oid::EXT_ACME_IDENTIFIER).is_some();
    if answers_challenges && context.kind != CertificateKind::Other {
        findings.error(
            "extension.acme_identifier",
            "acmeIdentifier belongs into self-signed challenge certificates only",
        );
    }
}

fn is_decided(extension: &Extension<'_>, context: &LintContext<'_>) -> bool {
    context.extra_extensions.iter().any(|extra| {
        oid::from_text(&extra.oid).is_some_and(|oid| oid == extension.oid)
            && extra.critical == extension.critical
            && extra.der == extension.value
    })
}

/// What was decided on is there.
pub(super) fn extra_extensions(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    for extra in context.extra_extensions {
        let kind = oid::from_text(&extra.oid).unwrap_or_default();
        if !tbs.extensions.iter().any(|found| found.oid == kind) {
            findings.error(
                "extension.missing",
                format!("extension {} should be there and is not", extra.oid),
            );
        }
    }
}

/// RFC 5280 section 4.2: no extension more than once.
pub(super) fn repeated_extensions(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    for (position, extension) in tbs.extensions.iter().enumerate() {
        let earlier = &tbs.extensions[..position];
        if earlier.iter().any(|other| other.oid == extension.oid) {
            findings.error(
                "extension.repeated",
                format!("extension {} is there more than once", name(extension)),
            );
        }
    }
}

pub(super) fn criticality(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    let subject_is_empty = tbs.subject.len() == 2;
    for extension in &tbs.extensions {
        let Some((_, rule)) = CRITICALITY.iter().find(|(oid, _)| extension.is(oid)) else {
            continue;
        };
        let (wanted, why) = match rule {
            Critical::Always => (true, "must be critical"),
            Critical::Never => (false, "must not be critical"),
            Critical::InCas if tbs.is_ca => (true, "must be critical in a CA's certificate"),
            Critical::InCas => continue,
            Critical::WithoutSubject => (
                subject_is_empty,
                "must be critical exactly if the subject is empty",
            ),
        };
        if extension.critical != wanted {
            findings.error(
                "extension.criticality",
                format!("extension {} {why}", name(extension)),
            );
        }
    }
}

#[derive(Clone, Copy)]
enum Critical {
    Always,
    Never,
    InCas,
    WithoutSubject,
}

/// Every extension that is signed here, and when it is critical (RFC 5280 section 4.2.1).
const CRITICALITY: [(ObjectIdentifier, Critical); 13] = [
    (oid::EXT_BASIC_CONSTRAINTS, Critical::InCas),
    (oid::EXT_KEY_USAGE, Critical::Always),
    (oid::EXT_EXTENDED_KEY_USAGE, Critical::Never),
    (oid::EXT_SUBJECT_KEY_IDENTIFIER, Critical::Never),
    (oid::EXT_AUTHORITY_KEY_IDENTIFIER, Critical::Never),
    (oid::EXT_NAME_CONSTRAINTS, Critical::Always),
    (oid::EXT_SUBJECT_ALT_NAME, Critical::WithoutSubject),
    (oid::EXT_CERTIFICATE_POLICIES, Critical::Never),
    (oid::EXT_CRL_DISTRIBUTION_POINTS, Critical::Never),
    (oid::EXT_AUTHORITY_INFO_ACCESS, Critical::Never),
    (oid::EXT_OCSP_NO_CHECK, Critical::Never),
    (oid::EXT_TLS_FEATURE, Critical::Never),
    (oid::EXT_ACME_IDENTIFIER, Critical::Always),
];

fn name(extension: &Extension<'_>) -> String {
    oid::to_text(extension.oid).unwrap_or_else(|| "(unnamed)".to_owned())
}
