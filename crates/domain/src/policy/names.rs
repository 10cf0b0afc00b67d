//! Which names a profile or an EAB key allows.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use pki::lint;
use serde::{Deserialize, Serialize};

use super::{Case, Fault, Ledger, Violation};
use crate::identifier::{DnsName, Identifier};
use crate::profile::{NameRules, ProfileSpec, SanPattern};

/// A set of names: one name, everything below a suffix, or a network of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NamePattern {
    /// Exactly this name; `*.example.org` is the wildcard itself.
    Exact(DnsName),
    /// `.example.org`: every name below it, wildcards included, but not the name itself.
    Below(DnsName),
    /// `192.0.2.0/24` or a single address.
    Network(IpNet),
}

impl NamePattern {
    /// Whether `identifier` is in the set. Wildcards count as names below their base.
    pub fn matches(&self, identifier: &Identifier) -> bool {
        match (self, identifier) {
            (Self::Exact(pattern), Identifier::Dns(name)) => pattern == name,
            (Self::Below(suffix), Identifier::Dns(name)) => {
                name != suffix && name.is_within(suffix.as_str())
            }
            (Self::Network(network), Identifier::Ip(address)) => network.contains(address),
            (
                Self::Exact(_) | Self::Below(_) | Self::Network(_),
                Identifier::Dns(_)
                | Identifier::Ip(_)
                | Identifier::Email(_)
                | Identifier::Uri(_)
                | Identifier::Permanent(_)
                | Identifier::Hardware(_),
            ) => false,
        }
    }
}

/// A text that is no name pattern.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no name pattern; write a name (host.example.org), a suffix (.example.org), \
     an address or a network (192.0.2.0/24)"
)]
pub struct ParseNamePatternError(String);

impl FromStr for NamePattern {
    type Err = ParseNamePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseNamePatternError(text.chars().take(300).collect());
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return Ok(Self::Network(IpNet::from(address)));
        }
        match text.strip_prefix('.') {
            Some(suffix) => DnsName::parse(suffix)
                .ok()
                .filter(|name| !name.is_wildcard())
                .map(Self::Below),
            None => DnsName::parse(text).ok().map(Self::Exact),
        }
        .ok_or_else(refuse)
    }
}

