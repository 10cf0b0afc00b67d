//! Which names are taken, and which are not and why.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("example.org")]
#[case("*.example.org")]
#[case("a-b.c1.internal")]
#[case("host")]
#[case("xn--bcher-kva.example")]
#[case("*.shop.example.co.uk")]
fn a_canonical_name_is_taken_as_it_is(#[case] text: &str) {
    assert_eq!(DnsName::parse(text).unwrap().as_str(), text);
}

#[rstest]
#[case("", DnsNameFault::Empty)]
#[case("*.", DnsNameFault::Empty)]
#[case("Example.org", DnsNameFault::UpperCase)]
#[case("example.org.", DnsNameFault::TrailingDot)]
#[case("a_b.example.org", DnsNameFault::Underscore)]
#[case("bücher.example", DnsNameFault::NotAscii)]
#[case("xn--zz.example", DnsNameFault::BadALabel)]
#[case("xn--example", DnsNameFault::BadALabel)]
#[case("ab--cd.example", DnsNameFault::BadALabel)]
#[case("*.com", DnsNameFault::WildcardOverPublicSuffix)]
#[case("*.co.uk", DnsNameFault::WildcardOverPublicSuffix)]
#[case("a.*.b", DnsNameFault::MisplacedWildcard)]
#[case("**.a", DnsNameFault::MisplacedWildcard)]
#[case("*.*.example.org", DnsNameFault::MisplacedWildcard)]
#[case("w*.example.org", DnsNameFault::MisplacedWildcard)]
#[case("192.0.2.1", DnsNameFault::IpAddress)]
#[case("1.2.3", DnsNameFault::IpAddress)]
#[case("a..b", DnsNameFault::EmptyLabel)]
#[case(".example.org", DnsNameFault::EmptyLabel)]
#[case("-a.example", DnsNameFault::OuterHyphen)]
#[case("a b.example", DnsNameFault::BadCharacter)]
fn every_other_name_is_refused_with_its_reason(#[case] text: &str, #[case] reason: DnsNameFault) {
    match DnsName::parse(text) {
        Err(IdentifierError::BadDnsName { reason: found, .. }) => assert_eq!(found, reason),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn lengths_are_counted_in_octets() {
    let long = format!(
        "{}.{}",
        ["a".repeat(63).as_str(); 3].join("."),
        "b".repeat(62)
    );
    assert_eq!(long.len(), 254);
    assert!(DnsName::parse(&long).is_err());
    assert!(DnsName::parse(&long[1..]).is_ok());
    assert!(DnsName::parse(&format!("{}.example", "a".repeat(64))).is_err());
}

#[rstest]
#[case("192.0.2.1", true)]
#[case("2001:db8::1", true)]
#[case("2001:DB8::1", false)]
#[case("2001:db8:0:0::1", false)]
#[case("192.0.2.01", false)]
#[case("192.0.2", false)]
#[case("fe80::1%eth0", false)]
fn an_address_is_taken_in_its_canonical_form_only(#[case] text: &str, #[case] taken: bool) {
    assert_eq!(Identifier::parse("ip", text).is_ok(), taken, "{text}");
}

#[test]
fn containment_ends_at_a_label() {
    let name = DnsName::parse("www.example.org").unwrap();
    assert!(name.is_within("example.org"));
    assert!(name.is_within("www.example.org"));
    assert!(!name.is_within("ample.org"));
    assert!(!name.is_within(""));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(kind in "dns|ip|.{0,8}", value in "\\PC{0,80}") {
        let _ = Identifier::parse(&kind, &value);
    }

    #[test]
    fn what_is_taken_is_written_back_unchanged(value in "[*a-z0-9.:_-]{0,40}") {
        for kind in ["dns", "ip"] {
            if let Ok(identifier) = Identifier::parse(kind, &value) {
                prop_assert_eq!(identifier.value(), value.clone());
            }
        }
    }

    #[test]
    fn a_name_of_any_kind_reads_back(text in "[a-zA-Z0-9@:/.%-]{0,40}") {
        if let Ok(identifier) = Identifier::from_text(&text) {
            let again = Identifier::from_text(&identifier.value());
            prop_assert_eq!(again.as_ref(), Ok(&identifier));
            prop_assert_eq!(Identifier::from_general_name(&identifier.to_general_name()), again);
        }
    }
}
