//! Fields are read with the place of every fault; values are found in the documented order.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn spec(rules: Value) -> FieldSpec {
    serde_json::from_value(rules).unwrap()
}

fn people() -> People {
    let mut people = People::default();
    people.add_team("web", ["team_1"]);
    people.add_user("ann", ["ann@example.org"]);
    people
}

fn fields(definitions: &[(&str, Value)]) -> Fields {
    let at = Timestamp::UNIX_EPOCH;
    let zeros = pki::random::SystemRandom::new();
    let fields: Vec<Field> = definitions
        .iter()
        .map(|(name, rules)| Field {
            id: crate::id::FieldId::mint(at, &zeros),
            name: (*name).to_owned(),
            spec: spec(rules.clone()),
            version: 1,
            retired_at: rules["description"]
                .as_str()
                .filter(|d| *d == "retired")
                .map(|_| at),
            created_at: at,
            updated_at: at,
        })
        .collect();
    Fields::read(&fields, people()).unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const FACTS: Facts<'static> = Facts {
    profile: "default",
    required: &[],
    directory: Some("internal"),
    team: Some("web"),
    eab_key: Some(("eab_1", "web team")),
    account: Some("acc_1"),
    name: Some("www.example.org"),
    can_be_asked: true,
};

#[rstest]
#[case(json!({}), " a b ", "a b")]
#[case(json!({"pattern": "[0-9]{4}"}), "4711", "4711")]
#[case(json!({"kind": "number"}), "007.50", "7.5")]
#[case(json!({"kind": "number", "min": 1, "max": "10"}), "10", "10")]
#[case(json!({"kind": "date"}), "2027-01-31", "2027-01-31")]
#[case(json!({"kind": "choice", "choices": ["Prod", "Test"]}), "PROD", "Prod")]
#[case(json!({"kind": "boolean"}), "Yes", "true")]
#[case(json!({"kind": "boolean"}), "0", "false")]
#[case(json!({"kind": "user"}), "Ann@Example.org", "ann")]
#[case(json!({"kind": "team"}), "team_1", "web")]
fn a_value_has_one_normal_form(#[case] rules: Value, #[case] written: &str, #[case] normal: &str) {
    let field = Definition::read("f", &spec(rules)).unwrap();
    let value = field.normal(written, Some(&people())).unwrap();
    assert_eq!(value, normal);
    assert_eq!(
        field.normal(&value, Some(&people())).unwrap(),
        normal,
        "and stays as it is"
    );
}

#[rstest]
#[case(json!({}), "", "empty")]
#[case(json!({}), "a\u{7}b", "control character")]
#[case(json!({"min": 3}), "ab", "2 characters")]
#[case(json!({"pattern": "[0-9]{4}"}), "47110", "[0-9]{4}")]
#[case(json!({"pattern": "a|b"}), "ab", "a|b")]
#[case(json!({"kind": "number"}), "many", "is no number")]
#[case(json!({"kind": "number", "min": 9}), "8.999", "below 9")]
#[case(json!({"kind": "date", "max": "2027-01-01"}), "2027-01-02", "above 2027-01-01")]
#[case(json!({"kind": "date"}), "31.1.2027", "is no date")]
#[case(json!({"kind": "choice", "choices": ["Prod", "Test"]}), "Stage", "Prod, Test")]
#[case(json!({"kind": "boolean"}), "maybe", "neither true nor false")]
#[case(json!({"kind": "user"}), "nobody", "no user")]
#[case(json!({"kind": "team"}), "ann", "no team")]
fn a_value_that_does_not_fit_is_told_why(
    #[case] rules: Value,
    #[case] text: &str,
    #[case] why: &str,
) {
    let field = Definition::read("f", &spec(rules)).unwrap();
    let reason = field.normal(text, Some(&people())).unwrap_err();
    assert!(reason.contains(why), "{reason}");
}

#[rstest]
#[case(json!({"pattern": "ab(c"}), "pattern, character 3")]
#[case(json!({"pattern": "[a-"}), "pattern, character 1")]
#[case(json!({"pattern": "(?=a)"}), "pattern, character 1")]
#[case(json!({"pattern": "a{1000}{1000}{1000}"}), "pattern")]
#[case(json!({"kind": "number", "pattern": "a"}), "pattern")]
#[case(json!({"kind": "number", "min": "few"}), "min")]
#[case(json!({"kind": "number", "min": 2, "max": 1}), "max")]
#[case(json!({"kind": "boolean", "max": 1}), "max")]
#[case(json!({"kind": "choice"}), "choices")]
#[case(json!({"kind": "choice", "choices": ["a", "b", "A"]}), "choices[2]")]
#[case(json!({"choices": ["a"]}), "choices")]
#[case(json!({"kind": "number", "default": "x"}), "default")]
#[case(json!({"kind": "team", "default": "nobody"}), "default")]
#[case(json!({"applies": {"teams": ["nobody"]}}), "applies.teams")]
#[case(json!({"template": "a {eab.nam}"}), "template, character 3")]
#[case(json!({"template": "{field:nothing}"}), "template")]
#[case(json!({"template": "{field:old}"}), "template")]
#[case(json!({"template": "{field:f}"}), "template")]
#[case(json!({"template": "{team}", "default": "a"}), "default")]
#[case(json!({"label": "a\nb"}), "label")]
fn a_broken_definition_is_refused_with_the_place_of_the_error(
    #[case] rules: Value,
    #[case] place: &str,
) {
    let known = fields(&[("old", json!({"description": "retired"}))]);
    let faults = known.check("f", &spec(rules)).unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, [place], "{faults:?}");
}

