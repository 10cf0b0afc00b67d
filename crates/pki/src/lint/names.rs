//! Rules for subjectAltName, RFC 5280 section 4.2.1.6.

use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext, dns};
use crate::name::GeneralName;
use crate::oid;

pub(super) fn presence(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let extension = tbs.extension(&oid::EXT_SUBJECT_ALT_NAME);
    if extension.is_some() && tbs.names.is_empty() {
        findings.error("san.empty", "subjectAltName is there but holds no name");
    }
    let needed = match context.kind {
        CertificateKind::TlsServer | CertificateKind::Email => true,
        CertificateKind::TlsClient
        | CertificateKind::CodeSigning
        | CertificateKind::Device
        | CertificateKind::Other => tbs.subject.len() == 2,
        CertificateKind::CaCertificate | CertificateKind::OcspResponder => false,
    };
    if extension.is_none() && needed {
        findings.error(
            "san.missing",
            "the certificate has no subject alternative name",
        );
    }
}

/// A TLS server is found by DNS name or address; other forms are unusual beside them, and an e-mail
/// certificate without address is none.
pub(super) fn forms(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let is_host = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
    match context.kind {
        CertificateKind::TlsServer => {
            if !tbs.names.is_empty() && !tbs.names.iter().any(is_host) {
                findings.warning(
                    "san.form",
                    "no subject alternative name is a DNS name or an IP address",
                );
            }
        }
        CertificateKind::Email => {
            let is_email = |name: &GeneralName| matches!(name, GeneralName::Email(_));
            if !tbs.names.iter().any(is_email) {
                findings.error(
                    "san.form",
                    "no subject alternative name is an e-mail address",
                );
            }
        }
        CertificateKind::TlsClient
        | CertificateKind::CodeSigning
        | CertificateKind::Device
        | CertificateKind::CaCertificate
        | CertificateKind::OcspResponder
        | CertificateKind::Other => (),
    }
}

pub(super) fn syntax(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    for name in &tbs.names {
        match name {
            GeneralName::Dns(text) => {
                if let Some(fault) = dns::fault(text) {
                    findings.error("san.dns", format!("the DNS name `{text}` {fault}"));
                }
            }
            GeneralName::Email(text) if !is_mailbox(text) => {
                findings.error("san.email", format!("`{text}` is not an e-mail address"));
            }
            // RFC 5280 wants an absolute URI with an authority, if its scheme has one.
            GeneralName::Uri(text) if !has_scheme(text) => {
                findings.error("san.uri", format!("`{text}` is not an absolute URI"));
            }
            GeneralName::Email(_)
            | GeneralName::Uri(_)
            | GeneralName::Ip(_)
            | GeneralName::Directory(_)
            | GeneralName::Other { .. } => (),
        }
    }
}

pub(super) fn repeated(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    let mut sorted: Vec<String> = tbs
        .names
        .iter()
        .filter_map(|name| match name {
            GeneralName::Dns(text) => Some(text.to_ascii_lowercase()),
            GeneralName::Ip(address) => Some(address.to_string()),
            GeneralName::Email(_)
            | GeneralName::Uri(_)
            | GeneralName::Directory(_)
            | GeneralName::Other { .. } => None,
        })
        .collect();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        if let [one, other] = pair
            && one == other
        {
            findings.warning("san.repeated", format!("`{one}` is named more than once"));
        }
    }
}

fn is_mailbox(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && local.len() <= 64
            && !local.contains([' ', '@', '<', '>', ','])
            && !host.starts_with("*.")
            && dns::fault(host).is_none()
    })
}

fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
            && !rest.is_empty()
            && !rest.contains(' ')
    })
}
