//! The rules of issuance: a pure function from a request and a profile to a decision.
//!
//! Every violation is listed, each with the rule it broke and what would mend it; a requester
//! who has to fix three things should learn of all three at once. A rule is a function in one of
//! the files beside this one and a line in [`RULES`].

mod content;
mod csr;
pub mod expression;
mod key;
mod ledger;
pub mod names;
mod subject;
mod validity;
mod violation;

use std::collections::BTreeMap;

use pki::certificate::CertificateContent;
use pki::csr::Csr;
use pki::name::DistinguishedName;
use pki::time::Timestamp;

use crate::enrollment::Requester;
use crate::identifier::Identifier;
use crate::profile::{KeyEvidence, Profile, ProfileSpec};

pub use ledger::{Ledger, Outcome, Step};
pub use violation::{Fault, Violation};

/// What is asked for, seen by the rules: a subject, a list of names, and a CSR.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    pub requester: &'a Requester,
    /// The names for the subject alternative name. ACME proved control of each; other requesters
    /// are known, and the profile says what they may have.
    pub identifiers: &'a [Identifier],
    /// A subject that is asked for beside the CSR; without it the CSR's is looked at.
    pub subject: Option<&'a DistinguishedName>,
    pub csr: &'a Csr,
    /// Whether there is no CSR yet and one was made up to explain with.
    pub csr_is_assumed: bool,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    pub key_evidence: Option<&'a KeyEvidence>,
    pub team: Option<&'a str>,
    pub metadata: &'a BTreeMap<String, String>,
}

/// What the rules need to know besides the proposal and the profile.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub now: Timestamp,
    /// The name of the issuer that would sign.
    pub issuer: &'a str,
    /// When the issuer's own certificate ends; nothing it signs may outlive it.
    pub issuer_not_after: Timestamp,
    /// Whether the CSR's key was reported compromised or otherwise blocked.
    pub key_is_blocked: bool,
    /// Whether the CSR's key is the key of an ACME account (RFC 8555 section 11.1).
    pub key_is_account_key: bool,
    /// Whether the CSR's key is in a certificate of the inventory already.
    pub key_is_certified: bool,
}

/// The outcome of the rules.
#[derive(Debug)]
pub enum Decision {
    /// This may be signed, exactly so.
    Approved(Box<CertificateContent>),
    /// Nothing may be signed.
    Rejected(Vec<Violation>),
}

/// One request under one profile: what every rule sees.
pub(crate) struct Case<'a> {
    pub(crate) proposal: &'a Proposal<'a>,
    pub(crate) profile: &'a Profile,
    pub(crate) spec: &'a ProfileSpec,
    pub(crate) at: &'a Circumstances<'a>,
}

/// A rule about the request. Rules about the final content are in [`judge`].
type Rule = fn(&Case<'_>, &mut Ledger);

const RULES: [Rule; 9] = [
    names::rule,
    csr::names,
    csr::extensions,
    key::strength,
    key::algorithm,
    key::blocked,
    key::account,
    key::fresh,
    key::evidence,
];

/// Applies every rule of `profile` to `proposal`.
pub fn decide(proposal: &Proposal<'_>, profile: &Profile, at: Circumstances<'_>) -> Decision {
    let mut ledger = Ledger::brief();
    let content = judge(proposal, profile, &at, &mut ledger);
    let (violations, _) = ledger.close();
    match violations.is_empty() {
        true => Decision::Approved(Box::new(content)),
        false => Decision::Rejected(violations),
    }
}

/// Applies every rule of `profile` to `proposal` and writes into `ledger` what each said. The
/// content is what would be signed; it may be signed only if the ledger has no violations.
pub fn judge(
    proposal: &Proposal<'_>,
    profile: &Profile,
    at: &Circumstances<'_>,
    ledger: &mut Ledger,
) -> CertificateContent {
    let case = Case {
        proposal,
        profile,
        spec: &profile.spec,
        at,
    };
    for rule in RULES {
        rule(&case, ledger);
    }
    let subject = subject::resolve(&case, ledger);
    let (not_before, not_after) = validity::resolve(&case, ledger);
    let content = content::build(&case, subject, not_before, not_after);
    content::named(&case, &content, ledger);
    expression::rules(&case, &content, ledger);
    content
}

/// The rules that hold before there is a CSR: what an order may name.
pub fn decide_names(identifiers: &[Identifier], profile: &Profile) -> Vec<Violation> {
    let mut ledger = Ledger::brief();
    names::check(identifiers, &profile.spec, &mut ledger);
    ledger.close().0
}

/// The rules for dates that hold before there is an issuer: what an order may ask for.
pub fn decide_dates(
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    profile: &Profile,
    now: Timestamp,
) -> Vec<Violation> {
    let mut ledger = Ledger::brief();
    validity::dates(not_before, not_after, &profile.spec, now, &mut ledger);
    ledger.close().0
}

/// The end of a lifetime of that many seconds, both ends counted, that begins when the request says
/// or else when certificates of the profile do.
pub fn end_after(
    spec: &ProfileSpec,
    not_before: Option<Timestamp>,
    seconds: u64,
    now: Timestamp,
) -> Timestamp {
    validity::end_after(spec, not_before, seconds, now)
}

/// The names that a CSR asks for, for requesters that give no list of their own: those of its
/// subject alternative name, and a common name that is a DNS name under a profile for TLS.
pub use csr::requested_names;

#[cfg(test)]
mod tests;