#[test]
fn computed_fields_may_not_run_in_a_circle() {
    let known = fields(&[
        ("a", json!({"template": "{field:b}"})),
        ("b", json!({"template": "{field:c}-{team}"})),
        ("c", json!({})),
    ]);
    let faults = known
        .check("c", &spec(json!({"template": "{field:a}"})))
        .unwrap_err();
    assert_eq!(faults[0].message, "runs in a circle: c -> a -> b -> c");
    assert!(
        known
            .check("c", &spec(json!({"template": "{profile}"})))
            .is_ok()
    );
    assert_eq!(known.referrers("c"), ["b"]);
}

#[rstest]
#[case("Cost")]
#[case("")]
#[case("1st")]
#[case("a-b")]
fn a_name_is_fit_for_queries_and_templates(#[case] name: &str) {
    assert!(Definition::read(name, &FieldSpec::default()).is_err());
}

/// Everything that can give `f` a value, nearest first, and what it is called.
const LADDER: [Source; 8] = [
    Source::Requested,
    Source::Renewed,
    Source::EabKey,
    Source::Account,
    Source::Directory,
    Source::Password,
    Source::EntryPoint,
    Source::Profile,
];

fn ladder(given: &BTreeMap<Source2, Values>) -> Sources<'_> {
    let at = |index: usize| given.get(&Source2(index));
    Sources {
        requested: at(0),
        renewed: at(1),
        eab_key: at(2),
        account: at(3),
        directory: at(4),
        password: at(5),
        entry_point: at(6),
        profile: at(7),
    }
}

/// A place in [`LADDER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source2(usize);

proptest! {
    #[test]
    fn the_nearest_source_that_has_a_value_gives_it(present in proptest::collection::vec(any::<bool>(), 8), has_default: bool) {
        let rules = if has_default { json!({"default": "d"}) } else { json!({}) };
        let all = fields(&[("f", rules)]);
        let given: BTreeMap<Source2, Values> = (0..8)
            .filter(|index| present[*index])
            .map(|index| (Source2(index), values(&[("f", &format!("v{index}"))])))
            .collect();
        let resolved = resolve(&all, &ladder(&given), &FACTS);
        prop_assert!(resolved.violations.is_empty());
        let nearest = present.iter().position(|present| *present);
        let source = match nearest {
            Some(index) => Some(LADDER[index]),
            None => has_default.then_some(Source::Default),
        };
        prop_assert_eq!(resolved.sources.get("f").copied(), source);
        prop_assert_eq!(resolved.values.contains_key("f"), source.is_some());
        if let Some(index) = nearest {
            prop_assert_eq!(&resolved.values["f"], &format!("v{index}"));
        }
    }
}

#[test]
fn what_is_missing_and_required_is_told_with_where_to_set_it() {
    let all = fields(&[
        (
            "cost_center",
            json!({"label": "Cost center", "required": true}),
        ),
        ("owner", json!({})),
    ]);
    let resolved = resolve(&all, &Sources::default(), &FACTS);
    let [violation] = resolved.violations.as_slice() else {
        panic!("{:?}", resolved.violations);
    };
    assert_eq!(violation.rule, "metadata.cost_center");
    for part in [
        "Cost center",
        "required",
        "eab_1",
        "acc_1",
        "`internal`",
        "`default`",
    ] {
        let text = violation.text();
        assert!(text.contains(part), "{part}: {text}");
    }
    let profile_requires = Facts {
        required: &["owner".to_owned()],
        ..FACTS
    };
    let resolved = resolve(&all, &Sources::default(), &profile_requires);
    assert_eq!(resolved.violations.len(), 2);
    let nobody_to_ask = Facts {
        can_be_asked: false,
        ..FACTS
    };
    assert!(
        resolve(&all, &Sources::default(), &nobody_to_ask)
            .violations
            .is_empty()
    );
}

#[rstest]
#[case(&[("nothing", "x")], "there is no field")]
#[case(&[("old", "x")], "retired")]
#[case(&[("who", "x")], "computed")]
#[case(&[("elsewhere", "x")], "does not apply")]
#[case(&[("n", "x")], "is no number")]
fn what_is_given_by_name_is_taken_or_refused(#[case] given: &[(&str, &str)], #[case] why: &str) {
    let all = fields(&[
        ("old", json!({"description": "retired"})),
        ("who", json!({"template": "{eab.name}"})),
        ("elsewhere", json!({"applies": {"directories": ["public"]}})),
        ("n", json!({"kind": "number"})),
    ]);
    let given = values(given);
    let sources = Sources {
        requested: Some(&given),
        ..Sources::default()
    };
    let resolved = resolve(&all, &sources, &FACTS);
    assert_eq!(resolved.violations.len(), 1, "{:?}", resolved.violations);
    assert!(
        resolved.violations[0].message.contains(why),
        "{:?}",
        resolved.violations
    );
    // The same value, inherited, is passed over where it is none of this request's.
    let sources = Sources {
        profile: Some(&given),
        ..Sources::default()
    };
    let is_wrong_in_itself = given.contains_key("n");
    assert_eq!(
        resolve(&all, &sources, &FACTS).violations.len(),
        usize::from(is_wrong_in_itself)
    );
}

