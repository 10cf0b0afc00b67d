use pki::time::Timestamp;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::acme::issue_value::IssueValueError;
use crate::acme::jwk::Thumbprint;

const ACCOUNT: &str = "https://ca.example/acct/123";
const PREFIX: &str = "https://ca.example/account-hash/";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn thumbprint() -> Thumbprint {
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        .parse()
        .unwrap()
}

/// What a record at example.com has to say.
fn expectation<'a>(names: &'a [String], thumbprints: &'a [Thumbprint]) -> Expectation<'a> {
    Expectation {
        issuer_domain_names: names,
        account: AccountUri {
            url: ACCOUNT,
            thumbprints,
            plain: true,
            hash_prefix: Some(PREFIX),
        },
        domain: "example.com",
        wildcard: false,
        record_domain: "example.com",
        now: NOW,
    }
}

/// The verdict over a record, the expectation changed as the case needs it.
fn check(text: &str, change: impl FnOnce(&mut Expectation<'_>)) -> Result<(), Mismatch> {
    let (names, thumbprints) = (["ca.example".to_owned()], [thumbprint()]);
    let mut expected = expectation(&names, &thumbprints);
    change(&mut expected);
    Record::parse(text.as_bytes()).unwrap().matches(&expected)
}

fn plain(rest: &str) -> String {
    format!("ca.example; accounturi={ACCOUNT}{rest}")
}

#[rstest]
#[case("example.com", "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw")]
#[case("EXAMPLE.com.", "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw")]
#[case("*", "NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug")]
fn the_account_hash_is_that_of_the_draft(#[case] domain: &str, #[case] hash: &str) {
    assert_eq!(
        hashed_uri(PREFIX, domain, &thumbprint(), ACCOUNT),
        format!("{PREFIX}sha-256/{hash}")
    );
}

#[test]
fn a_record_is_read_with_all_its_tags() {
    let text = "CA.example ; AccountURI=https://ca.example/acct/1; policy=WildCard ;\
                persistuntil=1800000000; future=x";
    assert_eq!(
        Record::parse(text.as_bytes()),
        Ok(Record {
            issuer: "ca.example".to_owned(),
            account_uri: "https://ca.example/acct/1".to_owned(),
            wildcard: true,
            persist_until: Some(NOW),
        })
    );
}

#[rstest]
#[case("", RecordError::NoIssuer)]
#[case("; accounturi=a", RecordError::NoIssuer)]
#[case("ca.example", RecordError::NoAccount)]
#[case("ca.example;", RecordError::NoAccount)]
#[case("ca.example; accounturi=", RecordError::NoAccount)]
#[case(
    "ca.example; accounturi=a;",
    RecordError::Grammar(IssueValueError::Parameter)
)]
#[case(
    "ca.example; accounturi=a; ",
    RecordError::Grammar(IssueValueError::Parameter)
)]
#[case(
    "ca.example; accounturi=a b",
    RecordError::Grammar(IssueValueError::Value)
)]
#[case(
    "ca.example; accounturi=a; accounturi=a",
    RecordError::Duplicate("accounturi")
)]
#[case(
    "ca.example; accounturi=a; ACCOUNTURI=b",
    RecordError::Duplicate("accounturi")
)]
#[case(
    "ca.example; accounturi=a; policy=wildcard; policy=x",
    RecordError::Duplicate("policy")
)]
#[case(
    "ca.example; accounturi=a; persistUntil=1; persistUntil=2",
    RecordError::Duplicate("persistUntil")
)]
#[case("ca.example; accounturi=a; persistUntil=", RecordError::PersistUntil)]
#[case(
    "ca.example; accounturi=a; persistUntil=soon",
    RecordError::PersistUntil
)]
#[case("ca.example; accounturi=a; persistUntil=-1", RecordError::PersistUntil)]
#[case("ca.example; accounturi=a; persistUntil=+1", RecordError::PersistUntil)]
#[case(
    "ca.example; accounturi=a; persistUntil=1.5",
    RecordError::PersistUntil
)]
#[case(
    "ca.example; accounturi=a; persistUntil=99999999999999999999",
    RecordError::PersistUntil
)]
fn a_malformed_record_says_what_is_wrong(#[case] text: &str, #[case] expected: RecordError) {
    assert_eq!(Record::parse(text.as_bytes()), Err(expected));
}

#[test]
fn unknown_tags_may_be_repeated() {
    assert_eq!(check(&plain("; x=1; x=2"), |_| ()), Ok(()));
}

#[test]
fn both_forms_of_the_account_are_accepted_where_both_are_switched_on() {
    assert_eq!(check(&plain(""), |_| ()), Ok(()));
    for domain in ["example.com", "*"] {
        let uri = hashed_uri(PREFIX, domain, &thumbprint(), ACCOUNT);
        let text = format!("ca.example; accounturi={uri}");
        assert_eq!(check(&text, |_| ()), Ok(()));
        let off = check(&text, |expected| expected.account.hash_prefix = None);
        assert_eq!(off, Err(Mismatch::OtherAccount));
    }
    let off = check(&plain(""), |expected| expected.account.plain = false);
    assert_eq!(off, Err(Mismatch::PlainUrl));
}

