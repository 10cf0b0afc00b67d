//! Approvals as they go out.

use domain::approval::{Approval, ApprovalState, Approver, Decision, RoleScope, Verdict, Via};
use domain::enrollment::Enrollment;
use lifecycle::approvals::{Dossier, PolicyOutcome};
use protocols::rest::approval as wire;

use super::enrollments::{render_requester, render_violation, status_of};
use super::names::Names;
use super::orders::render_identifier;
use super::people::{self, People};

/// An approval in a list.
pub(super) fn render(
    approval: &Approval,
    enrollment: &Enrollment,
    names: &Names,
    people: &People,
) -> wire::Approval {
    let stages = u32::try_from(approval.rule.stages.len()).unwrap_or(u32::MAX);
    wire::Approval {
        id: approval.id.to_string(),
        status: status(&approval.state),
        enrollment: enrollment.id.to_string(),
        enrollment_status: status_of(&enrollment.state, names),
        requester: render_requester(&enrollment.requester, names),
        identifiers: enrollment
            .identifiers
            .iter()
            .map(render_identifier)
            .collect(),
        profile: names.profile(&approval.profile_id),
        profile_version: approval.profile_version,
        team: approval.team_id.as_ref().map(|id| names.team(id)),
        reasons: approval.reasons.iter().map(ToString::to_string).collect(),
        waits_for: approval.asked().map(approver).collect(),
        missing: approval.missing(),
        stage: approval.stage().ok().map(|stage| stage + 1),
        stages,
        round: approval.round,
        decisions: approval
            .decisions
            .iter()
            .map(|decision| render_decision(decision, approval.round))
            .collect(),
        reason: match &approval.state {
            ApprovalState::Denied { reason, .. } | ApprovalState::Cancelled { reason, .. } => {
                Some(reason.clone())
            }
            ApprovalState::Pending { .. }
            | ApprovalState::Approved { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Waived { .. } => None,
        },
        people: people.of(people::of_approval(approval, enrollment)),
        deadline_at: approval.deadline_at,
        created_at: approval.created_at,
        updated_at: approval.updated_at,
    }
}

/// An approval with all that it is about.
pub(super) fn details(found: &Dossier, names: &Names, people: &People) -> wire::ApprovalDetails {
    let approval = &found.approval;
    wire::ApprovalDetails {
        approval: render(approval, &found.enrollment, names, people),
        your_turn: matches!(found.turn, Some(Ok(_))),
        why_not: match &found.turn {
            Some(Err(refusal)) => Some(refusal.to_string()),
            Some(Ok(_)) | None => None,
        },
        key_kind: found.key_kind.clone(),
        spki_sha256: found
            .spki_sha256
            .map(|octets| data_encoding::HEXLOWER.encode(&octets)),
        metadata: found.enrollment.metadata.clone(),
        policy: policy(&found.policy),
        last_certificate: found
            .last
            .as_ref()
            .map(|(last, differences)| wire::LastCertificate {
                id: last.id.to_string(),
                not_after: last.not_after,
                differences: differences
                    .iter()
                    .map(|difference| wire::Difference {
                        what: difference.what.to_owned(),
                        before: difference.before.clone(),
                        now: difference.now.clone(),
                    })
                    .collect(),
            }),
        escalation: escalation(approval),
        next_step_at: approval.next_due(),
    }
}

fn escalation(approval: &Approval) -> Vec<wire::EscalationState> {
    let steps = approval.rule.escalation.iter().zip(0_u32..);
    steps
        .map(|(step, number)| wire::EscalationState {
            at: approval.asked_at + std::time::Duration::from_secs(step.after_seconds),
            to: step.to.iter().map(approver).collect(),
            is_taken: number < approval.escalated,
        })
        .collect()
}

fn policy(outcome: &PolicyOutcome) -> wire::PolicyResult {
    match outcome {
        PolicyOutcome::Allowed {
            not_before,
            not_after,
            issuer,
        } => wire::PolicyResult::Allowed {
            issuer: issuer.clone(),
            not_before: *not_before,
            not_after: *not_after,
        },
        PolicyOutcome::Violations(violations) => wire::PolicyResult::Violations {
            violations: violations.iter().map(render_violation).collect(),
        },
        PolicyOutcome::Unknown(reason) => wire::PolicyResult::Unknown {
            reason: reason.clone(),
        },
    }
}

fn render_decision(decision: &Decision, round: u32) -> wire::Decision {
    wire::Decision {
        by: decision.by.to_string(),
        on_behalf_of: decision.on_behalf_of.as_ref().map(ToString::to_string),
        verdict: match decision.verdict {
            Verdict::Approve => wire::Verdict::Approve,
            Verdict::Deny => wire::Verdict::Deny,
        },
        reason: decision.reason.clone(),
        address: decision.address.clone(),
        via: match decision.via {
            Via::Api => wire::Via::Api,
            Via::Link => wire::Via::Link,
        },
        stage: decision.stage + 1,
        is_void: decision.round != round,
        at: decision.at,
    }
}

fn approver(approver: &Approver) -> wire::Approver {
    match approver {
        Approver::Role { role, scope } => wire::Approver::Role {
            role: role.clone(),
            scope: match scope {
                RoleScope::OwnerTeam => wire::RoleScope::OwnerTeam,
                RoleScope::Everywhere => wire::RoleScope::Everywhere,
            },
        },
        Approver::Named { principal } => wire::Approver::Named {
            principal: principal.to_string(),
        },
    }
}

fn status(state: &ApprovalState) -> wire::ApprovalStatus {
    match state {
        ApprovalState::Pending { .. } => wire::ApprovalStatus::Pending,
        ApprovalState::Approved { .. } => wire::ApprovalStatus::Approved,
        ApprovalState::Denied { .. } => wire::ApprovalStatus::Denied,
        ApprovalState::Expired { .. } => wire::ApprovalStatus::Expired,
        ApprovalState::Cancelled { .. } => wire::ApprovalStatus::Cancelled,
        ApprovalState::Waived { .. } => wire::ApprovalStatus::Waived,
    }
}

/// What somebody wants to say.
pub(super) fn verdict_in(verdict: wire::Verdict) -> Verdict {
    match verdict {
        wire::Verdict::Approve => Verdict::Approve,
        wire::Verdict::Deny => Verdict::Deny,
    }
}
