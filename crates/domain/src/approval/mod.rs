//! An approval: people decide whether a request is signed. Never its requester, never one for two.
//!
//! A state machine of values: what was decided, whose turn it is, what is due when. What was
//! decided holds for exactly what was shown; a change begins another round.

mod delegation;
mod link;
mod rule;
mod turn;

#[cfg(test)]
mod tests;

use std::time::Duration;

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use delegation::{Delegation, DelegationFault};
pub use link::{ApprovalLink, LinkRefusal};
pub use rule::{
    ApprovalRule, Approver, Condition, EscalationStep, Facts, Renewal, RoleScope, Stage,
    UnchangedRenewals,
};
pub use turn::{Candidate, Entitlement, NotEntitled};

use crate::access::Principal;
use crate::enrollment::Enrollment;
use crate::id::{ApprovalId, EnrollmentId, ProfileId, TeamId};

/// One decision that people have to take on one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub enrollment_id: EnrollmentId,
    pub profile_id: ProfileId,
    pub profile_version: u32,
    /// The team that will own the certificate.
    pub team_id: Option<TeamId>,
    /// As it was when this round began.
    pub rule: ApprovalRule,
    /// Why the rule makes this request wait.
    pub reasons: Vec<Condition>,
    /// The person or program that asked, where it was one.
    pub requester: Option<Principal>,
    /// Who asked and who stands behind: none of them decides.
    pub behind: Vec<Principal>,
    /// Of the request as it is shown to those who decide.
    pub digest: Fingerprint,
    /// Counts from 1; what was decided in an earlier one is void.
    pub round: u32,
    pub state: ApprovalState,
    /// In the order in which they were taken, those of earlier rounds included.
    #[serde(skip)]
    pub decisions: Vec<Decision>,
    /// When this round began.
    pub asked_at: Timestamp,
    pub deadline_at: Timestamp,
    /// What the request stands on ends then.
    pub latest: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
    /// Steps of the escalation that were taken.
    pub escalated: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Where an approval stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ApprovalState {
    /// Waits for people of this stage, counted from 0.
    Pending { stage: u32 },
    /// Enough people agreed.
    Approved { at: Timestamp },
    /// Somebody did not.
    Denied { at: Timestamp, reason: String },
    /// Nobody decided in time.
    Expired { at: Timestamp },
    /// The request was withdrawn, or what it stood on is gone.
    Cancelled { at: Timestamp, reason: String },
    /// The profile was changed and asks nobody any more.
    Waived { at: Timestamp },
}

/// What one person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub round: u32,
    pub stage: u32,
    /// Who decided.
    pub by: Principal,
    /// Whose turn it was, where that was somebody who is represented.
    pub on_behalf_of: Option<Principal>,
    /// The human being, as far as we know: of these there is one decision in a round.
    pub person: Principal,
    pub verdict: Verdict,
    pub reason: Option<String>,
    /// The address the decision came from.
    pub address: Option<String>,
    pub via: Via,
    pub at: Timestamp,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Approve,
    Deny,
}

/// How a decision came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// REST API, command line or dashboard.
    Api,
    /// A one-time link.
    Link,
}

/// What a decision led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More people of the same stage have to agree.
    Waiting,
    /// It is the turn of others.
    NextStage,
    Approved,
    Denied,
}

/// What has to happen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Remind,
    /// The step, counted from 0.
    Escalate(u32),
    Expire,
}

