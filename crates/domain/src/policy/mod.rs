//! The rules of issuance: a pure function from a request and a profile to a decision.
//!
//! Every violation is listed, each with the rule it broke and what would mend it; a requester
//! who has to fix three things should learn of all three at once.

pub mod names;
mod validity;

use pki::certificate::{BasicConstraints, CertificateContent, KeyUsage};
use pki::csr::Csr;
use pki::key::KeyKind;
use pki::key::weak;
use pki::name::{Attribute, DistinguishedName, GeneralName};
use pki::oid;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;
use crate::profile::{CommonName, Profile, ProfileSpec};

/// What is asked for, seen by the rules.
#[derive(Debug)]
pub struct Proposal<'a> {
    /// The identifiers whose control was proven.
    pub identifiers: &'a [Identifier],
    pub csr: &'a Csr,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
}

/// What the rules need to know besides the proposal and the profile.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    pub now: Timestamp,
    /// When the issuer's own certificate ends; nothing it signs may outlive it.
    pub issuer_not_after: Timestamp,
    /// Whether the CSR's key was reported compromised or otherwise blocked.
    pub key_is_blocked: bool,
    /// Whether the CSR's key is the key of an ACME account (RFC 8555 section 11.1).
    pub key_is_account_key: bool,
}

/// The outcome of the rules.
#[derive(Debug)]
pub enum Decision {
    /// This may be signed, exactly so.
    Approved(Box<CertificateContent>),
    /// Nothing may be signed.
    Rejected(Vec<Violation>),
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule, dotted: `names.wildcard`.
    pub rule: String,
    /// What was found and how to mend it.
    pub message: String,
    /// The identifier at fault, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    pub fault: Fault,
}

/// Which part of a request is at fault; front ends choose their error by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Csr,
    Identifier,
    Key,
    Validity,
}

impl Violation {
    fn new(rule: &str, fault: Fault, message: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            message: message.into(),
            identifier: None,
            fault,
        }
    }

    fn about(mut self, identifier: &Identifier) -> Self {
        self.identifier = Some(identifier.clone());
        self
    }
}

/// Applies every rule of `profile` to `proposal`.
pub fn decide(proposal: &Proposal<'_>, profile: &Profile, at: Circumstances) -> Decision {
    let spec = &profile.spec;
    let mut violations = names::check(proposal.identifiers, &spec.names);
    check_key(proposal.csr, spec, at, &mut violations);
    check_csr_names(proposal, &mut violations);
    check_requested_extensions(proposal.csr, spec, &mut violations);
    let validity = validity::resolve(proposal, spec, at);
    match validity {
        Ok((not_before, not_after)) if violations.is_empty() => {
            Decision::Approved(Box::new(content(proposal, spec, not_before, not_after)))
        }
        Ok(_) => Decision::Rejected(violations),
        Err(violation) => {
            violations.push(violation);
            Decision::Rejected(violations)
        }
    }
}

/// The rules that hold before there is a CSR: what an order may name.
pub fn decide_names(identifiers: &[Identifier], profile: &Profile) -> Vec<Violation> {
    names::check(identifiers, &profile.spec.names)
}

fn check_key(csr: &Csr, spec: &ProfileSpec, at: Circumstances, violations: &mut Vec<Violation>) {
    if let Err(weakness) = weak::check(&csr.public_key) {
        violations.push(Violation::new("key.weak", Fault::Key, weakness.to_string()));
    } else if !spec.allows_key(csr.public_key.kind()) {
        let allowed: Vec<String> = spec
            .key_algorithms
            .iter()
            .map(ToString::to_string)
            .collect();
        violations.push(Violation::new(
            "key.algorithm",
            Fault::Key,
            format!(
                "the profile does not take a key of this kind; use one of {}",
                allowed.join(", ")
            ),
        ));
    }
    if at.key_is_blocked {
        violations.push(Violation::new(
            "key.blocked",
            Fault::Key,
            "this key was reported as compromised and is never certified again; generate a new key",
        ));
    }
    if at.key_is_account_key {
        violations.push(Violation::new(
            "key.account",
            Fault::Key,
            "this is the key of an ACME account; generate a separate key for the certificate",
        ));
    }
}

