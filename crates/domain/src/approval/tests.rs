//! The state machine: which step follows which, who counts, what is due when.

use proptest::prelude::*;

use super::*;
use crate::access::Principal;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(seconds)
}

fn user(number: u32) -> Principal {
    format!("usr_{number:026}").parse().unwrap()
}

fn token(number: u32) -> Principal {
    format!("tok_{number:026}").parse().unwrap()
}

fn rule(text: &str) -> ApprovalRule {
    let rule: ApprovalRule = serde_json::from_str(text).unwrap();
    assert!(rule.faults().is_empty(), "{:?}", rule.faults());
    rule
}

/// Two of the approvers, then one of the administrators.
fn two_stages() -> ApprovalRule {
    rule(
        r#"{"stages": [
            {"approvals": 2, "approvers": [{"kind": "role", "role": "approver"}]},
            {"approvals": 1, "approvers": [{"kind": "role", "role": "administrator"}]}],
            "deadline_seconds": 1000, "remind_every_seconds": 300,
            "escalation": [{"after_seconds": 400, "to": [{"kind": "role", "role": "chief"}]}]}"#,
    )
}

fn round(rule: ApprovalRule) -> Round {
    Round {
        profile_version: 1,
        reasons: rule.when.clone(),
        rule,
        digest: Fingerprint::of(b"shown"),
        latest: None,
    }
}

