//! Tick: what has to happen to an approval by itself. Each reminder, each step and the end happen
//! once, whichever node's job is first: what happened is written under lock, with its event.

use std::sync::Arc;

use domain::approval::{Approval, Due, digest_of};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::ApprovalId;
use pki::time::Timestamp;
use serde_json::json;
use store::approvals::ApprovalFilter;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::people::is_absent;
use super::reconsider::ReconsiderError;
use super::standing::{Standing, standing};
use super::tell::with;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::{ClockJumped, Lifecycle};

/// Why an approval was not looked after; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// A deadline that only a clock that jumped says is over is not.
    #[error(transparent)]
    Clock(#[from] ClockJumped),
    #[error(transparent)]
    Reconsider(#[from] ReconsiderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the transaction left behind.
enum Ticked {
    Settled,
    Changed,
}

impl Lifecycle {
    /// Does what is due and puts the job back for what comes next.
    pub(crate) async fn tick_approval(
        self: &Arc<Self>,
        job: &JobRow,
        id: &ApprovalId,
    ) -> Result<(), TickError> {
        let now = self.clock_watch.check(&*self.clock)?;
        let (lifecycle, row, wanted) = (Arc::clone(self), job.clone(), id.clone());
        let ticked = self
            .store
            .write("approval.tick", move |tx| {
                Box::pin(async move { lifecycle.tick(tx, &row, &wanted, now).await })
            })
            .await?;
        match ticked {
            Ticked::Settled => Ok(()),
            Ticked::Changed => {
                self.reconsider(id).await?;
                self.settle_tick(job, id).await.map_err(Into::into)
            }
        }
    }

    async fn tick(
        &self,
        tx: &mut Tx<'_>,
        job: &JobRow,
        id: &ApprovalId,
        now: Timestamp,
    ) -> Result<Ticked, StoreError> {
        let found = tx.find_approval_for_update(id).await?;
        let Some(mut approval) = found.filter(|approval| approval.stage().is_ok()) else {
            tx.complete_job(job).await?;
            return Ok(Ticked::Settled);
        };
        let found = tx
            .find_enrollment_for_update(&approval.enrollment_id)
            .await?;
        let Some(mut enrollment) = found else {
            tx.complete_job(job).await?;
            return Ok(Ticked::Settled);
        };
        let profile = self.profile_name(tx, &approval).await?;
        if approval.due(now) != Some(Due::Expire) {
            match standing(tx, &enrollment, now).await? {
                Standing::ProfileChanged => return Ok(Ticked::Changed),
                Standing::Holds if digest_of(&enrollment) != approval.digest => {
                    return Ok(Ticked::Changed);
                }
                Standing::Gone(reason) => {
                    self.end_undecided(tx, &mut approval, &mut enrollment, &profile, &reason, now)
                        .await?;
                }
                Standing::Holds => {}
            }
        }
        self.do_what_is_due(tx, &mut approval, &mut enrollment, &profile, now)
            .await?;
        match approval.next_due() {
            Some(at) => tx.reschedule_job(job, at).await?,
            None => tx.complete_job(job).await?,
        };
        Ok(Ticked::Settled)
    }

    async fn do_what_is_due(
        &self,
        tx: &mut Tx<'_>,
        approval: &mut Approval,
        enrollment: &mut Enrollment,
        profile: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        while let Some(due) = next_step(tx, approval, now).await? {
            let name = match due {
                Due::Expire => {
                    return self.expire(tx, approval, enrollment, profile, now).await;
                }
                Due::Escalate(_) => "approval.escalated",
                Due::Remind => "approval.reminder",
            };
            approval.apply(due, now);
            tx.update_approval(approval).await?;
            let event = self.approval_event(name, approval, enrollment, profile, &Caller::system());
            let more = match due {
                Due::Escalate(step) => {
                    let to = approval.rule.escalation.get(step as usize);
                    json!({ "step": step, "to": to.map(|step| &step.to) })
                }
                Due::Remind | Due::Expire => json!({}),
            };
            tx.insert_event(&with(event, more)).await?;
        }
        Ok(())
    }

    /// The end of an approval that nobody decided, and of its enrollment.
    pub(super) async fn expire(
        &self,
        tx: &mut Tx<'_>,
        approval: &mut Approval,
        enrollment: &mut Enrollment,
        profile: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        approval.apply(Due::Expire, now);
        tx.update_approval(approval).await?;
        enrollment.state = EnrollmentState::Expired {
            reason: format!(
                "nobody decided until {}; ask again, and tell those who decide",
                approval.deadline_at
            ),
        };
        enrollment.updated_at = now;
        tx.update_enrollment(enrollment).await?;
        let caller = Caller::system();
        let event = self.approval_event("approval.expired", approval, enrollment, profile, &caller);
        tx.insert_event(&event).await
    }

    /// The end of what can no longer be approved.
    pub(super) async fn end_undecided(
        &self,
        tx: &mut Tx<'_>,
        approval: &mut Approval,
        enrollment: &mut Enrollment,
        profile: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // An approval that has ended already stays as it ended.
        let _ = approval.cancel(reason.to_owned(), now);
        tx.update_approval(approval).await?;
        enrollment.state = EnrollmentState::Failed {
            reason: reason.to_owned(),
        };
        enrollment.updated_at = now;
        tx.update_enrollment(enrollment).await?;
        let caller = Caller::system();
        let event =
            self.approval_event("approval.cancelled", approval, enrollment, profile, &caller);
        tx.insert_event(&with(event, json!({ "reason": reason })))
            .await
    }

    /// After another round began, or none: the job comes back when something is due.
    async fn settle_tick(&self, job: &JobRow, id: &ApprovalId) -> Result<(), StoreError> {
        let (job, id) = (job.clone(), id.clone());
        self.store
            .write("approval.settle", move |tx| {
                Box::pin(async move {
                    let approval = tx.find_approval(&id).await?;
                    match approval.and_then(|approval| approval.next_due()) {
                        Some(at) => tx.reschedule_job(&job, at).await.map(drop),
                        None => tx.complete_job(&job).await.map(drop),
                    }
                })
            })
            .await
    }

    /// The name of an approval's profile, as it was asked under.
    pub(super) async fn profile_name(
        &self,
        tx: &mut Tx<'_>,
        approval: &Approval,
    ) -> Result<String, StoreError> {
        let profile = tx
            .find_profile_version(&approval.profile_id, approval.profile_version)
            .await?;
        Ok(profile.map_or_else(|| approval.profile_id.to_string(), |profile| profile.name))
    }

    /// Has what waits looked at now: its profile has changed, or somebody is away.
    pub(crate) async fn review_approvals(
        self: &Arc<Self>,
        job: &JobRow,
        profile: Option<&str>,
    ) -> Result<(), StoreError> {
        let (lifecycle, job, now) = (Arc::clone(self), job.clone(), self.now());
        let profile = profile.map(str::to_owned);
        self.store
            .write("approval.review", move |tx| {
                Box::pin(async move {
                    let profile = match profile {
                        None => None,
                        Some(name) => tx.find_profile(&name).await?.map(|profile| profile.id),
                    };
                    let filter = ApprovalFilter {
                        status: Some("pending".to_owned()),
                        profile,
                        ..ApprovalFilter::default()
                    };
                    for approval in tx.list_approvals(&filter, None, MOST).await? {
                        let tick = Job::TickApproval {
                            approval: approval.id,
                        };
                        tx.enqueue_or_hasten(&lifecycle.new_job(&tick, now)).await?;
                    }
                    tx.complete_job(&job).await.map(drop)
                })
            })
            .await?;
        self.jobs.notify();
        Ok(())
    }
}

/// What is due, or the next escalation where all those who are asked are away.
async fn next_step(
    tx: &mut Tx<'_>,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Due>, StoreError> {
    if let Some(due @ (Due::Expire | Due::Escalate(_))) = approval.due(now) {
        return Ok(Some(due));
    }
    let Some((step, _)) = approval.next_escalation() else {
        return Ok(approval.due(now));
    };
    let named: Vec<_> = approval.named().cloned().collect();
    let mut absent = Vec::with_capacity(named.len());
    for principal in named {
        if is_absent(tx, &principal, now).await? {
            absent.push(principal);
        }
    }
    match approval.nobody_is_there(|principal| absent.contains(principal)) {
        true => Ok(Some(Due::Escalate(step))),
        false => Ok(approval.due(now)),
    }
}

/// More do not wait at once; the others are looked at in their time.
const MOST: u32 = 1000;