/// A step that does not begin where the approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the approval is {0}, so nothing can be decided any more")]
pub struct NotPending(pub &'static str);

/// What begins a round.
#[derive(Clone, Debug)]
pub struct Round {
    pub profile_version: u32,
    pub rule: ApprovalRule,
    pub reasons: Vec<Condition>,
    pub digest: Fingerprint,
    /// What the request stands on ends then, whatever the rule says.
    pub latest: Option<Timestamp>,
}

impl Approval {
    /// The first round of an approval.
    pub fn new(
        id: ApprovalId,
        enrollment: &Enrollment,
        (requester, behind): (Option<Principal>, Vec<Principal>),
        round: Round,
        now: Timestamp,
    ) -> Self {
        let mut approval = Self {
            id,
            enrollment_id: enrollment.id.clone(),
            profile_id: enrollment.profile_id.clone(),
            profile_version: round.profile_version,
            team_id: enrollment.team_id.clone(),
            rule: round.rule.clone(),
            reasons: Vec::new(),
            requester,
            behind,
            digest: round.digest,
            round: 0,
            state: ApprovalState::Pending { stage: 0 },
            decisions: Vec::new(),
            asked_at: now,
            deadline_at: now,
            latest: round.latest,
            reminded_at: None,
            escalated: 0,
            created_at: now,
            updated_at: now,
        };
        approval.begin(round, now);
        approval
    }

    /// Begins another round: what was decided so far is void. Possible as long as nothing that
    /// was approved has been signed, which is the caller's to know.
    pub fn restart(&mut self, round: Round, now: Timestamp) -> Result<(), NotPending> {
        match self.state {
            ApprovalState::Pending { .. } | ApprovalState::Approved { .. } => {
                self.begin(round, now);
                Ok(())
            }
            ApprovalState::Denied { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Cancelled { .. }
            | ApprovalState::Waived { .. } => Err(NotPending(self.state.name())),
        }
    }

    fn begin(&mut self, round: Round, now: Timestamp) {
        let deadline = now + round.rule.deadline();
        self.profile_version = round.profile_version;
        self.rule = round.rule;
        self.reasons = round.reasons;
        self.digest = round.digest;
        self.round += 1;
        self.state = ApprovalState::Pending { stage: 0 };
        self.asked_at = now;
        self.deadline_at = round.latest.map_or(deadline, |latest| deadline.min(latest));
        self.latest = round.latest;
        self.reminded_at = None;
        self.escalated = 0;
        self.updated_at = now;
    }

    /// Takes a decision. Whether whoever decided may is [`Candidate::entitlement`]'s to say.
    pub fn decide(&mut self, decision: Decision) -> Result<Progress, NotPending> {
        let stage = self.stage()?;
        let at = decision.at;
        let progress = match decision.verdict {
            Verdict::Deny => {
                let reason = decision.reason.clone().unwrap_or_default();
                self.state = ApprovalState::Denied { at, reason };
                Progress::Denied
            }
            Verdict::Approve => {
                let agreed = 1 + self.agreed(stage);
                match self.missing_after(stage, agreed) {
                    0 if stage as usize + 1 >= self.rule.stages.len() => {
                        self.state = ApprovalState::Approved { at };
                        Progress::Approved
                    }
                    0 => {
                        self.state = ApprovalState::Pending { stage: stage + 1 };
                        Progress::NextStage
                    }
                    _ => Progress::Waiting,
                }
            }
        };
        self.decisions.push(decision);
        self.updated_at = at;
        Ok(progress)
    }

    /// Ends it without a decision of those who were asked.
    pub fn cancel(&mut self, reason: String, now: Timestamp) -> Result<(), NotPending> {
        match self.state {
            ApprovalState::Pending { .. } | ApprovalState::Approved { .. } => {
                self.state = ApprovalState::Cancelled { at: now, reason };
                self.updated_at = now;
                Ok(())
            }
            ApprovalState::Denied { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Cancelled { .. }
            | ApprovalState::Waived { .. } => Err(NotPending(self.state.name())),
        }
    }

    /// Ends it because the rules, as they are now, ask nobody about this request.
    pub fn waive(
        &mut self,
        profile_version: u32,
        digest: Fingerprint,
        now: Timestamp,
    ) -> Result<(), NotPending> {
        self.cancel(String::new(), now)?;
        self.state = ApprovalState::Waived { at: now };
        self.profile_version = profile_version;
        self.digest = digest;
        Ok(())
    }

    /// The stage that it is the turn of.
    pub fn stage(&self) -> Result<u32, NotPending> {
        match self.state {
            ApprovalState::Pending { stage } => Ok(stage),
            ApprovalState::Approved { .. }
            | ApprovalState::Denied { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Cancelled { .. }
            | ApprovalState::Waived { .. } => Err(NotPending(self.state.name())),
        }
    }

    /// Whether what its digest is of may be signed.
    pub fn is_granted(&self) -> bool {
        match self.state {
            ApprovalState::Approved { .. } | ApprovalState::Waived { .. } => true,
            ApprovalState::Pending { .. }
            | ApprovalState::Denied { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Cancelled { .. } => false,
        }
    }

    /// Decisions that count: those of this round.
    pub fn standing_decisions(&self) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(|decision| decision.round == self.round)
    }

    fn agreed(&self, stage: u32) -> u32 {
        let of_stage = self
            .standing_decisions()
            .filter(|d| d.stage == stage && d.verdict == Verdict::Approve);
        u32::try_from(of_stage.count()).unwrap_or(u32::MAX)
    }

    fn missing_after(&self, stage: u32, agreed: u32) -> u32 {
        let wanted = self.rule.stages.get(stage as usize);
        wanted.map_or(0, |stage| stage.approvals.saturating_sub(agreed))
    }

    /// How many more people of the stage have to agree; 0 once nothing is waited for.
    pub fn missing(&self) -> u32 {
        match self.stage() {
            Ok(stage) => self.missing_after(stage, self.agreed(stage)),
            Err(_) => 0,
        }
    }

    /// What is due at `now`, the most pressing first; a reminder is not for when somebody new is
    /// asked anyway.
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        self.stage().ok()?;
        if now >= self.deadline_at {
            return Some(Due::Expire);
        }
        if let Some((step, at)) = self.next_escalation()
            && now >= at
        {
            return Some(Due::Escalate(step));
        }
        let reminder = self.next_reminder()?;
        (now >= reminder).then_some(Due::Remind)
    }

    /// When something is due next; `None` when nothing is waited for.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.stage().ok()?;
        let escalation = self.next_escalation().map(|(_, at)| at);
        [escalation, self.next_reminder()]
            .into_iter()
            .flatten()
            .chain([self.deadline_at])
            .min()
    }

    /// Notes that what was due was done.
    pub fn apply(&mut self, due: Due, now: Timestamp) {
        match due {
            Due::Remind => self.reminded_at = Some(now),
            Due::Escalate(step) => {
                self.escalated = self.escalated.max(step + 1);
                // Everybody was just told.
                self.reminded_at = Some(now);
            }
            Due::Expire => self.state = ApprovalState::Expired { at: now },
        }
        self.updated_at = now;
    }

    /// The next step of the escalation and when it is taken.
    pub fn next_escalation(&self) -> Option<(u32, Timestamp)> {
        let step = self.rule.escalation.get(self.escalated as usize)?;
        let at = self.asked_at + Duration::from_secs(step.after_seconds);
        Some((self.escalated, at))
    }

    fn next_reminder(&self) -> Option<Timestamp> {
        let interval = self.rule.reminder_interval()?;
        Some(self.reminded_at.unwrap_or(self.asked_at) + interval)
    }
}

impl ApprovalState {
    /// The state's name in the store, the API and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Approved { .. } => "approved",
            Self::Denied { .. } => "denied",
            Self::Expired { .. } => "expired",
            Self::Cancelled { .. } => "cancelled",
            Self::Waived { .. } => "waived",
        }
    }
}

/// What is shown to those who decide, in 32 octets: if any of it changes, they decided on
/// something else.
pub fn digest_of(enrollment: &Enrollment) -> Fingerprint {
    let shown = serde_json::json!({
        "requester": enrollment.requester,
        "team": enrollment.team_id,
        "profile": enrollment.profile_id,
        "profile_version": enrollment.profile_version,
        "identifiers": enrollment.identifiers,
        "subject": enrollment.subject,
        "key_evidence": enrollment.key_evidence,
        "csr": Fingerprint::of(&enrollment.csr_der),
        "not_before": enrollment.not_before,
        "not_after": enrollment.not_after,
        "metadata": enrollment.metadata,
        "replaces": enrollment.replaces,
    });
    // `serde_json`'s map is sorted by itself, so the same is written the same.
    Fingerprint::of(shown.to_string().as_bytes())
}
