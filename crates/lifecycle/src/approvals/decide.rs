//! Decide: what somebody says is taken under lock, after another look at everything. Of two final
//! approvals at once one is final; the other is told so.

use std::sync::Arc;

use domain::access::Principal;
use domain::approval::{
    Approval, ApprovalState, Decision, Due, Entitlement, LinkRefusal, NotEntitled, NotPending,
    Progress, Verdict, Via, digest_of,
};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::ApprovalId;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde_json::json;
use store::jobs::{JobRow, Lease};
use store::{StoreError, Tx};

use super::people::Decider;
use super::standing::{Standing, standing};
use super::tell::{decision_data, with};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;

/// What somebody says to an approval.
#[derive(Clone, Debug)]
pub struct Saying {
    pub approval: ApprovalId,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

/// An approval after a decision.
#[derive(Debug)]
pub struct Decided {
    pub approval: Approval,
    pub progress: Progress,
}

/// Why a decision is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("there is no approval {0}")]
    Unknown(ApprovalId),
    #[error("say why: whoever asked is shown the reason of a denial")]
    NoReason,
    #[error("the reason is longer than {MAX_REASON} characters; make it shorter")]
    LongReason,
    #[error(transparent)]
    NotPending(#[from] NotPending),
    #[error(transparent)]
    NotEntitled(NotEntitled),
    #[error(transparent)]
    Link(#[from] LinkRefusal),
    #[error(
        "the request or its profile has changed since it was shown, and what was decided before is void; look at it again"
    )]
    Changed,
    #[error("it cannot be approved any more: {0}")]
    Gone(String),
    #[error("the deadline is over; the request has to be made again")]
    Expired,
    #[error("the request cannot be decided on again now: {0}")]
    Reconsider(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotEntitled> for DecideError {
    fn from(error: NotEntitled) -> Self {
        match error {
            NotEntitled::NotPending(error) => Self::NotPending(error),
            NotEntitled::OwnRequest
            | NotEntitled::DecidedAlready(_)
            | NotEntitled::NotYourTurn(_) => Self::NotEntitled(error),
        }
    }
}

/// What the transaction left behind.
enum Taken {
    Decided(Box<Approval>, Progress),
    /// Somebody has to look again.
    Changed,
    Gone(String),
    Expired,
}

/// All that the transaction works with.
struct Deciding {
    saying: Saying,
    decider: Decider,
    link: Option<Fingerprint>,
    job: JobRow,
    lease: Lease,
    now: Timestamp,
    caller: Caller,
}

impl Lifecycle {
    /// Takes what `principal` says.
    pub async fn decide(
        self: &Arc<Self>,
        saying: Saying,
        principal: &Principal,
        caller: &Caller,
    ) -> Result<Decided, DecideError> {
        self.decide_by(saying, principal, None, caller).await
    }

    /// The same, by a one-time link or not.
    pub(super) async fn decide_by(
        self: &Arc<Self>,
        mut saying: Saying,
        principal: &Principal,
        link: Option<Fingerprint>,
        caller: &Caller,
    ) -> Result<Decided, DecideError> {
        saying.reason = read_reason(saying.reason.as_deref(), saying.verdict)?;
        let (id, now) = (saying.approval.clone(), self.now());
        let found = self
            .approval(&id)
            .await?
            .ok_or_else(|| DecideError::Unknown(id.clone()))?;
        let job = self.new_job(
            &Job::DriveEnrollment {
                enrollment: found.enrollment_id.clone(),
            },
            now,
        );
        let deciding = Deciding {
            saying,
            decider: self.decider(principal).await?,
            link,
            job: job.clone(),
            lease: self.lease(now),
            now,
            caller: caller.clone(),
        };
        let lifecycle = Arc::clone(self);
        let taken = self
            .store
            .write("approval.decide", move |tx| {
                Box::pin(async move { lifecycle.take(tx, deciding).await })
            })
            .await?;
        match taken {
            Taken::Decided(approval, progress) => {
                if progress == Progress::Approved {
                    self.drive_approved(job, &approval);
                }
                Ok(Decided {
                    approval: *approval,
                    progress,
                })
            }
            Taken::Changed => {
                self.reconsider(&id)
                    .await
                    .map_err(|error| DecideError::Reconsider(error.to_string()))?;
                Err(DecideError::Changed)
            }
            Taken::Gone(reason) => Err(DecideError::Gone(reason)),
            Taken::Expired => Err(DecideError::Expired),
        }
    }

    async fn take(&self, tx: &mut Tx<'_>, deciding: Deciding) -> Result<Taken, DecideError> {
        let (now, id) = (deciding.now, &deciding.saying.approval);
        let unknown = || DecideError::Unknown(id.clone());
        let mut approval = tx.find_approval_for_update(id).await?.ok_or_else(unknown)?;
        let mut enrollment = tx
            .find_enrollment_for_update(&approval.enrollment_id)
            .await?
            .ok_or_else(unknown)?;
        if let Some(hash) = &deciding.link {
            let link = tx.find_approval_link(hash).await?;
            let link = link.ok_or(LinkRefusal::Spent)?;
            link.check(&approval, now)?;
            link.check_verdict(deciding.saying.verdict)?;
        }
        let stage = approval.stage()?;
        let profile = self.profile_name(tx, &approval).await?;
        if approval.due(now) == Some(Due::Expire) {
            self.expire(tx, &mut approval, &mut enrollment, &profile, now)
                .await?;
            return Ok(Taken::Expired);
        }
        let entitlement = deciding.decider.entitlement(&approval)?;
        match standing(tx, &enrollment, now).await? {
            Standing::Gone(reason) => {
                self.end_undecided(tx, &mut approval, &mut enrollment, &profile, &reason, now)
                    .await?;
                return Ok(Taken::Gone(reason));
            }
            Standing::ProfileChanged => return Ok(Taken::Changed),
            Standing::Holds if digest_of(&enrollment) != approval.digest => {
                return Ok(Taken::Changed);
            }
            Standing::Holds => {}
        }
        if let Some(hash) = &deciding.link
            && !tx.spend_approval_link(hash, now).await?
        {
            return Err(LinkRefusal::Spent.into());
        }
        let decision = decision_of(&deciding, &approval, stage, entitlement);
        let number = u32::try_from(approval.decisions.len()).unwrap_or(u32::MAX);
        tx.insert_decision(&approval.id, number, &decision).await?;
        let progress = approval.decide(decision.clone())?;
        tx.update_approval(&approval).await?;
        self.tell_of_decision(tx, &approval, &enrollment, &profile, &decision, &deciding)
            .await?;
        self.follow(
            tx,
            progress,
            &approval,
            &mut enrollment,
            &profile,
            &deciding,
        )
        .await?;
        Ok(Taken::Decided(Box::new(approval), progress))
    }

    async fn tell_of_decision(
        &self,
        tx: &mut Tx<'_>,
        approval: &Approval,
        enrollment: &Enrollment,
        profile: &str,
        decision: &Decision,
        deciding: &Deciding,
    ) -> Result<(), StoreError> {
        let event = self.approval_event(
            "approval.decided",
            approval,
            enrollment,
            profile,
            &deciding.caller,
        );
        let more = json!({ "decision": decision_data(decision) });
        tx.insert_event(&with(event, more)).await
    }

    /// What a decision leads to, in the same transaction.
    async fn follow(
        &self,
        tx: &mut Tx<'_>,
        progress: Progress,
        approval: &Approval,
        enrollment: &mut Enrollment,
        profile: &str,
        deciding: &Deciding,
    ) -> Result<(), StoreError> {
        let caller = &deciding.caller;
        let event = match (progress, &approval.state) {
            (Progress::Waiting, _) => return Ok(()),
            (Progress::NextStage, _) => self.awaiting_event(approval, enrollment, profile, caller),
            (Progress::Approved, _) => {
                enrollment.state = EnrollmentState::approved();
                tx.enqueue_claimed(&deciding.job, &deciding.lease).await?;
                self.approval_event("approval.approved", approval, enrollment, profile, caller)
            }
            (Progress::Denied, ApprovalState::Denied { reason, .. }) => {
                enrollment.state = EnrollmentState::Denied {
                    reason: reason.clone(),
                };
                let event =
                    self.approval_event("approval.denied", approval, enrollment, profile, caller);
                with(event, json!({ "reason": reason }))
            }
            (Progress::Denied, _) => return Ok(()),
        };
        if progress != Progress::NextStage {
            enrollment.updated_at = deciding.now;
            tx.update_enrollment(enrollment).await?;
        }
        tx.insert_event(&event).await
    }

    /// Goes on with what was approved, in a task of its own: the job is there if it dies.
    fn drive_approved(self: &Arc<Self>, job: JobRow, approval: &Approval) {
        let (lifecycle, enrollment) = (Arc::clone(self), approval.enrollment_id.clone());
        self.detach(async move {
            if let Err(error) = lifecycle.resume_enrollment(&job, &enrollment).await {
                tracing::warn!(enrollment.id = %enrollment, error = %error, "what was approved is not signed yet; it is tried again");
            }
        });
    }
}

fn decision_of(
    deciding: &Deciding,
    approval: &Approval,
    stage: u32,
    entitlement: Entitlement,
) -> Decision {
    Decision {
        round: approval.round,
        stage,
        by: deciding.decider.who.principal.clone(),
        on_behalf_of: match entitlement {
            Entitlement::Own => None,
            Entitlement::OnBehalfOf(principal) => Some(principal),
        },
        person: deciding.decider.who.person.clone(),
        verdict: deciding.saying.verdict,
        reason: deciding.saying.reason.clone(),
        address: deciding.caller.actor.address.clone(),
        via: match deciding.link {
            Some(_) => Via::Link,
            None => Via::Api,
        },
        at: deciding.now,
    }
}

fn read_reason(reason: Option<&str>, verdict: Verdict) -> Result<Option<String>, DecideError> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    match (reason, verdict) {
        (None, Verdict::Deny) => Err(DecideError::NoReason),
        (Some(reason), _) if reason.chars().count() > MAX_REASON => Err(DecideError::LongReason),
        (reason, _) => Ok(reason.map(str::to_owned)),
    }
}

const MAX_REASON: usize = 1000;
