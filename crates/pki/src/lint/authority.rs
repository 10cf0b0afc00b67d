//! Rules for key identifiers and for where issuer, CRL and OCSP responder are found.

use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::asn1::{DerError, Reader, tag};
use crate::certificate::ExtendedKeyUsage;
use crate::name::GeneralName;
use crate::oid;

/// RFC 5280 section 4.2.1.1: always there, and by key identifier only.
pub(super) fn authority_key_identifier(
    tbs: &Tbs<'_>,
    context: &LintContext<'_>,
    findings: &mut Findings,
) {
    let Some(extension) = tbs.extension(&oid::EXT_AUTHORITY_KEY_IDENTIFIER) else {
        // A root may leave it out.
        if tbs.subject != tbs.issuer {
            findings.error("aki.missing", "the authority key identifier is missing");
        }
        return;
    };
    let key_identifier = || {
        let mut fields = Reader::single(extension.value)?.open(tag::SEQUENCE)?;
        let identifier = fields.expect(tag::primitive(0))?.content;
        fields.finish()?;
        Ok::<_, DerError>(identifier)
    };
    match key_identifier() {
        Err(_) => findings.error(
            "aki.form",
            "the authority key identifier does not consist of a key identifier alone",
        ),
        Ok(identifier) if identifier != context.issuer.key_identifier => findings.error(
            "aki.mismatch",
            "the authority key identifier is not the issuer's key identifier",
        ),
        Ok(_) => (),
    }
}

pub(super) fn subject_key_identifier(
    tbs: &Tbs<'_>,
    context: &LintContext<'_>,
    findings: &mut Findings,
) {
    match tbs.extension(&oid::EXT_SUBJECT_KEY_IDENTIFIER) {
        None if context.kind == CertificateKind::CaCertificate => findings.error(
            "ski.missing",
            "a CA's certificate needs a subject key identifier",
        ),
        None => (),
        Some(extension) => {
            let identifier = Reader::new(extension.value).octet_string();
            if !identifier.is_ok_and(|octets| (1..=32).contains(&octets.len())) {
                findings.error(
                    "ski.form",
                    "the subject key identifier has no sensible length",
                );
            }
        }
    }
}

pub(super) fn urls(tbs: &Tbs<'_>, _: &LintContext<'_>, findings: &mut Findings) {
    let access = tbs.extension(&oid::EXT_AUTHORITY_INFO_ACCESS);
    let points = tbs.extension(&oid::EXT_CRL_DISTRIBUTION_POINTS);
    let access = access.map(|extension| access_urls(extension.value));
    let points = points.map(|extension| point_urls(extension.value));
    for (code, urls) in [("aia.form", access), ("crldp.form", points)] {
        match urls {
            None => (),
            Some(Ok(urls)) if !urls.is_empty() => {
                for url in urls.iter().filter(|url| !is_fetchable(url)) {
                    findings.error(code, format!("`{url}` is not an http, https or ldap URL"));
                }
                // Whoever checks revocation while it makes a TLS connection must not need TLS to.
                for url in urls.iter().filter(|url| url.starts_with("https:")) {
                    findings.warning(code, format!("`{url}` should be http, not https"));
                }
            }
            Some(Ok(_) | Err(_)) => findings.error(code, "the list of URLs is empty or malformed"),
        }
    }
    let must_staple = tbs.extension(&oid::EXT_TLS_FEATURE).is_some();
    let ocsp = access_methods(tbs).any(|method| method == oid::ACCESS_OCSP.as_bytes());
    if must_staple && !ocsp {
        findings.warning(
            "tls_feature.no_ocsp",
            "the server must staple OCSP answers, but no OCSP responder is named",
        );
    }
}

/// RFC 6960 section 4.2.2.2: a delegated responder.
pub(super) fn responder(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let no_check = tbs.extension(&oid::EXT_OCSP_NO_CHECK).is_some();
    match context.kind {
        CertificateKind::OcspResponder if !no_check => findings.error(
            "ocsp_no_check.missing",
            "an OCSP responder's own revocation cannot be checked: it needs OCSP nocheck",
        ),
        CertificateKind::OcspResponder => (),
        CertificateKind::TlsServer
        | CertificateKind::TlsClient
        | CertificateKind::Email
        | CertificateKind::CodeSigning
        | CertificateKind::Device
        | CertificateKind::CaCertificate
        | CertificateKind::Other => {
            if no_check && !tbs.has_purpose(&ExtendedKeyUsage::OcspSigning) {
                findings.error(
                    "ocsp_no_check.misplaced",
                    "OCSP nocheck is for OCSP responders only",
                );
            }
        }
    }
}

/// The access methods that the certificate names.
pub(super) fn access_methods<'a>(tbs: &Tbs<'a>) -> impl Iterator<Item = &'a [u8]> {
    let extension = tbs.extension(&oid::EXT_AUTHORITY_INFO_ACCESS);
    let mut list = extension
        .and_then(|extension| Reader::new(extension.value).sequence().ok())
        .unwrap_or(Reader::new(&[]));
    std::iter::from_fn(move || list.sequence().ok()?.oid().ok())
}

/// All URLs of the extension; any other form of name is an error.
pub(super) fn access_urls(value: &[u8]) -> Result<Vec<String>, DerError> {
    let mut list = Reader::single(value)?.open(tag::SEQUENCE)?;
    let mut urls = Vec::new();
    while !list.is_empty() {
        let mut access = list.sequence()?;
        access.oid()?;
        let location = access.read()?;
        access.finish()?;
        match GeneralName::read(location) {
            Ok(GeneralName::Uri(url)) => urls.push(url),
            Ok(_) | Err(_) => return Err(DerError::Content("authorityInfoAccess")),
        }
    }
    Ok(urls)
}

/// All URLs of full names; a point in any other form is an error.
pub(super) fn point_urls(value: &[u8]) -> Result<Vec<String>, DerError> {
    let mut list = Reader::single(value)?.open(tag::SEQUENCE)?;
    let mut urls = Vec::new();
    while !list.is_empty() {
        let mut point = list.sequence()?;
        let mut name = Reader::new(point.expect(tag::constructed(0))?.content);
        point.finish()?;
        let mut full = Reader::new(name.expect(tag::constructed(0))?.content);
        name.finish()?;
        while !full.is_empty() {
            match GeneralName::read(full.read()?) {
                Ok(GeneralName::Uri(url)) => urls.push(url),
                Ok(_) | Err(_) => return Err(DerError::Content("cRLDistributionPoints")),
            }
        }
    }
    Ok(urls)
}

fn is_fetchable(url: &str) -> bool {
    ["http://", "https://", "ldap://", "ldaps://"]
        .iter()
        .any(|scheme| {
            url.strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        })
}