impl TryFrom<String> for NamePattern {
    type Error = ParseNamePatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(f),
            Self::Below(name) => write!(f, ".{name}"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// The rule about the names of a request.
pub(super) fn rule(case: &Case<'_>, ledger: &mut Ledger) {
    check(case.proposal.identifiers, case.spec, ledger);
}

/// Checks a set of names against a profile's rules for them.
pub(super) fn check(identifiers: &[Identifier], spec: &ProfileSpec, ledger: &mut Ledger) {
    let rules = &spec.names;
    count(identifiers, rules, ledger);
    let is_public = spec.claims_public_tls();
    for identifier in identifiers {
        let before = ledger.count();
        kind(identifier, rules, ledger);
        listed(identifier, rules, ledger);
        if is_public {
            public(identifier, ledger);
        }
        ledger.passed_unless(before, "names", || match allowing(identifier, rules) {
            Some(pattern) => format!("{identifier} is allowed by `{pattern}`"),
            None => format!("{identifier} may be certified"),
        });
    }
}

fn refuse(rule: &str, message: String) -> Violation {
    Violation::new(rule, Fault::Identifier, message)
}

fn count(identifiers: &[Identifier], rules: &NameRules, ledger: &mut Ledger) {
    let before = ledger.count();
    let total = identifiers.len();
    if total == 0 && rules.min > 0 {
        ledger.failed(
            refuse("names.none", "no name is asked for".to_owned()).fix("name at least one"),
        );
    } else if total < rules.min {
        let text = format!(
            "{total} names are asked for, the profile wants {}",
            rules.min
        );
        ledger.failed(refuse("names.count", text).fix("name more"));
    }
    if total > rules.max {
        let text = format!(
            "{total} names are asked for, the profile takes at most {}",
            rules.max
        );
        ledger.failed(refuse("names.count", text).fix("split the request"));
    }
    for (kind, limit) in rules.limits.each() {
        let Some(limit) = limit else { continue };
        let found = identifiers.iter().filter(|one| one.kind() == kind).count();
        if found > limit {
            let text = format!(
                "{found} names of type `{kind}` are asked for, the profile takes at most {limit}"
            );
            ledger.failed(refuse("names.count", text).fix("split the request"));
        }
    }
    ledger.passed_unless(before, "names.count", || {
        format!("{total} names; {} to {} are taken", rules.min, rules.max)
    });
}

fn kind(identifier: &Identifier, rules: &NameRules, ledger: &mut Ledger) {
    let is_allowed = match identifier {
        Identifier::Dns(_) => rules.dns,
        Identifier::Ip(_) => rules.ip,
        Identifier::Email(_) => rules.email,
        Identifier::Uri(_) => rules.uri,
        Identifier::Permanent(_) => rules.permanent_identifier,
        Identifier::Hardware(_) => rules.hardware_module,
    };
    if !is_allowed {
        let message = format!(
            "the profile certifies no identifiers of type `{}`",
            identifier.kind()
        );
        let broken = refuse("names.type", message).about(identifier);
        ledger.failed(broken.fix("leave it out, or ask under another profile"));
    }
    if identifier.is_wildcard() && !rules.wildcards {
        let message = format!("{identifier} is a wildcard, which the profile does not certify");
        let broken = refuse("names.wildcard", message).about(identifier);
        ledger.failed(broken.fix("name the hosts one by one"));
    }
}

/// A list with a pattern that cannot be used allows nothing and denies everything.
fn listed(identifier: &Identifier, rules: &NameRules, ledger: &mut Ledger) {
    if !rules.allow.is_empty() && allowing(identifier, rules).is_none() {
        let message = format!("{identifier} is not among the names the profile allows");
        let broken = refuse("names.allow", message).about(identifier);
        ledger.failed(broken.fix("leave it out, or have the profile's author allow it"));
    }
    let denying = rules
        .deny
        .iter()
        .find(|pattern| pattern.covers(identifier) != Some(false));
    if let Some(pattern) = denying {
        let message = format!("{identifier} is denied by the profile's rule `{pattern}`");
        let broken = refuse("names.deny", message).about(identifier);
        ledger.failed(broken.fix("leave it out"));
    }
}

fn allowing<'a>(identifier: &Identifier, rules: &'a NameRules) -> Option<&'a SanPattern> {
    rules
        .allow
        .iter()
        .find(|pattern| pattern.covers(identifier) == Some(true))
}

/// TLS BR sections 4.2.2 and 7.1.2.7.12, for profiles that claim to keep them.
fn public(identifier: &Identifier, ledger: &mut Ledger) {
    if let Some(fault) = lint::public_name_fault(&identifier.to_general_name()) {
        let message = format!("{identifier} {fault}, which no public CA certifies");
        let broken = refuse("names.public", message).about(identifier);
        ledger.failed(broken.fix("use a public name, or a profile for internal names"));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("example.org", "example.org", true)]
    #[case("example.org", "www.example.org", false)]
    #[case("example.org", "*.example.org", false)]
    #[case(".example.org", "www.example.org", true)]
    #[case(".example.org", "*.example.org", true)]
    #[case(".example.org", "*.a.example.org", true)]
    #[case(".example.org", "example.org", false)]
    #[case(".example.org", "badexample.org", false)]
    #[case("*.example.org", "*.example.org", true)]
    #[case("*.example.org", "www.example.org", false)]
    fn a_pattern_covers_what_it_says(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] covered: bool,
    ) {
        let pattern: NamePattern = pattern.parse().unwrap();
        let identifier = Identifier::parse("dns", name).unwrap();
        assert_eq!(pattern.matches(&identifier), covered);
    }

    #[rstest]
    #[case("192.0.2.0/24", "192.0.2.7", true)]
    #[case("192.0.2.7", "192.0.2.7", true)]
    #[case("192.0.2.7", "192.0.2.8", false)]
    #[case("2001:db8::/32", "2001:db8::1", true)]
    fn a_network_covers_its_addresses(
        #[case] pattern: &str,
        #[case] address: &str,
        #[case] covered: bool,
    ) {
        let pattern: NamePattern = pattern.parse().unwrap();
        let identifier = Identifier::parse("ip", address).unwrap();
        assert_eq!(pattern.matches(&identifier), covered);
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case(".*.example.org")]
    #[case("a b")]
    #[case("*")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(text.parse::<NamePattern>().is_err());
    }
}
