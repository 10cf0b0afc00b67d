//! Whether names lie within name constraints, RFC 5280 sections 4.2.1.10 and 6.1.4.

use std::net::IpAddr;

use super::{DistinguishedName, GeneralName, NameConstraints, NameSubtree};

impl NameConstraints {
    /// What a certificate with this subject and these names would violate, one sentence each.
    ///
    /// Names of a form without constraint are free, as RFC 5280 says. Forms whose constraints are
    /// not understood here cannot be expressed in [`NameSubtree`] at all.
    pub fn violations(&self, subject: &DistinguishedName, names: &[GeneralName]) -> Vec<String> {
        let directory = GeneralName::Directory(subject.clone());
        let subject = (!subject.is_empty()).then_some(&directory);
        names
            .iter()
            .chain(subject)
            .filter_map(|name| self.violation(name))
            .collect()
    }

    fn violation(&self, name: &GeneralName) -> Option<String> {
        if self.excluded.iter().any(|subtree| subtree.overlaps(name)) {
            return Some(format!("the issuer's name constraints exclude `{name}`"));
        }
        let mut same_form = self
            .permitted
            .iter()
            .filter(|subtree| subtree.is_of_form(name))
            .peekable();
        let permitted =
            same_form.peek().is_none() || same_form.any(|subtree| subtree.contains(name));
        (!permitted).then(|| format!("the issuer's name constraints do not permit `{name}`"))
    }
}

impl NameSubtree {
    fn is_of_form(&self, name: &GeneralName) -> bool {
        matches!(
            (self, name),
            (Self::Dns(_), GeneralName::Dns(_))
                | (Self::Ip { .. }, GeneralName::Ip(_))
                | (Self::Email(_), GeneralName::Email(_))
                | (Self::Uri(_), GeneralName::Uri(_))
                | (Self::Directory(_), GeneralName::Directory(_))
        )
    }

    /// Whether the name stands for anything in the subtree: besides what lies in it, a wildcard that
    /// matches a name in it, and a URI whose host cannot be told.
    fn overlaps(&self, name: &GeneralName) -> bool {
        let partly = match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => covers(name, base),
            (Self::Uri(_), GeneralName::Uri(name)) => host_of(name).is_none(),
            (
                Self::Dns(_) | Self::Ip { .. } | Self::Email(_) | Self::Uri(_) | Self::Directory(_),
                _,
            ) => false,
        };
        partly || self.contains(name)
    }

    /// Whether the name, with all that it stands for, lies in the subtree.
    pub fn contains(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => is_below(name, base),
            (Self::Ip { address, prefix }, GeneralName::Ip(name)) => {
                is_in_network(name, address, *prefix)
            }
            (Self::Email(base), GeneralName::Email(name)) => is_mailbox_of(name, base),
            (Self::Uri(base), GeneralName::Uri(name)) => {
                host_of(name).is_some_and(|host| is_host_of(host, base))
            }
            (Self::Directory(base), GeneralName::Directory(name)) => name.starts_with(base),
            (
                Self::Dns(_) | Self::Ip { .. } | Self::Email(_) | Self::Uri(_) | Self::Directory(_),
                _,
            ) => false,
        }
    }
}

/// A DNS name is below a domain if it is the domain, or ends with a dot and the domain.
fn is_below(name: &str, base: &str) -> bool {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    let base = base.strip_prefix('.').unwrap_or(&base);
    base.is_empty() || name == base || ends_below(&name, base)
}

/// Whether the name is a wildcard that matches the domain itself.
fn covers(name: &str, base: &str) -> bool {
    match (name.strip_prefix("*."), base.split_once('.')) {
        (Some(parent), Some((_, above))) => parent.eq_ignore_ascii_case(above),
        (_, _) => false,
    }
}

fn ends_below(name: &str, base: &str) -> bool {
    name.strip_suffix(base)
        .is_some_and(|labels| labels.ends_with('.'))
}

/// `user@host` one mailbox, `host` all of a host, `.domain` all of the hosts below.
fn is_mailbox_of(name: &str, base: &str) -> bool {
    let (local, host) = name.rsplit_once('@').unwrap_or(("", name));
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => is_host_of(host, base),
    }
}

fn is_host_of(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    match base.strip_prefix('.') {
        Some(domain) => ends_below(&host, domain),
        None => base.is_empty() || host == base,
    }
}

