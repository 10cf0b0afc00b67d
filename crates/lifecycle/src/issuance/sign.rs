//! Sign: the issuer is asked after what it shall sign is durable, with no transaction open.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::Chain;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::event::Event;
use domain::id::{EnrollmentId, IssuerId};
use domain::identifier::Identifier;
use domain::issuer::{Issuance, IssueError, Issuer, SigningRequest};
use domain::policy::{self, Circumstances, Decision, Proposal};
use pki::csr::Csr;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use super::Admitted;
use super::record::RecordError;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::routing::poll_wait;

/// Why an enrollment did not get further this time.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the issuer {0} is not connected")]
    NoIssuer(IssuerId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the issuer can have been asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// It was chosen a moment ago, in this very process.
    First,
    /// A process may have died after it asked: no other issuer is asked any more.
    Again,
}

impl Lifecycle {
    /// Signs and records what was admitted a moment ago. Its `Signing` state is durable already.
    pub(crate) async fn sign_and_record(
        &self,
        admitted: &Admitted,
        job: &JobRow,
        caller: &Caller,
    ) -> Result<EnrollmentState, DriveError> {
        self.ask_issuer(admitted, Try::First, job, caller).await
    }

    pub(super) async fn ask_issuer(
        &self,
        admitted: &Admitted,
        attempt: Try,
        job: &JobRow,
        caller: &Caller,
    ) -> Result<EnrollmentState, DriveError> {
        let EnrollmentState::Signing { prepared, .. } = &admitted.enrollment.state else {
            return Ok(admitted.enrollment.state.clone());
        };
        let issuer = &admitted.issuer.issuer;
        if attempt == Try::First
            && let Err(until) = self.spend(issuer, self.now()).await?
        {
            let reason = format!("the quota of `{}` is used up until {until}", issuer.name);
            return Ok(self.release(&admitted.enrollment, job, reason).await?);
        }
        self.figures.asked(&issuer.id, self.now());
        let started = std::time::Instant::now();
        let asked = admitted
            .issuer
            .connector
            .issue(&admitted.request, prepared.as_ref());
        let outcome = self.holding(job, asked).await;
        let label = match &outcome {
            Ok(Issuance::Issued(_)) => "issued",
            Ok(Issuance::Pending { .. }) => "pending",
            Err(_) => "failed",
        };
        metrics::histogram!("certwright_issuer_sign_duration_seconds",
            "issuer" => admitted.issuer.issuer.name.clone(), "outcome" => label)
        .record(started.elapsed().as_secs_f64());
        self.note_answer(issuer, outcome.as_ref().err()).await;
        match outcome {
            Ok(Issuance::Issued(chain)) => self.record_or_fail(admitted, chain, job, caller).await,
            Ok(Issuance::Pending { handle, poll_after }) => {
                self.await_issuer(&admitted.enrollment, job, handle, poll_after)
                    .await
            }
            Err(IssueError::NotReached(reason)) if attempt == Try::First => {
                Ok(self.release(&admitted.enrollment, job, reason).await?)
            }
            Err(error) => self.note_failure(&admitted.enrollment, job, error).await,
        }
        .inspect_err(|error| {
            tracing::error!(
                enrollment.id = %admitted.enrollment.id,
                issuer.name = admitted.issuer.issuer.name,
                error = %error,
                "enrollment did not get further; it is tried again"
            );
        })
    }

    /// Goes on with an enrollment that was found in the store: after a wait, or a crash.
    pub(crate) async fn resume_enrollment(
        self: &Arc<Self>,
        job: &JobRow,
        id: &EnrollmentId,
    ) -> Result<(), DriveError> {
        let wanted = id.clone();
        let found = self
            .store
            .read("enrollment.find", |tx| {
                Box::pin(async move { tx.find_enrollment(&wanted).await })
            })
            .await?;
        let Some(enrollment) = found.filter(|enrollment| !enrollment.state.is_final()) else {
            self.complete_job(job).await?;
            return Ok(());
        };
        let attempt = match enrollment.state {
            EnrollmentState::Approved { .. } => Try::First,
            _ => Try::Again,
        };
        let admitted = match enrollment.state {
            // It is people's turn; what they say makes a job of its own.
            EnrollmentState::AwaitingApproval { .. } => {
                self.complete_job(job).await?;
                return Ok(());
            }
            EnrollmentState::Approved { .. } => {
                match self.prepare_approved(enrollment, job).await? {
                    Some(admitted) => admitted,
                    None => return Ok(()),
                }
            }
            _ => self.readmit(enrollment).await?,
        };
        let caller = Caller::system();
        if let EnrollmentState::AwaitingIssuer { handle, .. } = &admitted.enrollment.state {
            let answer = admitted.issuer.connector.poll(handle).await;
            self.note_answer(&admitted.issuer.issuer, answer.as_ref().err())
                .await;
            match answer {
                Ok(Issuance::Issued(chain)) => {
                    self.record_or_fail(&admitted, chain, job, &caller).await?
                }
                Ok(Issuance::Pending { handle, poll_after }) => {
                    self.await_issuer(&admitted.enrollment, job, handle, poll_after)
                        .await?
                }
                Err(error) => self.note_failure(&admitted.enrollment, job, error).await?,
            };
        } else {
            self.ask_issuer(&admitted, attempt, job, &caller).await?;
        }
        Ok(())
    }

