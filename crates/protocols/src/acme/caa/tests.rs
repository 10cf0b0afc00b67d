use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::acme::issue_value::IssueValueError;

const ACCOUNT: &str = "https://ca.example/acct/1";

/// The verdict over records written as `flags tag value`.
fn verdict(records: &[(u8, &str, &str)], wildcard: bool) -> Result<(), CaaRefusal> {
    let records: Vec<CaaRecord> = records
        .iter()
        .map(|(flags, tag, value)| CaaRecord::new(*flags, *tag, *value))
        .collect();
    let issuer_domains = ["ca.example".to_owned(), "ca.example.net".to_owned()];
    let query = Query {
        wildcard,
        issuer_domains: &issuer_domains,
        account_uri: Some(ACCOUNT),
        method: Some("dns-01"),
    };
    evaluate(&records, &query)
}

#[rstest]
#[case::no_records(&[], false)]
#[case::no_records_for_a_wildcard(&[], true)]
#[case::ours(&[(0, "issue", "ca.example")], false)]
#[case::ours_in_capitals(&[(0, "ISSUE", "CA.Example")], false)]
#[case::our_second_name(&[(0, "issue", "ca.example.net")], false)]
#[case::ours_critical(&[(128, "issue", "ca.example")], false)]
#[case::ours_among_others(&[(0, "issue", "other.example"), (0, "issue", " ca.example ; x=y")], false)]
#[case::ours_beside_nobody(&[(0, "issue", ";"), (0, "issue", "ca.example")], false)]
#[case::issue_covers_wildcards(&[(0, "issue", "ca.example")], true)]
#[case::issuewild(&[(0, "issue", ";"), (0, "issuewild", "ca.example")], true)]
#[case::issuewild_does_not_count_for_a_name(&[(0, "issuewild", ";")], false)]
#[case::only_iodef(&[(0, "iodef", "mailto:a@example.com")], false)]
#[case::critical_iodef(&[(128, "iodef", "mailto:a@example.com")], false)]
#[case::unknown_without_the_flag(&[(0, "future", "x"), (0, "issue", "ca.example")], false)]
#[case::other_flags_mean_nothing(&[(0x7f, "future", "x")], false)]
#[case::account(&[(0, "issue", "ca.example; accounturi=https://ca.example/acct/1")], false)]
#[case::method(&[(0, "issue", "ca.example; validationmethods=http-01,dns-01")], false)]
#[case::both(&[(0, "issue", "ca.example;AccountUri=https://ca.example/acct/1; ValidationMethods=dns-01")], false)]
fn i10_issuance_is_authorized(#[case] records: &[(u8, &str, &str)], #[case] wildcard: bool) {
    assert_eq!(verdict(records, wildcard), Ok(()));
}

#[rstest]
#[case::nobody(";", MissReason::Nobody)]
#[case::empty("", MissReason::Nobody)]
#[case::nobody_with_a_parameter("; policy=none", MissReason::Nobody)]
#[case::other("other.example", MissReason::OtherIssuer)]
#[case::our_parent("example", MissReason::OtherIssuer)]
#[case::our_child("www.ca.example", MissReason::OtherIssuer)]
#[case::malformed("%%%%%", MissReason::Malformed(IssueValueError::Issuer))]
#[case::trailing_semicolon("ca.example; a=b;", MissReason::Malformed(IssueValueError::Parameter))]
#[case::comma("ca.example; a=b, c=d", MissReason::Malformed(IssueValueError::Value))]
#[case::other_account(
    "ca.example; accounturi=https://ca.example/acct/2",
    MissReason::OtherAccount
)]
#[case::account_by_case(
    "ca.example; accounturi=https://CA.example/acct/1",
    MissReason::OtherAccount
)]
#[case::empty_account("ca.example; accounturi=", MissReason::OtherAccount)]
#[case::account_twice(
    "ca.example; accounturi=https://ca.example/acct/1; accounturi=https://ca.example/acct/1",
    MissReason::Duplicate("accounturi")
)]
#[case::other_method("ca.example; validationmethods=http-01", MissReason::OtherMethod)]
#[case::longer_method("ca.example; validationmethods=dns-011", MissReason::OtherMethod)]
#[case::no_method("ca.example; validationmethods=", MissReason::OtherMethod)]
#[case::methods_malformed("ca.example; validationmethods=dns-01,", MissReason::Methods)]
#[case::methods_by_semicolon("ca.example; validationmethods=dns_01", MissReason::Methods)]
#[case::methods_twice(
    "ca.example; validationmethods=dns-01; ValidationMethods=http-01",
    MissReason::Duplicate("validationmethods")
)]
fn i10_issuance_is_refused_with_the_reason(#[case] value: &str, #[case] reason: MissReason) {
    for (tag, wildcard) in [("issue", false), ("issue", true), ("issuewild", true)] {
        let refusal = verdict(&[(0, tag, value)], wildcard).unwrap_err();
        let CaaRefusal::NotAuthorized { property, misses } = &refusal else {
            panic!("{refusal}");
        };
        assert_eq!((*property, misses[0].reason), (tag, reason));
        assert_eq!(refusal.problem().http_status(), 403);
    }
}