/// The CSR must name exactly the identifiers that were proven (RFC 8555 section 7.4).
fn check_csr_names(proposal: &Proposal<'_>, violations: &mut Vec<Violation>) {
    let mut asked: Vec<String> = Vec::new();
    for name in &proposal.csr.subject_alt_names {
        match name {
            GeneralName::Dns(name) => asked.push(format!("dns:{}", name.to_ascii_lowercase())),
            GeneralName::Ip(address) => asked.push(format!("ip:{address}")),
            other => violations.push(Violation::new(
                "csr.names",
                Fault::Csr,
                format!("the CSR names {other}, which this profile does not certify; leave it out"),
            )),
        }
    }
    if let Some(name) = proposal.csr.subject.common_name() {
        let lower = name.to_ascii_lowercase();
        if lower.parse::<std::net::IpAddr>().is_ok() {
            // RFC 8738 section 3 keeps addresses to the SAN; a common name may repeat one that is there.
            if !asked.contains(&format!("ip:{lower}")) {
                violations.push(Violation::new(
                    "csr.common-name",
                    Fault::Csr,
                    "the CSR's common name is an IP address; put addresses into the subject alternative name",
                ));
            }
        } else {
            asked.push(format!("dns:{lower}"));
        }
    }
    asked.sort_unstable();
    asked.dedup();
    let mut proven: Vec<String> = proposal
        .identifiers
        .iter()
        .map(|identifier| format!("{}:{identifier}", identifier.kind()))
        .collect();
    proven.sort_unstable();
    proven.dedup();
    for extra in asked.iter().filter(|name| !proven.contains(name)) {
        violations.push(Violation::new(
            "csr.names",
            Fault::Csr,
            format!("the CSR names {extra}, which the order does not; order it or leave it out"),
        ));
    }
    for missing in proven.iter().filter(|name| !asked.contains(name)) {
        violations.push(Violation::new(
            "csr.names",
            Fault::Csr,
            format!("the order names {missing}, but the CSR does not; add it to the CSR"),
        ));
    }
}

/// Extensions of a CSR are wishes. Harmless ones that the profile grants anyway are dropped in
/// silence; one that asks for power the profile does not give is refused, so nobody believes
/// that it was granted.
fn check_requested_extensions(csr: &Csr, spec: &ProfileSpec, violations: &mut Vec<Violation>) {
    for extension in &csr.extensions {
        match extension.oid.as_str() {
            SUBJECT_ALT_NAME | SUBJECT_KEY_IDENTIFIER | KEY_USAGE | EXTENDED_KEY_USAGE => {}
            TLS_FEATURE if spec.must_staple => {}
            BASIC_CONSTRAINTS if NOT_A_CA.contains(&extension.der.as_slice()) => {}
            BASIC_CONSTRAINTS => violations.push(Violation::new(
                "csr.basic-constraints",
                Fault::Csr,
                "the CSR asks for a CA certificate; ask for an end-entity certificate",
            )),
            oid => violations.push(Violation::new(
                "csr.extension",
                Fault::Csr,
                format!("the CSR asks for the extension {oid}, which the profile does not grant; leave it out"),
            )),
        }
    }
}

fn content(
    proposal: &Proposal<'_>,
    spec: &ProfileSpec,
    not_before: Timestamp,
    not_after: Timestamp,
) -> CertificateContent {
    let csr = proposal.csr;
    let mut key_usage = spec.key_usage;
    // TLS 1.2 key exchange with RSA encrypts; with any other key there is nothing to encipher.
    if matches!(csr.public_key.kind(), KeyKind::Rsa { .. })
        && key_usage.contains(KeyUsage::DIGITAL_SIGNATURE)
    {
        key_usage |= KeyUsage::KEY_ENCIPHERMENT;
    }
    CertificateContent {
        subject: subject(proposal.identifiers, spec.common_name),
        subject_alt_names: proposal
            .identifiers
            .iter()
            .map(Identifier::to_general_name)
            .collect(),
        public_key: csr.public_key.clone(),
        not_before,
        not_after,
        basic_constraints: BasicConstraints::EndEntity,
        key_usage,
        extended_key_usage: spec.extended_key_usage.clone(),
        certificate_policies: spec.certificate_policies.clone(),
        subject_key_identifier: spec.subject_key_identifier,
        ocsp_urls: Vec::new(),
        ca_issuer_urls: Vec::new(),
        crl_urls: Vec::new(),
        ocsp_no_check: false,
        must_staple: csr.extensions.iter().any(|e| e.oid == TLS_FEATURE),
        name_constraints: None,
        acme_identifier: None,
    }
}

fn subject(identifiers: &[Identifier], rule: CommonName) -> DistinguishedName {
    let name = match rule {
        CommonName::Omitted => None,
        CommonName::FirstDnsName => identifiers.iter().find_map(|identifier| match identifier {
            Identifier::Dns(name) if name.as_str().len() <= MAX_COMMON_NAME => Some(name.as_str()),
            Identifier::Dns(_) | Identifier::Ip(_) => None,
        }),
    };
    match name {
        Some(name) => {
            DistinguishedName::from_attributes([Attribute::text(&oid::COMMON_NAME, name)])
        }
        None => DistinguishedName::empty(),
    }
}

const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// `SEQUENCE {}` and `SEQUENCE { cA FALSE }`.
const NOT_A_CA: [&[u8]; 2] = [&[0x30, 0], &[0x30, 3, 1, 1, 0]];
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
/// RFC 5280 appendix A, ub-common-name.
const MAX_COMMON_NAME: usize = 64;
