//! The names a certificate is found by: labels reversed, so that a suffix is a prefix.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The keys of all names, each once.
fn keys(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| key(name)).collect()
}

/// All that a certificate is listed and found under. One without names is listed behind all others, by
/// its subject.
pub(super) fn filed_under(names: &[String], subject: &str) -> BTreeSet<String> {
    let keys = keys(names);
    match keys.is_empty() {
        false => keys,
        true => {
            let subject: String = subject.to_lowercase().chars().take(200).collect();
            BTreeSet::from([format!("~{subject}")])
        }
    }
}

/// `www.Example.org` is filed as `org.example.www`; addresses, mail addresses and URIs as they are.
pub(crate) fn key(name: &str) -> String {
    let name = name.trim_end_matches('.').to_lowercase();
    if name.parse::<IpAddr>().is_ok() || name.contains(['@', ':', '/']) {
        return name;
    }
    let labels: Vec<&str> = name.rsplit('.').collect();
    labels.join(".")
}

/// The range of keys that lie below a suffix: from the first (inclusive) to the second (exclusive).
pub(super) fn range_below(suffix: &str) -> (String, String) {
    let key = key(suffix.trim_start_matches('.'));
    // `/` is the character after `.`.
    (format!("{key}."), format!("{key}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filed_by_reversed_labels_and_addresses_as_they_are() {
        let cases = [
            ("www.Example.org", "org.example.www"),
            ("*.example.org", "org.example.*"),
            ("host", "host"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("a.b@example.org", "a.b@example.org"),
            ("https://example.org/a", "https://example.org/a"),
        ];
        for (name, expected) in cases {
            assert_eq!(key(name), expected, "{name}");
        }
    }

    #[test]
    fn a_range_holds_what_is_below_and_not_what_only_begins_alike() {
        let (from, to) = range_below(".example.org");
        let within = |name: &str| (from.as_str()..to.as_str()).contains(&key(name).as_str());
        assert!(within("www.example.org") && within("*.example.org") && within("a.b.example.org"));
        assert!(!within("example.org") && !within("example.organic") && !within("my-example.org"));
    }
}
