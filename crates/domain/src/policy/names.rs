//! Which names a profile or an EAB key allows.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Fault, Violation};
use crate::identifier::{DnsName, Identifier};
use crate::profile::NameRules;

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
            (Self::Exact(_) | Self::Below(_), Identifier::Ip(_))
            | (Self::Network(_), Identifier::Dns(_)) => false,
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

/// Checks a set of identifiers against a profile's rules for names.
pub(super) fn check(identifiers: &[Identifier], rules: &NameRules) -> Vec<Violation> {
    let mut violations = Vec::new();
    let refuse = |rule: &str, message: String| Violation::new(rule, Fault::Identifier, message);
    if identifiers.is_empty() {
        violations.push(refuse(
            "names.none",
            "at least one name is needed".to_owned(),
        ));
    }
    if identifiers.len() > rules.max {
        violations.push(refuse(
            "names.count",
            format!(
                "{} names are asked for, the profile takes at most {}; split the request",
                identifiers.len(),
                rules.max
            ),
        ));
    }
    for identifier in identifiers {
        let kind_is_allowed = match identifier {
            Identifier::Dns(_) => rules.dns,
            Identifier::Ip(_) => rules.ip,
        };
        if !kind_is_allowed {
            let message = format!(
                "the profile certifies no identifiers of type `{}`",
                identifier.kind()
            );
            violations.push(refuse("names.type", message).about(identifier));
        }
        if identifier.is_wildcard() && !rules.wildcards {
            let message = format!("{identifier} is a wildcard, which the profile does not certify");
            violations.push(refuse("names.wildcard", message).about(identifier));
        }
        if !rules.allow.is_empty() && !rules.allow.iter().any(|p| p.matches(identifier)) {
            let message = format!("{identifier} is not among the names the profile allows");
            violations.push(refuse("names.allow", message).about(identifier));
        }
        if let Some(pattern) = rules.deny.iter().find(|p| p.matches(identifier)) {
            let message = format!("{identifier} is denied by the profile's rule `{pattern}`");
            violations.push(refuse("names.deny", message).about(identifier));
        }
    }
    violations
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
