//! The syntax of DNS names in certificates, RFC 5280 section 4.2.1.6 and RFC 5891.

/// What is wrong with a dNSName, if anything. A wildcard is allowed as the whole left-most label.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    let host = name.strip_prefix("*.").unwrap_or(name);
    if name.len() > 253 {
        return Some("is longer than 253 characters");
    }
    if host.contains('*') {
        return Some("has a wildcard that is not the whole left-most label");
    }
    if let Some(fault) = host.split('.').find_map(label_fault) {
        return Some(fault);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|octet| octet.is_ascii_digit()) {
        return Some("looks like an IP address, which belongs into an iPAddress name");
    }
    if name.len() != host.len() && !host.contains('.') {
        return Some("has a wildcard over a top-level domain");
    }
    None
}

fn label_fault(label: &str) -> Option<&'static str> {
    let octets = label.as_bytes();
    if octets.is_empty() {
        return Some("has an empty label, or a dot at an end");
    }
    if octets.len() > 63 {
        return Some("has a label of more than 63 characters");
    }
    if octets.contains(&b'_') {
        return Some("has an underscore");
    }
    if !octets
        .iter()
        .all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
    {
        return Some("has a character that host names do not have");
    }
    if octets.starts_with(b"-") || octets.ends_with(b"-") {
        return Some("has a label with a hyphen at an end");
    }
    let reserved = octets.get(2..4) == Some(b"--");
    if reserved && !octets[..2].eq_ignore_ascii_case(b"xn") {
        return Some("has a reserved label with hyphens in third and fourth place");
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::fault;

    #[rstest]
    fn host_names_are_accepted(
        #[values(
            "example.org",
            "*.example.org",
            "a",
            "xn--mnchen-3ya.example",
            "1.2.3.example",
            "A-b.Example"
        )]
        name: &str,
    ) {
        assert_eq!(fault(name), None);
    }

    #[rstest]
    fn everything_else_is_refused(
        #[values(
            "",
            ".",
            "example.org.",
            ".example.org",
            "a..b",
            "*",
            "*.com",
            "a.*.org",
            "**.org",
            "a*.org",
            "_acme.example.org",
            "exa mple.org",
            "-a.org",
            "a-.org",
            "ab--c.org",
            "192.0.2.1",
            "a.b/c",
            "é.org"
        )]
        name: &str,
    ) {
        assert!(fault(name).is_some());
    }

    #[test]
    fn lengths_are_those_of_the_dns() {
        let label = "a".repeat(63);
        assert_eq!(fault(&format!("{label}.org")), None);
        assert!(fault(&format!("{label}a.org")).is_some());
        let long = [label.as_str(); 4].join(".");
        assert!(fault(&long).is_some());
    }
}
