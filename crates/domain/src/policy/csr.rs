//! Rules for what a CSR asks for beside its key: names and extensions. Both are wishes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use pki::csr::Csr;
use pki::name::GeneralName;

use super::{Case, Fault, Ledger, Violation};
use crate::enrollment::Requester;
use crate::identifier::Identifier;
use crate::profile::{CertificateKind, ProfileSpec};

/// The CSR names nothing that the request does not. Under ACME it names all of it, too (RFC 8555
/// section 7.4); other requesters may give their names beside the CSR.
pub(super) fn names(case: &Case<'_>, ledger: &mut Ledger) {
    if case.proposal.csr_is_assumed {
        return;
    }
    let before = ledger.count();
    let asked = asked_names(case, ledger);
    let proven: BTreeSet<String> = case.proposal.identifiers.iter().map(label).collect();
    for extra in asked.difference(&proven) {
        ledger.failed(
            Violation::new(
                "csr.names",
                Fault::Csr,
                format!("the CSR names {extra}, which the {} does not", whole(case)),
            )
            .fix(format!("{} it or leave it out", verb(case))),
        );
    }
    if is_acme(case) {
        // draft-ietf-acme-device-attest: who wants to may keep a device's name to themselves.
        let devices = case
            .proposal
            .identifiers
            .iter()
            .filter(|one| one.is_device());
        let optional: BTreeSet<String> = devices.map(label).collect();
        for missing in proven
            .difference(&asked)
            .filter(|one| !optional.contains(*one))
        {
            ledger.failed(
                Violation::new(
                    "csr.names",
                    Fault::Csr,
                    format!("the order names {missing}, but the CSR does not"),
                )
                .fix("add it to the CSR"),
            );
        }
    }
    ledger.passed_unless(before, "csr.names", || {
        format!("the CSR names {}", listed(&asked))
    });
}

fn asked_names(case: &Case<'_>, ledger: &mut Ledger) -> BTreeSet<String> {
    let csr = case.proposal.csr;
    let mut asked = BTreeSet::new();
    for name in &csr.subject_alt_names {
        match label_of(name) {
            Some(label) => {
                asked.insert(label);
            }
            None => ledger.failed(
                Violation::new(
                    "csr.names",
                    Fault::Csr,
                    format!("the CSR names {name}, which this profile does not certify"),
                )
                .fix("leave it out"),
            ),
        }
    }
    if let Some(name) = common_name_as_name(case.spec, csr) {
        let lower = name.to_ascii_lowercase();
        if lower.parse::<IpAddr>().is_ok() {
            // RFC 8738 section 3 keeps addresses to the SAN; a common name may repeat one that is there.
            if !asked.contains(&format!("ip:{lower}")) {
                ledger.failed(
                    Violation::new(
                        "csr.common-name",
                        Fault::Csr,
                        "the CSR's common name is an IP address",
                    )
                    .fix("put addresses into the subject alternative name"),
                );
            }
        } else if name.contains('@') {
            asked.insert(label_of(&GeneralName::Email(name.to_owned())).unwrap_or(lower));
        } else {
            asked.insert(format!("dns:{lower}"));
        }
    }
    asked
}

/// Where no rule of the profile says what a common name is, it is a name like those in the SAN.
fn common_name_as_name<'a>(spec: &ProfileSpec, csr: &'a Csr) -> Option<&'a str> {
    let has_rule = spec
        .subject
        .as_ref()
        .is_some_and(|rules| rules.rule("CN").is_some());
    match has_rule {
        true => None,
        false => csr.subject.common_name(),
    }
}

fn label(identifier: &Identifier) -> String {
    format!("{}:{identifier}", identifier.kind())
}

/// A requested name in the form of [`label`]; a DNS name that nobody could prove has one, too.
fn label_of(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Dns(name) => Some(format!("dns:{}", name.to_ascii_lowercase())),
        GeneralName::Ip(address) => Some(format!("ip:{address}")),
        GeneralName::Email(_) | GeneralName::Uri(_) | GeneralName::Other { .. } => {
            Identifier::from_general_name(name)
                .ok()
                .map(|one| label(&one))
        }
        GeneralName::Directory(_) => None,
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.iter().cloned().collect::<Vec<_>>().join(", "),
    }
}

