//! What becomes of an enrollment when its issuer answered, or did not: released to another issuer, waited
//! for, tried again, or given up.

use std::time::Duration;

use domain::certificate::Chain;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::event::Event;
use domain::identifier::Identifier;
use domain::issuer::IssueError;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use super::{Admitted, DriveError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::routing::poll_wait;

impl Lifecycle {
    /// Nothing was asked of the issuer: another one is chosen, at once after the first failure, and later
    /// not before `until` where the issuer said so.
    pub(super) async fn release(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<EnrollmentState, StoreError> {
        let attempts = enrollment.state.attempts();
        let retry_at = match attempts.checked_sub(1) {
            None => self.now(),
            Some(earlier) => until.unwrap_or_else(|| self.retry_at(earlier)),
        };
        tracing::warn!(
            enrollment.id = %enrollment.id, attempts, %retry_at, error = reason,
            "the issuer was not asked; another may be"
        );
        let mut released = enrollment.clone();
        released.updated_at = self.now();
        released.state = EnrollmentState::Approved {
            attempts: attempts + 1,
            last_error: Some(reason),
            retry_at: Some(retry_at),
        };
        let (held, job) = (enrollment.clone(), job.clone());
        let state = self
            .store
            .write("enrollment.release", move |tx| {
                Box::pin(async move {
                    let stored = tx.find_enrollment_for_update(&held.id).await?;
                    // Another run took the job over when this one was slow: it may be asking the
                    // issuer now, so no other may be asked.
                    let is_ours = stored
                        .is_some_and(|stored| is_untouched(&stored.state, attempts))
                        && tx.reschedule_job(&job, retry_at).await?;
                    if !is_ours {
                        return Ok::<_, StoreError>(held.state);
                    }
                    tx.update_enrollment(&released).await?;
                    Ok(released.state)
                })
            })
            .await?;
        self.jobs.notify();
        Ok(state)
    }

    pub(super) async fn await_issuer(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        handle: String,
        poll_after: Duration,
    ) -> Result<EnrollmentState, DriveError> {
        let (EnrollmentState::Signing { issuer, .. }
        | EnrollmentState::AwaitingIssuer { issuer, .. }) = &enrollment.state
        else {
            return Ok(enrollment.state.clone());
        };
        let poll_at = self.now() + poll_after.clamp(MIN_POLL, MAX_POLL);
        let state = EnrollmentState::AwaitingIssuer {
            issuer: issuer.clone(),
            handle,
            poll_at,
            last_error: None,
            decided_at: enrollment.state.decided_at(),
        };
        self.move_enrollment(enrollment, state, job, Afterwards::Again(poll_at))
            .await
            .map_err(DriveError::from)
    }

    /// A passing failure is tried again with growing waits; a lasting one ends the enrollment.
    pub(super) async fn note_failure(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        error: IssueError,
    ) -> Result<EnrollmentState, DriveError> {
        let reason = error.to_string();
        match error {
            IssueError::Unavailable(_) | IssueError::NotReached(_) => self
                .put_off(enrollment, job, reason, None)
                .await
                .map_err(DriveError::from),
            IssueError::Throttled { after, .. } => {
                let until = self.now() + after;
                self.put_off(enrollment, job, reason, Some(until))
                    .await
                    .map_err(DriveError::from)
            }
            IssueError::Refused(_) | IssueError::Lint(_) => {
                self.give_up(enrollment, job, reason).await
            }
        }
    }

    /// Nothing came of a try, and nothing is lost by it. Whoever waits reads why, and when the next one is:
    /// not before `until` where somebody said so.
    pub(super) async fn put_off(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<EnrollmentState, StoreError> {
        let (now, attempts) = (self.now(), enrollment.state.attempts());
        let retry_at = match (until, &enrollment.state) {
            (Some(until), _) if until > now => until,
            (_, EnrollmentState::AwaitingIssuer { .. }) => {
                now + poll_wait(enrollment.created_at, now)
            }
            _ => self.retry_at(attempts),
        };
        tracing::warn!(
            enrollment.id = %enrollment.id, attempts, %retry_at, error = reason,
            "nothing was signed; it is tried again"
        );
        let state = enrollment.state.clone().after_setback(reason, retry_at);
        self.move_enrollment(enrollment, state, job, Afterwards::Again(retry_at))
            .await
    }

    /// An answer that is not what was asked for is final: another try would have the issuer sign
    /// another certificate, and no more to be believed.
    pub(super) async fn record_or_fail(
        &self,
        admitted: &Admitted,
        chain: Chain,
        job: &JobRow,
        caller: &Caller,
    ) -> Result<EnrollmentState, DriveError> {
        match self.record(admitted, chain, Some(job), caller).await {
            Err(DriveError::Record(error)) => {
                tracing::error!(
                    enrollment.id = %admitted.enrollment.id,
                    issuer.name = admitted.issuer.issuer.name,
                    error = %error,
                    "the issuer's answer is not what was asked for"
                );
                self.give_up(&admitted.enrollment, job, error.to_string())
                    .await
            }
            other => other,
        }
    }

    async fn give_up(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        reason: String,
    ) -> Result<EnrollmentState, DriveError> {
        let event = self.event(
            &Caller::system(),
            "enrollment.failed",
            enrollment.id.as_str(),
            json!({
                "reason": reason,
                "names": enrollment.identifiers.iter().map(Identifier::value).collect::<Vec<_>>(),
                "metadata": enrollment.metadata,
            }),
        );
        let state = EnrollmentState::Failed { reason };
        self.move_enrollment(enrollment, state, job, Afterwards::Over(event))
            .await
            .map_err(DriveError::from)
    }

    /// When the next try is worth it, after so many.
    pub(super) fn retry_at(&self, attempts: u32) -> Timestamp {
        let wait = FIRST_RETRY * 2_u32.saturating_pow(attempts.min(10));
        self.now() + wait.min(MAX_POLL)
    }

    /// Moves an enrollment on, and its job with it; answers how it stands. A run that lost its job to
    /// another, because it was slow, moves nothing: the other one may be asking the issuer by now.
    pub(super) async fn move_enrollment(
        &self,
        enrollment: &Enrollment,
        state: EnrollmentState,
        job: &JobRow,
        afterwards: Afterwards,
    ) -> Result<EnrollmentState, StoreError> {
        let (mut enrollment, job) = (enrollment.clone(), job.clone());
        enrollment.state = state;
        enrollment.updated_at = self.now();
        let lease = self.lease(self.now());
        self.store
            .write("enrollment.move", move |tx| {
                Box::pin(async move {
                    let stored = tx.find_enrollment_for_update(&enrollment.id).await?;
                    let Some(stored) = stored else {
                        tx.complete_job(&job).await?;
                        return Ok(enrollment.state);
                    };
                    if stored.state.is_final() {
                        tx.complete_job(&job).await?;
                        return Ok(stored.state);
                    }
                    if !tx.extend_lease(&job, &lease).await? {
                        return Ok(stored.state);
                    }
                    tx.update_enrollment(&enrollment).await?;
                    match afterwards {
                        Afterwards::Again(at) => tx.reschedule_job(&job, at).await?,
                        Afterwards::Over(event) => {
                            tx.insert_event(&event).await?;
                            tx.complete_job(&job).await?
                        }
                    };
                    Ok(enrollment.state)
                })
            })
            .await
    }
}

/// What becomes of an enrollment's job when the enrollment moves on.
pub(super) enum Afterwards {
    /// It runs again then.
    Again(Timestamp),
    /// Nothing is left to do; this says how it ended.
    Over(Event),
}

/// Whether nobody has gone on with an enrollment that was to be signed.
fn is_untouched(stored: &EnrollmentState, after: u32) -> bool {
    matches!(stored, EnrollmentState::Signing { attempts, .. } if *attempts == after)
}

const FIRST_RETRY: Duration = Duration::from_secs(5);
const MIN_POLL: Duration = Duration::from_secs(1);
const MAX_POLL: Duration = Duration::from_secs(60 * 60);