/// The host of a URI's authority; `None` if it has none.
fn host_of(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

fn is_in_network(name: &IpAddr, network: &IpAddr, prefix: u8) -> bool {
    let bits = |address: &IpAddr| match address {
        IpAddr::V4(v4) => (32, u128::from(v4.to_bits())),
        IpAddr::V6(v6) => (128, v6.to_bits()),
    };
    let ((name_width, name), (width, network)) = (bits(name), bits(network));
    let host_bits = u32::saturating_sub(width, prefix.into());
    let shift = |value: u128| value.checked_shr(host_bits).unwrap_or(0);
    name_width == width && shift(name) == shift(network)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn ip(network: &str, prefix: u8) -> NameSubtree {
        NameSubtree::Ip {
            address: network.parse().unwrap(),
            prefix,
        }
    }

    #[rstest]
    #[case("example.org", "example.org", true)]
    #[case("a.b.Example.ORG", "example.org", true)]
    #[case("badexample.org", "example.org", false)]
    #[case("example.org", "a.example.org", false)]
    #[case("*.example.org", "example.org", true)]
    #[case("*.example.org", "a.example.org", false)]
    #[case("anything.test", "", true)]
    #[case("a.example.org", ".example.org", true)]
    fn a_dns_name_lies_below_a_domain(
        #[case] name: &str,
        #[case] base: &str,
        #[case] inside: bool,
    ) {
        let subtree = NameSubtree::Dns(base.into());
        assert_eq!(subtree.contains(&GeneralName::Dns(name.into())), inside);
    }

    #[rstest]
    #[case("10.31.255.255", ip("10.0.0.0", 11), true)]
    #[case("10.32.0.0", ip("10.0.0.0", 11), false)]
    #[case("192.0.2.1", ip("0.0.0.0", 0), true)]
    #[case("::1", ip("0.0.0.0", 0), false)]
    #[case("2001:db8::1", ip("2001:db8::", 32), true)]
    #[case("::1", ip("::", 0), true)]
    fn an_address_lies_in_a_network(
        #[case] name: &str,
        #[case] subtree: NameSubtree,
        #[case] inside: bool,
    ) {
        assert_eq!(
            subtree.contains(&GeneralName::Ip(name.parse().unwrap())),
            inside
        );
    }

    #[rstest]
    #[case("a@example.org", "a@example.org", true)]
    #[case("b@example.org", "a@example.org", false)]
    #[case("a@example.org", "example.org", true)]
    #[case("a@mail.example.org", "example.org", false)]
    #[case("a@mail.example.org", ".example.org", true)]
    #[case("a@example.org", ".example.org", false)]
    fn a_mailbox_lies_at_a_host(#[case] name: &str, #[case] base: &str, #[case] inside: bool) {
        let subtree = NameSubtree::Email(base.into());
        assert_eq!(subtree.contains(&GeneralName::Email(name.into())), inside);
    }

    #[test]
    fn excluded_wins_and_other_forms_are_free() {
        let constraints = NameConstraints {
            permitted: vec![NameSubtree::Dns("example.org".into())],
            excluded: vec![NameSubtree::Dns("secret.example.org".into())],
        };
        let names = [
            "www.example.org",
            "secret.example.org",
            "*.example.org",
            "example.net",
        ]
        .map(|name| GeneralName::Dns(name.into()));
        let free = GeneralName::Ip("192.0.2.1".parse().unwrap());
        let names = [&names[..], &[free]].concat();
        let violations = constraints.violations(&DistinguishedName::empty(), &names);
        assert_eq!(
            violations,
            [
                "the issuer's name constraints exclude `secret.example.org`",
                "the issuer's name constraints exclude `*.example.org`",
                "the issuer's name constraints do not permit `example.net`",
            ]
        );
    }

    #[test]
    fn a_subject_lies_below_a_directory_name() {
        let base = DistinguishedName::parse("O=Example,C=DE").unwrap();
        let constraints = NameConstraints {
            permitted: vec![NameSubtree::Directory(base)],
            excluded: vec![],
        };
        let inside = DistinguishedName::parse("CN=x,O=Example,C=DE").unwrap();
        let outside = DistinguishedName::parse("CN=x,O=Other,C=DE").unwrap();
        assert!(constraints.violations(&inside, &[]).is_empty());
        assert_eq!(constraints.violations(&outside, &[]).len(), 1);
        assert!(
            constraints
                .violations(&DistinguishedName::empty(), &[])
                .is_empty()
        );
    }
}