fn is_acme(case: &Case<'_>) -> bool {
    matches!(case.proposal.requester, Requester::AcmeAccount { .. })
}

fn whole(case: &Case<'_>) -> &'static str {
    match is_acme(case) {
        true => "order",
        false => "request",
    }
}

fn verb(case: &Case<'_>) -> &'static str {
    match is_acme(case) {
        true => "order",
        false => "name",
    }
}

/// Names that a CSR asks for, where the requester gives no list of their own.
///
/// A common name alone counts as a name under a profile for TLS that has no rule of its own for it.
pub fn requested_names(csr: &Csr, spec: &ProfileSpec) -> Result<Vec<Identifier>, Vec<Violation>> {
    let mut found: Vec<Identifier> = Vec::new();
    let mut faults = Vec::new();
    for name in &csr.subject_alt_names {
        match Identifier::from_general_name(name) {
            Ok(identifier) if found.contains(&identifier) => {}
            Ok(identifier) => found.push(identifier),
            Err(error) => {
                faults.push(Violation::new("csr.names", Fault::Csr, error.to_string()));
            }
        }
    }
    let is_tls = match spec.kind {
        CertificateKind::TlsServer | CertificateKind::TlsClient => true,
        CertificateKind::Smime | CertificateKind::CodeSigning | CertificateKind::Device => false,
    };
    if found.is_empty()
        && let Some(name) = common_name_as_name(spec, csr).filter(|_| is_tls)
        && let Ok(identifier) = Identifier::parse("dns", &name.to_ascii_lowercase())
    {
        found.push(identifier);
    }
    match faults.is_empty() {
        true => Ok(found),
        false => Err(faults),
    }
}

/// Extensions of a CSR are wishes. Harmless ones that the profile grants anyway are dropped in
/// silence; one that asks for power the profile does not give is refused, so nobody believes
/// that it was granted.
pub(super) fn extensions(case: &Case<'_>, ledger: &mut Ledger) {
    let before = ledger.count();
    for extension in &case.proposal.csr.extensions {
        match extension.oid.as_str() {
            SUBJECT_ALT_NAME | SUBJECT_KEY_IDENTIFIER | KEY_USAGE | EXTENDED_KEY_USAGE => {}
            TLS_FEATURE if case.spec.must_staple || case.spec.must_staple_always => {}
            BASIC_CONSTRAINTS if NOT_A_CA.contains(&extension.der.as_slice()) => {}
            BASIC_CONSTRAINTS => ledger.failed(
                Violation::new(
                    "csr.basic-constraints",
                    Fault::Csr,
                    "the CSR asks for a CA certificate",
                )
                .fix("ask for an end-entity certificate"),
            ),
            // The profile writes it, with its own value.
            oid if case.spec.extensions.iter().any(|fixed| fixed.oid == oid) => {}
            oid => ledger.failed(
                Violation::new(
                    "csr.extension",
                    Fault::Csr,
                    format!(
                        "the CSR asks for the extension {oid}, which the profile does not grant"
                    ),
                )
                .fix("leave it out"),
            ),
        }
    }
    if !case.proposal.csr_is_assumed {
        ledger.passed_unless(before, "csr.extension", || {
            "the CSR asks for no extension beyond the profile".to_owned()
        });
    }
}

/// Whether a CSR asks for the TLS feature extension (RFC 7633).
pub(super) fn asks_for_staple(csr: &Csr) -> bool {
    csr.extensions.iter().any(|e| e.oid == TLS_FEATURE)
}

const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// `SEQUENCE {}` and `SEQUENCE { cA FALSE }`.
const NOT_A_CA: [&[u8]; 2] = [&[0x30, 0], &[0x30, 3, 1, 1, 0]];
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
