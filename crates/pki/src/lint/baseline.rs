//! Rules of the TLS Baseline Requirements. They bind a certificate that claims to meet them by one
//! of the CA/Browser Forum's policy identifiers; a private CA's certificate does not.

use std::net::IpAddr;
use std::time::Duration;

use super::authority::{access_methods, access_urls, point_urls};
use super::fields::period;
use super::tbs::Tbs;
use super::{CertificateKind, Findings, LintContext};
use crate::name::GeneralName;
use crate::oid;
use crate::time::Timestamp;

pub(super) fn requirements(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let claims = tbs
        .policies
        .iter()
        .filter(|policy| RESERVED_POLICIES.contains(policy))
        .count();
    if claims == 0 || context.kind != CertificateKind::TlsServer {
        return;
    }
    if claims > 1 {
        findings.error(
            "br.policy",
            "more than one reserved policy identifier is claimed",
        );
    }
    validity(tbs, findings);
    revocation(tbs, findings);
    for name in &tbs.names {
        if let Some(fault) = name_fault(name) {
            findings.error("br.name", format!("`{name}` {fault}"));
        }
    }
}

/// Section 6.3.2: the longest validity depends on the day of issuance.
fn validity(tbs: &Tbs<'_>, findings: &mut Findings) {
    let Some((not_before, not_after)) = period(tbs.not_before, tbs.not_after) else {
        return;
    };
    let days = longest_days(not_before);
    if not_after.since(not_before) >= Duration::from_secs(days * 86_400) {
        findings.error(
            "br.validity",
            format!("the validity is longer than {days} days, both ends counted"),
        );
    }
}

fn longest_days(not_before: Timestamp) -> u64 {
    let civil = not_before.civil().date();
    match (civil.year(), civil.month(), civil.day()) {
        day if day >= (2029, 3, 15) => 47,
        day if day >= (2027, 3, 15) => 100,
        day if day >= (2026, 3, 15) => 200,
        _ => 398,
    }
}

/// Sections 7.1.2.7.7 and 7.1.2.11.2.
fn revocation(tbs: &Tbs<'_>, findings: &mut Findings) {
    let access = tbs.extension(&oid::EXT_AUTHORITY_INFO_ACCESS);
    if access.is_none() {
        findings.error("br.aia", "authority information access is missing");
    }
    let points = tbs.extension(&oid::EXT_CRL_DISTRIBUTION_POINTS);
    let ocsp = access_methods(tbs).any(|method| method == oid::ACCESS_OCSP.as_bytes());
    let short_lived = period(tbs.not_before, tbs.not_after)
        .is_some_and(|(start, end)| end.since(start) < Duration::from_secs(7 * 86_400));
    if points.is_none() && !ocsp && !short_lived {
        findings.error("br.revocation", "neither CRL nor OCSP responder is named");
    }
    let urls = access
        .and_then(|found| access_urls(found.value).ok())
        .into_iter()
        .chain(points.and_then(|found| point_urls(found.value).ok()))
        .flatten();
    for url in urls.filter(|url| !url.starts_with("http://")) {
        findings.error("br.url", format!("`{url}` is not an http URL"));
    }
}

/// Section 4.2.2 and 7.1.2.7.12: only public DNS names and addresses.
pub(super) fn name_fault(name: &GeneralName) -> Option<&'static str> {
    match name {
        GeneralName::Dns(text) => {
            let text = text.to_ascii_lowercase();
            let last = text.rsplit('.').next().unwrap_or_default();
            let internal = !text.contains('.') || INTERNAL_DOMAINS.contains(&last);
            if internal {
                Some("is an internal name")
            } else if text.ends_with(".in-addr.arpa") || text.ends_with(".ip6.arpa") {
                Some("is a name of a reverse zone")
            } else {
                None
            }
        }
        GeneralName::Ip(address) => is_reserved(address).then_some("is a reserved address"),
        GeneralName::Email(_)
        | GeneralName::Uri(_)
        | GeneralName::Directory(_)
        | GeneralName::Other { .. } => Some("is neither a DNS name nor an IP address"),
    }
}

/// Whether a policy identifier is one of the Forum's for TLS.
pub(super) fn is_reserved_policy(policy: &[u8]) -> bool {
    RESERVED_POLICIES.contains(&policy)
}

fn is_reserved(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || first == 0
                || first >= 240
                // shared address space RFC 6598, benchmarking RFC 2544
                || (first == 100 && (64..128).contains(&second))
                || (first == 198 && (18..20).contains(&second))
        }
        // Global unicast without documentation (RFC 3849) and ORCHID (RFC 7343).
        IpAddr::V6(v6) => match v6.segments() {
            [0x2001, 0x0db8, ..] | [0x2001, 0x0010..0x0030, ..] => true,
            [first, ..] => !(0x2000..0x4000).contains(&first),
        },
    }
}

const INTERNAL_DOMAINS: [&str; 9] = [
    "local",
    "localhost",
    "internal",
    "lan",
    "home",
    "corp",
    "test",
    "example",
    "invalid",
];

/// 2.23.140.1.1 (EV), 2.23.140.1.2.1 (DV), .2 (OV) and .3 (IV).
const RESERVED_POLICIES: [&[u8]; 4] = [
    &[0x67, 0x81, 0x0c, 0x01, 0x01],
    &[0x67, 0x81, 0x0c, 0x01, 0x02, 0x01],
    &[0x67, 0x81, 0x0c, 0x01, 0x02, 0x02],
    &[0x67, 0x81, 0x0c, 0x01, 0x02, 0x03],
];
