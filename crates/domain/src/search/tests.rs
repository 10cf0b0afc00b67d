use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn parse(query: &str) -> Search {
    Search::parse(query, NOW).unwrap_or_else(|fault| panic!("{query}: {fault}"))
}

#[test]
fn every_term_of_a_query_counts() {
    let search = parse("expires<30d team:web billing=4711 \"Exact  Words\" loose");
    assert_eq!(
        search,
        Search {
            expires_within: Some(30 * DAY),
            team: Some("web".to_owned()),
            metadata: vec![("billing".to_owned(), "4711".to_owned())],
            texts: vec!["exact  words".to_owned(), "loose".to_owned()],
            ..Search::default()
        }
    );
    assert_eq!(parse("  "), Search::default());
}

#[test]
fn each_kind_of_term_means_what_is_documented() {
    let none = Search::default;
    let cases = [
        (
            "name:www.example.org",
            Search {
                name: Some("www.example.org".into()),
                ..none()
            },
        ),
        (
            "name:.example.org",
            Search {
                suffix: Some("example.org".into()),
                ..none()
            },
        ),
        (
            "name:*.example.org",
            Search {
                name: Some("*.example.org".into()),
                ..none()
            },
        ),
        (
            "name~Shop",
            Search {
                name_contains: Some("shop".into()),
                ..none()
            },
        ),
        (
            "status:not-yet-valid",
            Search {
                status: Some(CertificateStatus::NotYetValid),
                ..none()
            },
        ),
        (
            "origin:imported",
            Search {
                origin: Some(Origin::Imported),
                ..none()
            },
        ),
        (
            "key:weak",
            Search {
                weak: Some(true),
                ..none()
            },
        ),
        (
            "key:rsa-2048",
            Search {
                key_kind: Some("rsa-2048".into()),
                ..none()
            },
        ),
        (
            "replaced:no",
            Search {
                replaced: Some(false),
                ..none()
            },
        ),
        (
            "expires>1w",
            Search {
                expires_after: Some(NOW + 7 * DAY),
                ..none()
            },
        ),
        (
            "created<7d",
            Search {
                created_after: Some(NOW - 7 * DAY),
                ..none()
            },
        ),
        (
            "created>1y",
            Search {
                created_before: Some(NOW - 365 * DAY),
                ..none()
            },
        ),
        (
            "expires<2027-01-31",
            Search {
                expires_before: Some("2027-01-31T00:00:00Z".parse().unwrap()),
                ..none()
            },
        ),
        (
            "created>2027-01-31T12:00:00Z",
            Search {
                created_after: Some("2027-01-31T12:00:00Z".parse().unwrap()),
                ..none()
            },
        ),
        (
            "cost.centre=\"a \\\"b\\\" \\\\\"",
            Search {
                metadata: vec![("cost.centre".into(), "a \"b\" \\".into())],
                ..none()
            },
        ),
        (
            "192.0.2.1",
            Search {
                texts: vec!["192.0.2.1".into()],
                ..none()
            },
        ),
        (
            "3f:9a:01",
            Search {
                texts: vec!["3f:9a:01".into()],
                ..none()
            },
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(parse(query), expected, "{query}");
    }
}

#[test]
fn what_is_not_understood_is_refused_at_its_place() {
    for (query, at) in [
        ("team:web foo:bar", 10),
        ("status:fine", 8),
        ("name:a name:b", 8),
        ("expires<soon", 9),
        ("issuer<3d", 1),
        ("profile~web", 1),
        ("a", 1),
        ("web \"open", 5),
        ("\"a b\"c", 6),
        ("we\"b", 3),
        ("team:", 6),
        ("key:rsa", 5),
        ("serial:zz", 8),
        ("replaced:maybe", 10),
        ("name~-", 6),
    ] {
        let fault = Search::parse(query, NOW).expect_err(query);
        assert_eq!(fault.at, at, "{query}: {fault}");
    }
    assert!(Search::parse(&"x".repeat(MAX_LENGTH + 1), NOW).is_err());
    assert!(Search::parse(&"abc ".repeat(MAX_TERMS + 1), NOW).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(query: String) {
        let _ = Search::parse(&query, NOW);
    }

    #[test]
    fn a_quoted_text_is_looked_for_as_it_is(text in "[a-z0-9 :=<>~\"\\\\]{2,40}") {
        prop_assume!(shortest(&text).is_ok());
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        prop_assert_eq!(parse(&format!("\"{quoted}\"")).texts, [text]);
    }
}
