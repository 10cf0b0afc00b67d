//! What is refused when an expression is saved. What expressions decide is shown in `policy::tests`.

use rstest::rstest;

use super::*;

fn faults(expression: &str) -> Vec<ExpressionFault> {
    Expression::new(expression, "change something").faults(100)
}

#[rstest]
#[case("names.all(n, n.endsWith('.example.org'))")]
#[case("validity_days <= 30 || key.bits >= 3072")]
#[case("sans.filter(s, s.type == 'dns').size() <= 5")]
#[case("has(metadata.cost_center) && metadata.cost_center.matches('^[0-9]{4}$')")]
#[case("!('owner' in metadata) || metadata['owner'] != ''")]
#[case("subject.O == 'Example' && requester.kind != 'token' && team != 'guests'")]
#[case("profile == 'default' ? issuer == 'issuing' : type(team) == string")]
#[case("names.exists(a, names.exists(b, a == 'www.' + b))")]
fn what_authors_write_is_taken(#[case] expression: &str) {
    assert_eq!(faults(expression), []);
}

#[rstest]
#[case::empty("", None, "empty")]
#[case::unclosed("names.all(n, n == 'a'", Some(21), "not well-formed")]
#[case::unknown_variable("team == 'a' && tema == 'b'", Some(15), "no variable `tema`")]
#[case::unknown_function("lower(team) == 'a'", None, "no function `lower`")]
#[case::not_a_truth_value("validity_days", None, "no truth value")]
#[case::other_types("team > 5", None, "no matching overload")]
#[case::bad_pattern("team.matches('(a')", None, "not well-formed")]
#[case::hidden_pattern("team.matches(profile)", None, "as a text")]
fn a_fault_is_found_when_it_is_saved(
    #[case] expression: &str,
    #[case] offset: Option<usize>,
    #[case] message: &str,
) {
    let found = faults(expression);
    let fault = found.first().expect("a fault");
    assert!(fault.message.contains(message), "{found:?}");
    if offset.is_some() {
        assert_eq!(fault.offset, offset, "{found:?}");
    }
}

#[rstest]
#[case::three_loops("names.all(a, names.all(b, names.all(c, a != b + c)))")]
#[case::doubling(
    "[names].map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).size() > 0"
)]
#[case::patterns_in_loops("names.all(a, names.all(b, a.matches('x*')))")]
fn an_expression_that_could_run_long_is_refused(#[case] expression: &str) {
    assert!(!faults(expression).is_empty());
}

#[test]
fn a_long_or_deep_expression_is_refused() {
    assert!(!faults(&format!("team == '{}'", "a".repeat(2000))).is_empty());
    for depth in [17, 900] {
        for deep in [
            format!("{}true{}", "(".repeat(depth), ")".repeat(depth)),
            format!("{}true", "!".repeat(depth)),
            format!("{}0{} == []", "[".repeat(depth), "]".repeat(depth)),
            format!("{}true", "true ? true : ".repeat(depth / 8))
                + " ? true : true".repeat(16).as_str(),
        ] {
            assert!(!faults(&deep).is_empty(), "{deep}");
        }
    }
    let deepest = format!("{}true{}", "(".repeat(16), ")".repeat(16));
    assert_eq!(faults(&deepest), []);
}

#[test]
fn a_rule_without_a_message_is_refused() {
    let found = Expression::new("true", " ").faults(1);
    assert_eq!(found[0].member, "message");
}
