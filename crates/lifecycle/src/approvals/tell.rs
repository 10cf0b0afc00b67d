//! What events say of approvals: all that a mail to those whose turn it is needs.

use domain::approval::{Approval, Decision};
use domain::enrollment::Enrollment;
use domain::event::Event;
use serde_json::{Value, json};

use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// `enrollment.awaiting_approval`: somebody's turn has come.
    pub(super) fn awaiting_event(
        &self,
        approval: &Approval,
        enrollment: &Enrollment,
        profile: &str,
        caller: &Caller,
    ) -> Event {
        let data = facts_of(approval, enrollment, profile);
        self.event(
            caller,
            "enrollment.awaiting_approval",
            enrollment.id.as_str(),
            data,
        )
    }

    /// An event about an approval, `approval.reminder` and its kind.
    pub(super) fn approval_event(
        &self,
        name: &str,
        approval: &Approval,
        enrollment: &Enrollment,
        profile: &str,
        caller: &Caller,
    ) -> Event {
        let data = facts_of(approval, enrollment, profile);
        self.event(caller, name, approval.id.as_str(), data)
    }
}

/// An event with more to say.
pub(super) fn with(mut event: Event, more: Value) -> Event {
    if let (Some(data), Value::Object(more)) = (event.data.as_object_mut(), more) {
        data.extend(more);
    }
    event
}

/// A decision as events tell it.
pub(super) fn decision_data(decision: &Decision) -> Value {
    json!({
        "verdict": decision.verdict,
        "by": decision.by,
        "on_behalf_of": decision.on_behalf_of,
        "stage": decision.stage,
        "via": decision.via,
        "reason": decision.reason,
    })
}

fn facts_of(approval: &Approval, enrollment: &Enrollment, profile: &str) -> Value {
    let asked: Vec<_> = approval.asked().collect();
    let reasons: Vec<String> = approval.reasons.iter().map(ToString::to_string).collect();
    json!({
        "approval": approval.id,
        "enrollment": enrollment.id,
        "round": approval.round,
        "status": approval.state.name(),
        "requester": enrollment.requester,
        "requested_by": approval.requester,
        "names": enrollment.identifiers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "profile": profile,
        "profile_version": approval.profile_version,
        "team": approval.team_id,
        "metadata": enrollment.metadata,
        "reasons": reasons,
        "approvers": asked,
        "missing": approval.missing(),
        "stages": approval.rule.stages.len(),
        "stage": approval.stage().ok(),
        "deadline_at": approval.deadline_at,
        "decisions": approval.standing_decisions().map(decision_data).collect::<Vec<_>>(),
    })
}
