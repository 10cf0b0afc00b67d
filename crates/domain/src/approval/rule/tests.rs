//! Rules, held against what they look at.

use super::*;

fn role(name: &str) -> Approver {
    Approver::Role {
        role: name.to_owned(),
        scope: RoleScope::OwnerTeam,
    }
}

fn rule() -> ApprovalRule {
    serde_json::from_str(
        r#"{"stages": [{"approvals": 1, "approvers": [{"kind": "role", "role": "approver"}]}]}"#,
    )
    .unwrap()
}

const NOTHING: Facts = Facts {
    wildcard: false,
    new_name: false,
    foreign_team: false,
    public_ca: false,
    validity: Duration::from_secs(90 * DAY),
    renewal: Renewal::None,
};

#[test]
fn a_short_rule_makes_everything_wait_for_five_days() {
    let rule = rule();
    assert_eq!(rule.when, [Condition::Always]);
    assert_eq!(rule.deadline_seconds, 5 * DAY);
    assert!(rule.faults().is_empty(), "{:?}", rule.faults());
    assert_eq!(rule.reasons(&NOTHING), [Condition::Always]);
}

#[test]
fn each_condition_holds_for_what_it_is_about_and_for_nothing_else() {
    let cases = [
        (
            Condition::Wildcard,
            Facts {
                wildcard: true,
                ..NOTHING
            },
        ),
        (
            Condition::NewName,
            Facts {
                new_name: true,
                ..NOTHING
            },
        ),
        (
            Condition::ForeignTeam,
            Facts {
                foreign_team: true,
                ..NOTHING
            },
        ),
        (
            Condition::PublicCa,
            Facts {
                public_ca: true,
                ..NOTHING
            },
        ),
        (
            Condition::ValidityAbove(90 * DAY),
            Facts {
                validity: Duration::from_secs(90 * DAY + 1),
                ..NOTHING
            },
        ),
    ];
    for (condition, facts) in cases {
        let rule = ApprovalRule {
            when: cases.iter().map(|(condition, _)| *condition).collect(),
            ..rule()
        };
        assert_eq!(rule.reasons(&facts), [condition]);
        assert!(rule.reasons(&NOTHING).is_empty());
    }
}

#[test]
fn an_unchanged_renewal_waits_as_the_rule_says() {
    use Renewal::{NewKey, None, SameKey};
    use UnchangedRenewals::{Skip, SkipWithSameKey, Wait};
    for (unchanged_renewals, renewal, waits) in [
        (Wait, SameKey, true),
        (Wait, None, true),
        (SkipWithSameKey, SameKey, false),
        (SkipWithSameKey, NewKey, true),
        (SkipWithSameKey, None, true),
        (Skip, SameKey, false),
        (Skip, NewKey, false),
        (Skip, None, true),
    ] {
        let rule = ApprovalRule {
            unchanged_renewals,
            ..rule()
        };
        let facts = Facts { renewal, ..NOTHING };
        assert_eq!(
            !rule.reasons(&facts).is_empty(),
            waits,
            "{unchanged_renewals:?} {renewal:?}"
        );
    }
}

#[test]
fn every_fault_of_a_rule_is_named_with_its_place() {
    let step = |after_seconds, to| EscalationStep { after_seconds, to };
    let named = Approver::Named {
        principal: "tok_00000000000000000000000001".parse().unwrap(),
    };
    let broken = ApprovalRule {
        when: Vec::new(),
        stages: vec![
            Stage {
                approvals: 0,
                approvers: Vec::new(),
            },
            Stage {
                approvals: 2,
                approvers: vec![named],
            },
        ],
        deadline_seconds: 7200,
        remind_every_seconds: 1,
        escalation: vec![
            step(3600, vec![role("a"), role("a")]),
            step(3600, vec![role("")]),
            step(7200, vec![role("b")]),
        ],
        ..rule()
    };
    let faults: Vec<String> = broken.faults().iter().map(ToString::to_string).collect();
    let faults = faults.join("\n");
    for place in [
        "approval.when",
        "approval.stages[0].approvals",
        "approval.stages[0].approvers",
        "approval.stages[1]: asks for 2",
        "approval.remind_every_seconds",
        "approval.escalation[0].to: names role `a` twice",
        "approval.escalation[1].after_seconds: must be later",
        "approval.escalation[1].to: names a role without",
        "approval.escalation[2].after_seconds: is not before",
    ] {
        assert!(faults.contains(place), "{place} in\n{faults}");
    }
}

#[test]
fn a_misspelt_member_is_refused() {
    for text in [
        r#"{"stages": [], "deadline": 5}"#,
        r#"{"stages": [{"approvals": 1, "approvers": [{"kind": "role", "role": "a", "team": "x"}]}]}"#,
        r#"{"stages": [], "when": ["wildcards"]}"#,
    ] {
        assert!(
            serde_json::from_str::<ApprovalRule>(text).is_err(),
            "{text}"
        );
    }
    let text = r#"{"stages": [], "when": ["wildcard", {"validity_above_seconds": 60}]}"#;
    let rule: ApprovalRule = serde_json::from_str(text).unwrap();
    assert_eq!(
        rule.when,
        [Condition::Wildcard, Condition::ValidityAbove(60)]
    );
}