/// Asked for by user 1.
fn approval(rule: ApprovalRule) -> Approval {
    let first = round(rule);
    Approval {
        id: "apr_00000000000000000000000001".parse().unwrap(),
        enrollment_id: "enr_00000000000000000000000001".parse().unwrap(),
        profile_id: "prf_00000000000000000000000001".parse().unwrap(),
        profile_version: 1,
        team_id: None,
        rule: first.rule,
        reasons: first.reasons,
        requester: Some(user(1)),
        behind: vec![user(1), user(9)],
        digest: first.digest,
        round: 1,
        state: ApprovalState::Pending { stage: 0 },
        decisions: Vec::new(),
        asked_at: at(0),
        deadline_at: at(1000),
        latest: None,
        reminded_at: None,
        escalated: 0,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn decision(approval: &Approval, person: Principal, verdict: Verdict) -> Decision {
    Decision {
        round: approval.round,
        stage: approval.stage().unwrap_or(0),
        by: person.clone(),
        on_behalf_of: None,
        person,
        verdict,
        reason: Some("because".to_owned()),
        address: None,
        via: Via::Api,
        at: at(1),
    }
}

fn agree(approval: &mut Approval, number: u32) -> Result<Progress, NotPending> {
    let decision = decision(approval, user(number), Verdict::Approve);
    approval.decide(decision)
}

/// A candidate who holds these roles everywhere.
fn may(
    approval: &Approval,
    principal: Principal,
    made_by: Option<Principal>,
    roles: &[&str],
) -> Result<Entitlement, NotEntitled> {
    let holds = |role: &str, _: Option<&TeamId>| roles.contains(&role);
    let candidate = Candidate {
        person: principal.clone(),
        principal,
        made_by,
        holds: &holds,
    };
    candidate.entitlement(approval, &[])
}

#[test]
fn i11_each_stage_takes_as_many_people_as_it_says() {
    let mut approval = approval(two_stages());
    assert_eq!(approval.missing(), 2);
    assert_eq!(agree(&mut approval, 2), Ok(Progress::Waiting));
    assert_eq!(approval.missing(), 1);
    assert_eq!(agree(&mut approval, 3), Ok(Progress::NextStage));
    assert_eq!(approval.state, ApprovalState::Pending { stage: 1 });
    assert_eq!(agree(&mut approval, 4), Ok(Progress::Approved));
    assert_eq!(agree(&mut approval, 5), Err(NotPending("approved")));
}

#[test]
fn one_who_says_no_is_enough() {
    let mut approval = approval(two_stages());
    agree(&mut approval, 2).unwrap();
    let no = decision(&approval, user(3), Verdict::Deny);
    assert_eq!(approval.decide(no), Ok(Progress::Denied));
    assert_eq!(approval.state.name(), "denied");
    assert_eq!(agree(&mut approval, 4), Err(NotPending("denied")));
}

#[test]
fn i11_whoever_asks_or_stands_behind_never_decides() {
    let approval = approval(two_stages());
    let everything = ["approver", "administrator", "chief"];
    for (principal, made_by) in [(user(1), None), (user(9), None), (token(5), Some(user(1)))] {
        assert_eq!(
            may(&approval, principal, made_by, &everything),
            Err(NotEntitled::OwnRequest)
        );
    }
    // Of somebody who merely stands behind, other tokens are other people's.
    let others = may(&approval, token(5), Some(user(9)), &everything);
    assert_eq!(others, Ok(Entitlement::Own));
}

#[test]
fn i11_a_person_decides_once_with_whatever_token() {
    let mut approval = approval(two_stages());
    agree(&mut approval, 2).unwrap();
    let holds = |_: &str, _: Option<&TeamId>| true;
    let with_token = Candidate {
        principal: token(7),
        person: user(2),
        made_by: Some(user(2)),
        holds: &holds,
    };
    assert_eq!(
        with_token.entitlement(&approval, &[]),
        Err(NotEntitled::DecidedAlready(user(2)))
    );
}

#[test]
fn it_is_the_turn_of_one_stage_and_of_those_it_escalated_to() {
    let mut approval = approval(two_stages());
    let asked = |approval: &Approval, role| may(approval, user(5), None, &[role]).is_ok();
    assert!(asked(&approval, "approver") && !asked(&approval, "administrator"));
    assert!(!asked(&approval, "chief"));
    approval.apply(Due::Escalate(0), at(400));
    assert!(asked(&approval, "approver") && asked(&approval, "chief"));
    agree(&mut approval, 2).unwrap();
    agree(&mut approval, 3).unwrap();
    assert!(asked(&approval, "administrator") && asked(&approval, "chief"));
    assert!(!asked(&approval, "approver"));
    let refused = may(&approval, user(5), None, &[]).unwrap_err().to_string();
    assert!(refused.contains("role `administrator`"), "{refused}");
}

#[test]
fn a_delegate_decides_for_somebody_and_then_neither_decides_again() {
    let mut approval = approval(two_stages());
    let nothing = |_: &str, _: Option<&TeamId>| false;
    let approver = |role: &str, _: Option<&TeamId>| role == "approver";
    let person = |number, holds| Candidate {
        principal: user(number),
        person: user(number),
        made_by: None,
        holds,
    };
    let delegate = person(7, &nothing);
    let entitled = delegate.entitlement(&approval, &[person(6, &approver)]);
    assert_eq!(entitled, Ok(Entitlement::OnBehalfOf(user(6))));
    // Nobody can have done by others what one may not do oneself.
    assert!(
        delegate
            .entitlement(&approval, &[person(1, &approver)])
            .is_err()
    );
    let mut taken = decision(&approval, user(7), Verdict::Approve);
    taken.on_behalf_of = Some(user(6));
    approval.decide(taken).unwrap();
    for number in [6, 7] {
        assert!(
            person(number, &approver)
                .entitlement(&approval, &[])
                .is_err()
        );
    }
}

#[test]
fn reminders_escalation_and_expiry_come_in_their_time_and_once() {
    let mut approval = approval(two_stages());
    let mut happened = Vec::new();
    let mut now = at(0);
    while let Some(due_at) = approval.next_due() {
        assert!(due_at > now || happened.is_empty(), "time goes on");
        assert_eq!(approval.due(due_at - Duration::from_secs(1)), None);
        now = due_at;
        let due = approval.due(now).unwrap();
        approval.apply(due, now);
        happened.push((now.since(at(0)).as_secs(), due));
    }
    assert_eq!(
        happened,
        [
            (300, Due::Remind),
            (400, Due::Escalate(0)),
            (700, Due::Remind),
            (1000, Due::Expire),
        ]
    );
    assert_eq!(approval.state, ApprovalState::Expired { at: at(1000) });
}

#[test]
fn what_was_missed_while_nobody_looked_ends_in_expiry_alone() {
    let mut approval = approval(two_stages());
    assert_eq!(approval.due(at(5000)), Some(Due::Expire));
    approval.apply(Due::Expire, at(5000));
    assert_eq!((approval.due(at(6000)), approval.next_due()), (None, None));
}

#[test]
fn i11_a_change_begins_another_round_in_which_nothing_is_decided_yet() {
    let mut approval = approval(two_stages());
    agree(&mut approval, 2).unwrap();
    agree(&mut approval, 3).unwrap();
    agree(&mut approval, 4).unwrap();
    let changed = Round {
        profile_version: 2,
        digest: Fingerprint::of(b"something else"),
        latest: Some(at(600)),
        ..round(two_stages())
    };
    approval.restart(changed, at(50)).unwrap();
    assert_eq!(approval.state, ApprovalState::Pending { stage: 0 });
    assert_eq!((approval.round, approval.missing()), (2, 2));
    assert_eq!(approval.standing_decisions().count(), 0);
    assert_eq!(approval.decisions.len(), 3, "what was said is kept");
    assert_eq!(
        approval.deadline_at,
        at(600),
        "not later than what it stands on"
    );
    assert_eq!(agree(&mut approval, 2), Ok(Progress::Waiting));
}

#[test]
fn what_has_ended_stays_ended() {
    let end = |state| Approval {
        state,
        ..approval(two_stages())
    };
    let (now, reason) = (at(1), String::new());
    for state in [
        ApprovalState::Denied {
            at: now,
            reason: reason.clone(),
        },
        ApprovalState::Expired { at: now },
        ApprovalState::Cancelled { at: now, reason },
    ] {
        let mut approval = end(state.clone());
        assert!(agree(&mut approval, 2).is_err());
        assert!(approval.cancel("late".to_owned(), at(2)).is_err());
        assert!(approval.restart(round(two_stages()), at(2)).is_err());
        assert_eq!((approval.due(at(9999)), approval.missing()), (None, 0));
        assert_eq!(approval.state, state);
    }
}

#[test]
fn nobody_is_there_only_if_all_who_are_asked_are_named_and_away() {
    let named = rule(&format!(
        r#"{{"stages": [{{"approvals": 1, "approvers": [
            {{"kind": "named", "principal": "{}"}}, {{"kind": "named", "principal": "{}"}}]}}]}}"#,
        user(2),
        user(3)
    ));
    let approval_of_two = approval(named);
    assert!(approval_of_two.nobody_is_there(|_| true));
    assert!(!approval_of_two.nobody_is_there(|who| *who == user(2)));
    assert!(!approval(two_stages()).nobody_is_there(|_| true));
}

