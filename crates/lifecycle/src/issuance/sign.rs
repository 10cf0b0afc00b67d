//! Sign: the issuer is asked after what it shall sign is durable, with no transaction open.

use domain::enrollment::EnrollmentState;
use domain::id::{EnrollmentId, IssuerId};
use domain::issuer::{Issuance, IssueError, Issuer};
use store::StoreError;
use store::jobs::JobRow;
use tracing::{Instrument, Span};

use super::Admitted;
use super::check::RecordError;
use crate::Lifecycle;
use crate::actor::Caller;

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

/// Connectors know no enrollment: what they log while they ask is told apart by this.
pub(super) fn span(id: &EnrollmentId) -> Span {
    tracing::info_span!("enrollment", enrollment.id = %id)
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
            return Ok(self
                .release(&admitted.enrollment, job, reason, None)
                .await?);
        }
        self.figures.asked(&issuer.id, self.now());
        let started = std::time::Instant::now();
        let asked = admitted
            .issuer
            .connector
            .issue(&admitted.request, prepared.as_ref())
            .instrument(span(&admitted.enrollment.id));
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
            Err(IssueError::NotReached(reason)) if attempt == Try::First => Ok(self
                .release(&admitted.enrollment, job, reason, None)
                .await?),
            Err(IssueError::Throttled { text, after }) if attempt == Try::First => {
                let until = self.now() + after;
                Ok(self
                    .release(&admitted.enrollment, job, text, Some(until))
                    .await?)
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

    /// Keeps in mind how an issuer does. One that is left alone from now on, or answers again, is told.
    pub(super) async fn note_answer(&self, issuer: &Issuer, error: Option<&IssueError>) {
        let now = self.now();
        let failure = match error {
            // A refusal is an answer.
            None | Some(IssueError::Refused(_) | IssueError::Lint(_)) => None,
            Some(
                error @ (IssueError::Unavailable(_)
                | IssueError::NotReached(_)
                | IssueError::Throttled { .. }),
            ) => Some(error),
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
}