#[rstest]
#[case(&[(128, "future", "x")])]
#[case(&[(0, "issue", "ca.example"), (128, "future", "x")])]
#[case(&[(0xff, "", "")])]
fn i10_an_unknown_critical_property_forbids(#[case] records: &[(u8, &str, &str)]) {
    let refusal = verdict(records, false).unwrap_err();
    assert!(
        matches!(refusal, CaaRefusal::UnknownCritical { .. }),
        "{refusal}"
    );
}

#[test]
fn i10_issuewild_overrides_issue_for_wildcards() {
    let records = [(0, "issue", "ca.example"), (0, "issuewild", ";")];
    assert_eq!(verdict(&records, false), Ok(()));
    assert!(verdict(&records, true).is_err());
}

#[test]
fn i10_a_restriction_is_not_met_by_an_issuance_without_account_or_method() {
    let issuer_domains = ["ca.example".to_owned()];
    let query = Query {
        wildcard: false,
        issuer_domains: &issuer_domains,
        account_uri: None,
        method: None,
    };
    for parameter in [
        "accounturi=x",
        "accounturi=",
        "validationmethods=dns-01",
        "validationmethods=",
    ] {
        let record = CaaRecord::new(0, "issue", format!("ca.example; {parameter}"));
        assert!(evaluate(&[record], &query).is_err(), "{parameter}");
    }
    assert!(evaluate(&[CaaRecord::new(0, "issue", "ca.example")], &query).is_ok());
}

#[test]
fn i10_the_refusal_names_every_property() {
    let records = [(0, "issue", "other.example"), (0, "issue", ";")];
    assert_eq!(
        verdict(&records, false).unwrap_err().to_string(),
        "no CAA `issue` property authorizes this issuance: \
         `other.example`: it names another CA; `;`: it authorizes nobody"
    );
}

#[test]
fn a_value_that_is_not_text_authorizes_nobody_and_is_shown_escaped() {
    let issuer_domains = ["ca.example".to_owned()];
    let query = Query {
        wildcard: false,
        issuer_domains: &issuer_domains,
        account_uri: None,
        method: None,
    };
    let record = CaaRecord::new(0, "issue", b"ca.example\xff\n".as_slice());
    let refusal = evaluate(&[record], &query).unwrap_err().to_string();
    assert!(refusal.contains(r"ca.example\xff\n"), "{refusal}");
}

#[rstest]
#[case("a.b.example", &["a.b.example", "b.example", "example"])]
#[case("*.a.example.", &["a.example", "example"])]
#[case("example", &["example"])]
#[case("", &[])]
fn i10_the_tree_is_climbed_to_the_top_level_domain(#[case] name: &str, #[case] names: &[&str]) {
    assert_eq!(names_to_ask(name).collect::<Vec<_>>(), names);
}

proptest! {
    #[test]
    fn n07_no_record_makes_the_evaluation_panic(flags: u8, tag in ".{0,12}", value: Vec<u8>, wildcard: bool) {
        let issuer_domains = ["ca.example".to_owned()];
        let query = Query { wildcard, issuer_domains: &issuer_domains, account_uri: None, method: None };
        let _ = evaluate(&[CaaRecord::new(flags, tag, value)], &query);
    }

    #[test]
    fn a_property_that_does_not_start_with_our_name_never_authorizes(value in "[ -~]{0,40}") {
        prop_assume!(!value.trim().to_ascii_lowercase().starts_with("ca.example"));
        prop_assert!(verdict(&[(0, "issue", &value)], false).is_err());
    }
}
