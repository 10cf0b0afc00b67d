//! Rules for what a key may do, RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12.

use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::asn1::Reader;
use crate::certificate::{ExtendedKeyUsage, KeyUsage};
use crate::oid;

pub(super) fn basic_constraints(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let should_be_ca = context.kind == CertificateKind::CaCertificate;
    if tbs.is_ca != should_be_ca {
        let message = match should_be_ca {
            true => "a CA's certificate must say so in basicConstraints",
            false => "the certificate would be a CA's",
        };
        findings.error("basic_constraints.ca", message);
    }
    if tbs.path_len.is_some() && !tbs.is_ca {
        findings.error(
            "basic_constraints.path_len",
            "only a CA's certificate has a path length",
        );
    }
}

pub(super) fn key_usage(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let Some(usage) = tbs.key_usage else {
        if context.kind != CertificateKind::Other {
            findings.error("key_usage.missing", "the certificate has no key usage");
        }
        return;
    };
    if usage.is_empty() || has_trailing_zeros(tbs) {
        findings.error(
            "key_usage.bits",
            "key usage has no bit set, or is not in the shortest form",
        );
    }
    let signs_as_ca = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
    if context.kind == CertificateKind::CaCertificate {
        if !usage.contains(KeyUsage::KEY_CERT_SIGN) {
            findings.error("key_usage.ca", "a CA's key usage must have keyCertSign");
        }
        // RFC 10007: whoever checks a CRL must find cRLSign.
        if !usage.contains(KeyUsage::CRL_SIGN) {
            findings.warning("key_usage.ca", "without cRLSign the CA cannot sign CRLs");
        }
    } else if usage.intersects(signs_as_ca) {
        findings.error(
            "key_usage.not_ca",
            "keyCertSign and cRLSign are for CAs' certificates only",
        );
    }
    let half = KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
    if usage.intersects(half) && !usage.contains(KeyUsage::KEY_AGREEMENT) {
        findings.error(
            "key_usage.agreement",
            "encipherOnly and decipherOnly mean nothing without keyAgreement",
        );
    }
    let only_signs = usage == KeyUsage::DIGITAL_SIGNATURE;
    if context.kind == CertificateKind::OcspResponder && !only_signs {
        findings.error(
            "key_usage.responder",
            "an OCSP responder's key usage is digitalSignature and nothing else",
        );
    }
}

/// X.690 section 11.2.2: the last octet ends with a set bit.
fn has_trailing_zeros(tbs: &Tbs<'_>) -> bool {
    let value = tbs.extension(&oid::EXT_KEY_USAGE).map(|found| found.value);
    let content = value.and_then(|value| Reader::single(value).ok());
    match content.map(|element| element.content) {
        Some([unused @ 0..=7, .., last]) => last.trailing_zeros() != u32::from(*unused),
        Some(_) | None => true,
    }
}

/// What a key cannot do it must not promise: RFC 8813 section 3 for EC, RFC 9295 section 3 for
/// Ed25519.
pub(super) fn key_usage_of_key(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    let Some(usage) = tbs.key_usage else { return };
    let enciphers = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT;
    let agrees = KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
    let Some(algorithm) = spki_algorithm(tbs.spki) else {
        return;
    };
    let impossible = if algorithm == oid::EC_PUBLIC_KEY.as_bytes() {
        enciphers
    } else if algorithm == oid::ED25519.as_bytes() {
        enciphers | agrees
    } else if algorithm == oid::RSA.as_bytes() {
        agrees
    } else {
        KeyUsage::EMPTY
    };
    if usage.intersects(impossible) {
        let wrong = KeyUsage::difference(usage, KeyUsage::difference(usage, impossible));
        findings.error(
            "key_usage.key",
            format!("a key of this kind cannot be used for {wrong}"),
        );
    }
}

fn spki_algorithm(spki: &[u8]) -> Option<&[u8]> {
    Reader::new(spki)
        .sequence()
        .ok()?
        .sequence()
        .ok()?
        .oid()
        .ok()
}

pub(super) fn purposes(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let listed = tbs.purposes.as_deref().unwrap_or_default();
    if tbs.purposes.is_some() && listed.is_empty() {
        findings.error("eku.empty", "extKeyUsage is there but lists no purpose");
    }
    let needed = match context.kind {
        CertificateKind::TlsServer => Some(ExtendedKeyUsage::ServerAuth),
        CertificateKind::TlsClient => Some(ExtendedKeyUsage::ClientAuth),
        CertificateKind::Email => Some(ExtendedKeyUsage::EmailProtection),
        CertificateKind::CodeSigning => Some(ExtendedKeyUsage::CodeSigning),
        CertificateKind::OcspResponder => Some(ExtendedKeyUsage::OcspSigning),
        CertificateKind::Device | CertificateKind::CaCertificate | CertificateKind::Other => None,
    };
    if let Some(needed) = needed.filter(|needed| !listed.contains(needed)) {
        findings.error("eku.missing", format!("extKeyUsage does not list {needed}"));
    }
    let responder = context.kind == CertificateKind::OcspResponder;
    if responder && listed.len() > 1 {
        findings.error("eku.responder", "an OCSP responder has no other purpose");
    }
    if !responder && tbs.has_purpose(&ExtendedKeyUsage::OcspSigning) && !tbs.is_ca {
        findings.error(
            "eku.responder",
            "OCSPSigning would let it answer for the CA",
        );
    }
    let any = ExtendedKeyUsage::Other(oid::ANY_EXTENDED_KEY_USAGE.to_string());
    if listed.contains(&any) && !tbs.is_ca {
        findings.error("eku.any", "anyExtendedKeyUsage takes every limit away");
    }
    let repeated =
        |(position, purpose): (usize, &ExtendedKeyUsage)| listed[..position].contains(purpose);
    if listed.iter().enumerate().any(repeated) {
        findings.error("eku.repeated", "extKeyUsage lists a purpose more than once");
    }
}