#[test]
fn a_hash_stays_good_after_a_change_of_key_and_is_bound_to_its_domain() {
    let text = format!(
        "ca.example; accounturi={}",
        hashed_uri(PREFIX, "example.com", &thumbprint(), ACCOUNT)
    );
    let names = ["ca.example".to_owned()];
    let newer = Thumbprint::from_octets([7; 32]);
    let record = Record::parse(text.as_bytes()).unwrap();
    let verdict = |history: &[Thumbprint]| record.matches(&expectation(&names, history));
    assert_eq!(verdict(&[newer, thumbprint()]), Ok(()));
    assert_eq!(verdict(&[newer]), Err(Mismatch::OtherAccount));
    let elsewhere = check(&text, |expected| {
        expected.domain = "example.org";
        expected.record_domain = "example.org";
    });
    assert_eq!(elsewhere, Err(Mismatch::OtherAccount));
}

#[rstest]
#[case("https://ca.example/acct/12")]
#[case("https://ca.example/acct/1234")]
#[case("https://CA.example/acct/123")]
#[case("https://ca.example/acct/123/")]
fn the_account_url_is_compared_by_its_characters(#[case] uri: &str) {
    let text = format!("ca.example; accounturi={uri}");
    assert_eq!(check(&text, |_| ()), Err(Mismatch::OtherAccount));
}

#[test]
fn records_for_other_issuers_are_passed_over() {
    let other = format!("other.example; accounturi={ACCOUNT}");
    assert_eq!(
        check(&other, |_| ()),
        Err(Mismatch::OtherIssuer("other.example".to_owned()))
    );
}

#[rstest]
#[case("; persistUntil=1800000001", Ok(()))]
#[case("; persistUntil=1800000000", Ok(()))]
#[case(
    "; persistUntil=1799999999",
    Err(Mismatch::Expired(Timestamp::from_seconds(1_799_999_999)))
)]
#[case("; persistUntil=0", Err(Mismatch::Expired(Timestamp::UNIX_EPOCH)))]
fn a_record_ends_with_persist_until(#[case] rest: &str, #[case] expected: Result<(), Mismatch>) {
    assert_eq!(check(&plain(rest), |_| ()), expected);
}

#[rstest]
#[case("", "example.com", false, Ok(()))]
#[case("", "example.com", true, Err(Mismatch::NoWildcard))]
#[case("", "a.example.com", false, Err(Mismatch::NoSubdomain))]
#[case("; policy=other", "example.com", true, Err(Mismatch::NoWildcard))]
#[case("; policy=wildcard", "example.com", false, Ok(()))]
#[case("; policy=wildcard", "example.com", true, Ok(()))]
#[case("; policy=wildcard", "a.b.example.com", true, Ok(()))]
#[case("; policy=wildcard", "A.Example.COM.", false, Ok(()))]
#[case("; policy=wildcard", "notexample.com", false, Err(Mismatch::OtherDomain("example.com".to_owned())))]
#[case("; policy=wildcard", "com", false, Err(Mismatch::OtherDomain("example.com".to_owned())))]
fn scope_is_the_domain_unless_the_policy_widens_it(
    #[case] rest: &str,
    #[case] domain: &str,
    #[case] wildcard: bool,
    #[case] expected: Result<(), Mismatch>,
) {
    let names = ["ca.example".to_owned()];
    let expected_by = Expectation {
        domain,
        wildcard,
        ..expectation(&names, &[])
    };
    let record = Record::parse(plain(rest).as_bytes()).unwrap();
    assert_eq!(record.matches(&expected_by), expected);
}

#[test]
fn one_good_record_among_others_is_enough_and_reasons_are_kept_otherwise() {
    let names = ["ca.example".to_owned()];
    let expected = expectation(&names, &[]);
    let noise = [
        "v=spf1 -all",
        "other.example; accounturi=x",
        "ca.example; accounturi=x",
    ];
    let none = find(noise, &expected).unwrap_err();
    assert_eq!(none.to_string(), Mismatch::OtherAccount.to_string());
    assert_eq!((none.malformed.len(), none.mismatches.len()), (1, 2));
    let good = plain("");
    assert!(find(noise.into_iter().chain([good.as_str()]), &expected).is_ok());
    assert_eq!(
        find::<&str>([], &expected).unwrap_err().to_string(),
        "there is no record"
    );
}

proptest! {
    #[test]
    fn n07_no_octets_make_the_reader_panic(octets: Vec<u8>) {
        let _ = Record::parse(&octets);
    }

    #[test]
    fn n07_record_like_text_is_read_or_refused(
        text in "ca.example(;| |=|accounturi|policy|persistUntil|[0-9a-z:/]){0,12}",
    ) {
        let _ = Record::parse(text.as_bytes());
    }
}