#[test]
fn a_value_of_the_renewed_certificate_that_no_longer_fits_gives_way() {
    let all = fields(&[("n", json!({"kind": "number", "required": true}))]);
    let (old, profile) = (values(&[("n", "many")]), values(&[("n", "3")]));
    let sources = Sources {
        renewed: Some(&old),
        profile: Some(&profile),
        ..Sources::default()
    };
    assert_eq!(
        resolve(&all, &sources, &FACTS).sources["n"],
        Source::Profile
    );
    let sources = Sources {
        renewed: Some(&old),
        ..Sources::default()
    };
    let resolved = resolve(&all, &sources, &FACTS);
    assert!(
        resolved.violations[0].message.contains("no longer fits"),
        "{resolved:?}"
    );
}

#[test]
fn computed_values_follow_what_they_stand_on() {
    let all = fields(&[
        ("bill", json!({"template": "{field:code}/{eab.name}"})),
        ("code", json!({"template": "{field:center}-{team}"})),
        ("center", json!({})),
        ("key", json!({"kind": "number", "template": "{eab.id}"})),
    ]);
    let given = values(&[("center", "4711")]);
    let sources = Sources {
        account: Some(&given),
        ..Sources::default()
    };
    let resolved = resolve(&all, &sources, &FACTS);
    assert_eq!(resolved.values["bill"], "4711-web/web team");
    assert_eq!(resolved.sources["bill"], Source::Computed);
    assert_eq!(
        resolved.violations.len(),
        1,
        "an id is no number: {resolved:?}"
    );
    assert!(
        !resolve(&all, &Sources::default(), &FACTS)
            .values
            .contains_key("bill")
    );
}

#[test]
fn a_change_is_checked_and_what_is_computed_follows() {
    let all = fields(&[
        ("bill", json!({"template": "{field:center}-{team}"})),
        ("center", json!({"required": true, "pattern": "[0-9]+"})),
        ("note", json!({})),
        ("old", json!({"description": "retired"})),
    ]);
    let current = values(&[
        ("center", "1"),
        ("bill", "1-web"),
        ("note", "a"),
        ("old", "x"),
    ]);
    let change = |name: &str, value: Option<&str>| -> Change {
        BTreeMap::from([(name.to_owned(), value.map(str::to_owned))])
    };
    let after = all
        .change(&current, &change("center", Some("2")), &FACTS)
        .unwrap();
    assert_eq!(
        after,
        values(&[
            ("center", "2"),
            ("bill", "2-web"),
            ("note", "a"),
            ("old", "x")
        ])
    );
    let after = all.change(&current, &change("note", None), &FACTS).unwrap();
    assert!(!after.contains_key("note"));
    assert!(
        !all.change(&current, &change("old", None), &FACTS)
            .unwrap()
            .contains_key("old")
    );
    for (name, value, why) in [
        ("center", Some("x"), "pattern"),
        ("center", None, "required"),
        ("bill", Some("3-web"), "computed"),
        ("bill", None, "computed"),
        ("old", Some("y"), "retired"),
        ("nothing", None, "there is no field"),
    ] {
        let violations = all
            .change(&current, &change(name, value), &FACTS)
            .unwrap_err();
        assert!(violations[0].message.contains(why), "{violations:?}");
    }
}

#[test]
fn what_passes_values_on_is_checked_by_what_it_can_pass_on() {
    let all = fields(&[
        ("n", json!({"kind": "number"})),
        ("public", json!({"applies": {"directories": ["public"]}})),
    ]);
    let by = Circumstance::Directory("internal");
    let normal = all.check_passed_on(&values(&[("n", "01")]), by).unwrap();
    assert_eq!(normal, values(&[("n", "1")]));
    let violations = all
        .check_passed_on(&values(&[("n", "x"), ("public", "y")]), by)
        .unwrap_err();
    assert_eq!(violations.len(), 2, "{violations:?}");
    assert!(
        all.check_passed_on(&values(&[("public", "y")]), Circumstance::EabKey)
            .is_ok()
    );
}

#[test]
fn scalars_of_json_are_values() {
    let spec = spec(json!({"kind": "number", "min": 1, "default": 3.5}));
    assert_eq!(
        (spec.min.as_deref(), spec.default.as_deref()),
        (Some("1"), Some("3.5"))
    );
    assert!(serde_json::from_value::<FieldSpec>(json!({"requierd": true})).is_err());
}