#[test]
fn a_link_is_for_one_approval_one_round_one_use_and_what_it_can_say() {
    let mut of_link = approval(two_stages());
    let link = ApprovalLink {
        hash: Fingerprint::of(b"secret"),
        approval_id: of_link.id.clone(),
        round: 1,
        approver: user(2),
        verdicts: vec![Verdict::Deny],
        expires_at: at(1000),
        created_at: at(0),
        used_at: None,
    };
    assert_eq!(link.check(&of_link, at(999)), Ok(()));
    assert_eq!(link.check(&of_link, at(1000)), Err(LinkRefusal::Spent));
    let used = ApprovalLink {
        used_at: Some(at(1)),
        ..link.clone()
    };
    assert_eq!(used.check(&of_link, at(2)), Err(LinkRefusal::Spent));
    assert_eq!(link.check_verdict(Verdict::Deny), Ok(()));
    assert_eq!(
        link.check_verdict(Verdict::Approve),
        Err(LinkRefusal::OtherVerdict)
    );
    let mut other = of_link.clone();
    other.id = "apr_00000000000000000000000002".parse().unwrap();
    assert_eq!(link.check(&other, at(2)), Err(LinkRefusal::Spent));
    of_link.restart(round(two_stages()), at(5)).unwrap();
    assert_eq!(link.check(&of_link, at(6)), Err(LinkRefusal::OtherRound));
}

proptest! {
    /// Whoever tries in whatever order: approved means that each stage had its people, all
    /// different, and none of those who stand behind the request.
    #[test]
    fn i11_approved_means_enough_different_people(
        tries in prop::collection::vec((1_u32..12, any::<bool>(), 0_u8..20), 0..60)
    ) {
        let mut approval = approval(two_stages());
        for (number, is_chief, chance) in tries {
            if chance == 0 {
                let _ = approval.restart(round(two_stages()), at(2));
            }
            let roles: &[&str] = if is_chief { &["administrator"] } else { &["approver"] };
            if may(&approval, user(number), None, roles).is_ok() {
                agree(&mut approval, number).unwrap();
            }
        }
        let people: std::collections::BTreeSet<Principal> =
            approval.standing_decisions().map(|d| d.person.clone()).collect();
        prop_assert_eq!(people.len(), approval.standing_decisions().count());
        prop_assert!(!people.contains(&user(1)) && !people.contains(&user(9)));
        let is_approved = matches!(approval.state, ApprovalState::Approved { .. });
        prop_assert_eq!(is_approved, people.len() == 3);
    }
}
