//! Reconsider: the request or its profile has changed while people were asked. What they said is
//! void; the request is judged as it stands, and where the rule still wants it, people are asked anew.

use std::sync::Arc;

use domain::approval::{Approval, Round, digest_of};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::ApprovalId;
use domain::policy::Violation;
use domain::profile::Profile;
use pki::csr::CsrError;
use pki::time::Timestamp;
use serde_json::json;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::ask::waiting_state;
use super::facts::Request;
use super::tell::with;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::consider::Look;
use crate::issuance::{AdmitError, EnrollmentRequest};
use crate::jobs::Job;

/// Why a request was not judged anew; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReconsiderError {
    #[error("the CSR cannot be read: {0}")]
    Csr(#[from] CsrError),
    #[error(transparent)]
    Admit(#[from] AdmitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What becomes of the request.
enum Outcome {
    /// People are asked anew.
    Ask(Box<Round>),
    /// The rules ask nobody any more.
    Sign,
    /// The rules do not allow it any more.
    Reject(Vec<Violation>),
}

/// A request as it was read, before it was judged.
struct Read {
    approval: Approval,
    enrollment: Enrollment,
    profile: Profile,
}

impl Lifecycle {
    /// Judges a request that waits, or was approved and is not signed yet, as it stands now.
    pub(crate) async fn reconsider(
        self: &Arc<Self>,
        id: &ApprovalId,
    ) -> Result<(), ReconsiderError> {
        let Some(mut read) = self.read_again(id).await? else {
            return Ok(());
        };
        read.enrollment.profile_version = read.profile.version;
        let now = self.now();
        let outcome = self.judge(&read, now).await?;
        let job = self.new_job(
            &Job::DriveEnrollment {
                enrollment: read.enrollment.id.clone(),
            },
            now,
        );
        let lifecycle = Arc::clone(self);
        self.store
            .write("approval.reconsider", move |tx| {
                Box::pin(async move {
                    lifecycle
                        .settle_reconsidered(tx, read, outcome, &job, now)
                        .await
                })
            })
            .await?;
        self.jobs.notify();
        Ok(())
    }

    async fn read_again(&self, id: &ApprovalId) -> Result<Option<Read>, StoreError> {
        let id = id.clone();
        self.store
            .read("approval.reread", |tx| {
                Box::pin(async move {
                    let Some(approval) = tx.find_approval(&id).await? else {
                        return Ok(None);
                    };
                    let enrollment = tx.find_enrollment(&approval.enrollment_id).await?;
                    let asked = tx
                        .find_profile_version(&approval.profile_id, approval.profile_version)
                        .await?;
                    let profile = match asked {
                        Some(profile) => tx.find_profile(&profile.name).await?,
                        None => None,
                    };
                    Ok(enrollment.zip(profile).map(|(enrollment, profile)| Read {
                        approval,
                        enrollment,
                        profile,
                    }))
                })
            })
            .await
    }

    async fn judge(&self, read: &Read, now: Timestamp) -> Result<Outcome, ReconsiderError> {
        let (enrollment, profile) = (&read.enrollment, &read.profile);
        let asked = EnrollmentRequest::of_enrollment(enrollment, Arc::new(profile.clone()))?;
        let issuer = self.route(&asked, now).await.map_err(AdmitError::Route)?;
        let considered = self
            .consider(&asked, Some(&issuer), now, Look::Brief)
            .await
            .map_err(AdmitError::from)?;
        let Some(ready) = considered.ready else {
            return Ok(Outcome::Reject(considered.violations));
        };
        let Some(rule) = &profile.spec.approval else {
            return Ok(Outcome::Sign);
        };
        let request = Request {
            enrollment,
            profile,
            content: &ready.request.content,
            issuer: &issuer.issuer,
        };
        let reasons = rule.reasons(&self.approval_facts(&request, now).await?);
        Ok(match reasons.is_empty() {
            true => Outcome::Sign,
            false => Outcome::Ask(Box::new(Round {
                profile_version: profile.version,
                rule: rule.clone(),
                reasons,
                digest: digest_of(enrollment),
                // What the request stands on ends when it ended before.
                latest: read.approval.latest,
            })),
        })
    }

    async fn settle_reconsidered(
        &self,
        tx: &mut Tx<'_>,
        read: Read,
        outcome: Outcome,
        job: &JobRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(mut approval) = tx.find_approval_for_update(&read.approval.id).await? else {
            return Ok(());
        };
        let found = tx
            .find_enrollment_for_update(&approval.enrollment_id)
            .await?;
        let waits = |state: &EnrollmentState| {
            matches!(
                state,
                EnrollmentState::AwaitingApproval { .. } | EnrollmentState::Approved { .. }
            )
        };
        // Somebody else judged it meanwhile, or it went on.
        let Some(mut enrollment) = found.filter(|found| waits(&found.state)) else {
            return Ok(());
        };
        let current = tx.find_profile(&read.profile.name).await?;
        let is_current = current.is_some_and(|current| current.version == read.profile.version);
        enrollment.profile_version = read.profile.version;
        if approval.round != read.approval.round
            || !is_current
            || digest_of(&enrollment) != digest_of(&read.enrollment)
        {
            return Ok(());
        }
        tx.set_enrollment_profile_version(&enrollment.id, read.profile.version)
            .await?;
        let name = &read.profile.name;
        match outcome {
            Outcome::Ask(round) => {
                if approval.restart(*round, now).is_err() {
                    return Ok(());
                }
                enrollment.state = waiting_state(&approval);
                let caller = Caller::system();
                let void =
                    self.approval_event("approval.voided", &approval, &enrollment, name, &caller);
                tx.insert_event(&void).await?;
                let asked = self.awaiting_event(&approval, &enrollment, name, &caller);
                tx.insert_event(&asked).await?;
                tx.enqueue_or_hasten(&self.tick_job(&approval)).await?;
            }
            Outcome::Sign => {
                let digest = digest_of(&enrollment);
                if approval.waive(read.profile.version, digest, now).is_err() {
                    return Ok(());
                }
                let caller = Caller::system();
                let waived =
                    self.approval_event("approval.waived", &approval, &enrollment, name, &caller);
                tx.insert_event(&waived).await?;
                enrollment.state = EnrollmentState::approved();
                tx.enqueue(job).await?;
            }
            Outcome::Reject(violations) => {
                let reason = "the profile was changed and does not allow it any more";
                self.cancel_approval(tx, &mut approval, &enrollment, name, reason, now)
                    .await?;
                enrollment.state = EnrollmentState::Rejected { violations };
            }
        }
        enrollment.updated_at = now;
        tx.update_approval(&approval).await?;
        tx.update_enrollment(&enrollment).await.map(drop)
    }

    async fn cancel_approval(
        &self,
        tx: &mut Tx<'_>,
        approval: &mut Approval,
        enrollment: &Enrollment,
        profile: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // One that has ended otherwise stays as it ended.
        let _ = approval.cancel(reason.to_owned(), now);
        let caller = Caller::system();
        let event =
            self.approval_event("approval.cancelled", approval, enrollment, profile, &caller);
        tx.insert_event(&with(event, json!({ "reason": reason })))
            .await
    }
}
