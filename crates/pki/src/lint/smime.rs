//! Rules for S/MIME: what no mail certificate may be, and the S/MIME Baseline Requirements for those
//! that claim to meet them by one of the CA/Browser Forum's policy identifiers.

use std::time::Duration;

use super::authority::point_urls;
use super::fields::period;
use super::subject::for_each_attribute;
use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::certificate::{ExtendedKeyUsage, KeyUsage};
use crate::name::GeneralName;
use crate::oid;

pub(super) fn requirements(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if context.kind != CertificateKind::Email {
        return;
    }
    for purpose in FOREIGN.iter().filter(|purpose| tbs.has_purpose(purpose)) {
        findings.error(
            "smime.eku",
            format!("a certificate for mail must not be one for {purpose}, too"),
        );
    }
    let claims: Vec<(u8, u8)> = tbs.policies.iter().filter_map(|oid| claim(oid)).collect();
    match claims.as_slice() {
        [] => (),
        [(level, generation)] => claimed(tbs, *level, *generation, findings),
        _ => findings.error(
            "smime.policy",
            "more than one reserved policy identifier is claimed",
        ),
    }
}

/// The validation level and the generation in 2.23.140.1.5.<level>.<generation>.
fn claim(policy: &[u8]) -> Option<(u8, u8)> {
    match policy {
        [
            0x67,
            0x81,
            0x0c,
            0x01,
            0x05,
            level @ 1..=4,
            generation @ 1..=3,
        ] => Some((*level, *generation)),
        _ => None,
    }
}

fn claimed(tbs: &Tbs<'_>, level: u8, generation: u8, findings: &mut Findings) {
    // Section 7.1.6.1: legacy profiles ended on 15 July 2025.
    if generation == LEGACY {
        findings.error("smime.policy", "the legacy generation is no longer issued");
    }
    // Section 6.3.2.
    if let Some((start, end)) = period(tbs.not_before, tbs.not_after)
        && end.since(start) >= Duration::from_secs(825 * 86_400)
    {
        findings.error(
            "smime.validity",
            "the validity is longer than 825 days, both ends counted",
        );
    }
    purposes(tbs, generation, findings);
    usage(tbs, findings);
    names(tbs, findings);
    if level == MAILBOX {
        mailbox_subject(tbs, findings);
    }
    // Section 7.1.2.3.b.
    let urls = tbs
        .extension(&oid::EXT_CRL_DISTRIBUTION_POINTS)
        .and_then(|found| point_urls(found.value).ok())
        .unwrap_or_default();
    if !urls.iter().any(|url| url.starts_with("http://")) {
        findings.error("smime.crl", "no CRL is named with an http URL");
    }
}

/// Section 7.1.2.3.f.
fn purposes(tbs: &Tbs<'_>, generation: u8, findings: &mut Findings) {
    let listed = tbs.purposes.as_deref().unwrap_or_default();
    if generation == STRICT && listed.len() > 1 {
        findings.error("smime.eku", "a strict certificate has no other purpose");
    }
}

/// Section 7.1.2.3.e.
fn usage(tbs: &Tbs<'_>, findings: &mut Findings) {
    let Some(usage) = tbs.key_usage else { return };
    let signs_or_encrypts =
        KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT;
    if !usage.intersects(signs_or_encrypts) {
        findings.error(
            "smime.key_usage",
            "the key usage allows neither to sign nor to encrypt mail",
        );
    }
}

/// Section 7.1.4.2.1.
fn names(tbs: &Tbs<'_>, findings: &mut Findings) {
    let is_foreign = |name: &&GeneralName| match name {
        GeneralName::Email(_) | GeneralName::Directory(_) | GeneralName::Other { .. } => false,
        GeneralName::Dns(_) | GeneralName::Ip(_) | GeneralName::Uri(_) => true,
    };
    for name in tbs.names.iter().filter(is_foreign) {
        findings.error("smime.name", format!("`{name}` is no e-mail address"));
    }
}

/// Section 7.1.4.2.3: of a mailbox nothing is known but the mailbox.
fn mailbox_subject(tbs: &Tbs<'_>, findings: &mut Findings) {
    let allowed = [oid::COMMON_NAME, oid::EMAIL_ADDRESS, oid::SERIAL_NUMBER];
    let mut foreign = Vec::new();
    // A subject that cannot be read is reported by `subject.malformed`.
    let _ = for_each_attribute(tbs.subject, |kind, _| {
        if !allowed.iter().any(|one| one.as_bytes() == kind) {
            foreign.push(oid::to_text(kind).unwrap_or_default());
        }
    });
    for kind in foreign {
        findings.error(
            "smime.subject",
            format!("attribute {kind} says more than a validated mailbox"),
        );
    }
}

/// Section 7.1.2.3.f names what must not stand beside emailProtection.
const FOREIGN: [ExtendedKeyUsage; 3] = [
    ExtendedKeyUsage::ServerAuth,
    ExtendedKeyUsage::CodeSigning,
    ExtendedKeyUsage::TimeStamping,
];
const MAILBOX: u8 = 1;
const LEGACY: u8 = 1;
const STRICT: u8 = 3;
