//! Rules for the subject, RFC 5280 section 4.1.2.6 and appendix A.

use const_oid::ObjectIdentifier;

use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::asn1::{DerError, Reader, Tlv, tag};
use crate::name::GeneralName;
use crate::oid;

pub(super) fn attributes(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if context.kind == CertificateKind::CaCertificate && tbs.subject.len() == 2 {
        findings.error("subject.missing", "a CA's certificate needs a subject");
    }
    values(tbs.subject, findings);
}

/// Every value of a distinguished name by itself.
pub(super) fn values(subject: &[u8], findings: &mut Findings) {
    let walked = for_each_attribute(subject, |kind, value| {
        check_value(kind, value, findings);
    });
    if let Err(error) = walked {
        findings.error("subject.malformed", error.to_string());
    }
}

/// In a TLS server's certificate the common name repeats one of the alternative names; clients that
/// still look at it must not see a name that nobody proved.
pub(super) fn common_name(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    if context.kind != CertificateKind::TlsServer {
        return;
    }
    let mut seen = 0;
    let walked = for_each_attribute(tbs.subject, |kind, value| {
        if kind != oid::COMMON_NAME.as_bytes() {
            return;
        }
        seen += 1;
        let text = value.text().unwrap_or_default();
        if !tbs.names.iter().any(|name| is_named(name, &text)) {
            findings.error(
                "subject.common_name_not_in_san",
                format!("the common name `{text}` is none of the subject alternative names"),
            );
        }
    });
    if walked.is_ok() && seen > 1 {
        findings.error("subject.common_names", "there is more than one common name");
    }
}

fn is_named(name: &GeneralName, text: &str) -> bool {
    match name {
        GeneralName::Dns(dns) => dns.eq_ignore_ascii_case(text),
        GeneralName::Ip(address) => address.to_string() == text,
        GeneralName::Email(_)
        | GeneralName::Uri(_)
        | GeneralName::Directory(_)
        | GeneralName::Other { .. } => false,
    }
}

pub(super) fn for_each_attribute(
    name: &[u8],
    mut visit: impl FnMut(&[u8], Tlv<'_>),
) -> Result<(), DerError> {
    let mut rdns = Reader::single(name)?.open(tag::SEQUENCE)?;
    while !rdns.is_empty() {
        let mut members = Reader::new(rdns.expect(tag::SET)?.content);
        while {
            let mut attribute = members.sequence()?;
            visit(attribute.oid()?, attribute.read()?);
            attribute.finish()?;
            !members.is_empty()
        } {}
    }
    Ok(())
}

fn check_value(kind: &[u8], value: Tlv<'_>, findings: &mut Findings) {
    let name = || oid::to_text(kind).unwrap_or_default();
    let Ok(text) = value.text() else {
        findings.error(
            "subject.value",
            format!("attribute {} is no valid string", name()),
        );
        return;
    };
    let length = text.chars().count();
    if text.trim().is_empty() || text.trim().len() != text.len() {
        findings.error(
            "subject.value",
            format!("attribute {} is blank, or has blanks at its ends", name()),
        );
    }
    if text.chars().any(char::is_control) {
        findings.error(
            "subject.value",
            format!("attribute {} has control characters", name()),
        );
    }
    let bound = UPPER_BOUNDS.iter().find(|(oid, _)| oid.as_bytes() == kind);
    if let Some((_, bound)) = bound
        && length > *bound
    {
        findings.error(
            "subject.upper_bound",
            format!(
                "attribute {} has {length} characters; RFC 5280 allows {bound}",
                name()
            ),
        );
    }
    check_string_type(kind, value, length, findings);
}

fn check_string_type(kind: &[u8], value: Tlv<'_>, length: usize, findings: &mut Findings) {
    let is = |oid: &ObjectIdentifier| kind == oid.as_bytes();
    let allowed: &[u8] = if is(&oid::COUNTRY) || is(&oid::SERIAL_NUMBER) {
        &[tag::PRINTABLE_STRING]
    } else if is(&oid::EMAIL_ADDRESS) || is(&oid::DOMAIN_COMPONENT) {
        &[tag::IA5_STRING]
    } else {
        &[tag::UTF8_STRING, tag::PRINTABLE_STRING]
    };
    if !allowed.contains(&value.tag) {
        findings.error(
            "subject.string_type",
            format!(
                "attribute {} has a string type that RFC 5280 does not allow it",
                oid::to_text(kind).unwrap_or_default()
            ),
        );
    }
    let letters = value.content.iter().all(u8::is_ascii_uppercase);
    if is(&oid::COUNTRY) && !(length == 2 && letters) {
        findings.error(
            "subject.country",
            "the country is not a code of two capital letters (ISO 3166-1)",
        );
    }
}

const UPPER_BOUNDS: [(ObjectIdentifier, usize); 9] = [
    (oid::COMMON_NAME, 64),
    (oid::ORGANIZATION, 64),
    (oid::ORGANIZATIONAL_UNIT, 64),
    (oid::LOCALITY, 128),
    (oid::STATE, 128),
    (oid::SERIAL_NUMBER, 64),
    (oid::TITLE, 64),
    (oid::EMAIL_ADDRESS, 255),
    (oid::POSTAL_CODE, 40),
];