    /// Keeps in mind how an issuer does. One that is left alone from now on, or answers again, is told.
    async fn note_answer(&self, issuer: &Issuer, error: Option<&IssueError>) {
        let now = self.now();
        let failure = match error {
            // A refusal is an answer.
            None | Some(IssueError::Refused(_) | IssueError::Lint(_)) => None,
            Some(error @ (IssueError::Unavailable(_) | IssueError::NotReached(_))) => Some(error),
        };
        let outcome = if failure.is_some() {
            "failed"
        } else {
            "answered"
        };
        metrics::counter!("certwright_issuer_requests_total",
            "issuer" => issuer.name.clone(), "outcome" => outcome)
        .increment(1);
        match failure {
            None => self.figures.answered(&issuer.id, now),
            Some(error) => {
                if self.figures.failed(&issuer.id, now, &error.to_string()) {
                    tracing::error!(issuer.name = issuer.name, error = %error, "the issuer failed too often and is left alone for a while");
                }
            }
        }
        let is_open = self.figures.rests(&issuer.id, now);
        metrics::gauge!("certwright_issuer_breaker_open", "issuer" => issuer.name.clone())
            .set(if is_open { 1.0 } else { 0.0 });
    }

    /// Nothing was asked of the issuer: another one is chosen, at once after the first failure.
    async fn release(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        reason: String,
    ) -> Result<EnrollmentState, StoreError> {
        let attempts = match &enrollment.state {
            EnrollmentState::Signing { attempts, .. } => *attempts,
            _ => 0,
        };
        let retry_at = match attempts.checked_sub(1) {
            None => self.now(),
            Some(earlier) => self.retry_at(earlier),
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

    /// Builds again what `admit` built, from the stored enrollment.
    async fn readmit(&self, enrollment: Enrollment) -> Result<Admitted, DriveError> {
        let (EnrollmentState::Signing { issuer, .. }
        | EnrollmentState::AwaitingIssuer { issuer, .. }) = &enrollment.state
        else {
            return Err(IssueError::Refused("nothing is being signed".to_owned()).into());
        };
        let issuer = self
            .issuer_by_id(issuer)
            .await?
            .ok_or_else(|| DriveError::NoIssuer(issuer.clone()))?;
        let (profile_id, version) = (enrollment.profile_id.clone(), enrollment.profile_version);
        let profile = self
            .profile_version(&profile_id, version)
            .await?
            .ok_or_else(|| IssueError::Refused("the profile's version is gone".to_owned()))?;
        let csr = Csr::accepted(&enrollment.csr_der)
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        let team = self
            .team_name(&profile.spec, enrollment.team_id.as_ref())
            .await?;
        let proposal = Proposal {
            requester: &enrollment.requester,
            identifiers: &enrollment.identifiers,
            subject: enrollment.subject.as_ref(),
            csr: &csr,
            csr_is_assumed: false,
            key_evidence: enrollment.key_evidence.as_ref(),
            team: team.as_deref(),
            metadata: &enrollment.metadata,
            not_before: enrollment.not_before,
            not_after: enrollment.not_after,
        };
        let at = Circumstances {
            // Decided once, at its own time; what is looked up again here is only the content.
            now: enrollment
                .state
                .decided_at()
                .unwrap_or(enrollment.created_at),
            issuer: &issuer.issuer.name,
            issuer_not_after: issuer.connector.not_after(),
            key_is_blocked: false,
            key_is_account_key: false,
            key_is_certified: false,
        };
        let content = match policy::decide(&proposal, &profile, at) {
            Decision::Approved(content) => *content,
            Decision::Rejected(_) => {
                return Err(
                    IssueError::Refused("the decision cannot be repeated".to_owned()).into(),
                );
            }
        };
        let replaced = enrollment.replaces.as_ref();
        let replaces = self.predecessor_at(&issuer, replaced).await?;
        let request = SigningRequest {
            enrollment: enrollment.id.clone(),
            csr_der: enrollment.csr_der.clone(),
            content,
            kind: profile.spec.kind,
            pointers: profile.spec.revocation_pointers,
            profile: profile.name.clone(),
            metadata: issuer.issuer.told(&enrollment.metadata),
            replaces,
        };
        Ok(Admitted {
            enrollment,
            profile,
            request,
            issuer,
        })
    }

    async fn await_issuer(
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
            decided_at: enrollment.state.decided_at(),
        };
        self.move_enrollment(enrollment, state, job, Afterwards::Again(poll_at))
            .await
            .map_err(DriveError::from)
    }

    /// A passing failure is tried again with growing waits; a lasting one ends the enrollment.
    async fn note_failure(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        error: IssueError,
    ) -> Result<EnrollmentState, DriveError> {
        let attempts = match &enrollment.state {
            EnrollmentState::Signing { attempts, .. } => *attempts,
            _ => 0,
        };
        let reason = error.to_string();
        match error {
            IssueError::Unavailable(_) | IssueError::NotReached(_) => {
                let retry_at = match &enrollment.state {
                    EnrollmentState::AwaitingIssuer { .. } => {
                        let now = self.now();
                        now + poll_wait(enrollment.created_at, now)
                    }
                    _ => self.retry_at(attempts),
                };
                tracing::warn!(
                    enrollment.id = %enrollment.id, attempts, %retry_at, error = reason,
                    "nothing was signed; it is tried again"
                );
                let mut state = enrollment.state.clone();
                if let EnrollmentState::Signing {
                    attempts,
                    last_error,
                    ..
                } = &mut state
                {
                    *attempts += 1;
                    *last_error = Some(reason);
                }
                self.move_enrollment(enrollment, state, job, Afterwards::Again(retry_at))
                    .await
                    .map_err(DriveError::from)
            }
            IssueError::Refused(_) | IssueError::Lint(_) => {
                self.give_up(enrollment, job, reason).await
            }
        }
    }

    /// An answer that is not what was asked for is final: another try would have the issuer sign
    /// another certificate, and no more to be believed.
    async fn record_or_fail(
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
