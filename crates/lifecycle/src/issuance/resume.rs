//! Resume: an enrollment that was found in the store goes on where it stood, after a wait or a crash.

use std::sync::Arc;
use std::time::Duration;

use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::EnrollmentId;
use domain::issuer::{Issuance, IssueError, SigningRequest};
use domain::policy::{self, Circumstances, Decision, Proposal};
use pki::csr::Csr;
use store::StoreError;
use store::jobs::JobRow;
use tracing::Instrument;

use super::sign::{Try, span};
use super::{Admitted, DriveError};
use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
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
        if let EnrollmentState::Signing { issuer, .. }
        | EnrollmentState::AwaitingIssuer { issuer, .. } = &enrollment.state
            && self.places.are_taken(issuer)
        {
            self.come_back(job).await?;
            return Ok(());
        }
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
            _ => match self.readmit(&enrollment).await {
                Ok(admitted) => admitted,
                Err(DriveError::Store(error)) => return Err(error.into()),
                // What is missing here somebody may put back; until then whoever waits reads of it.
                Err(error) => {
                    self.put_off(&enrollment, job, error.to_string(), None)
                        .await?;
                    return Ok(());
                }
            },
        };
        let caller = Caller::system();
        let _place = self.places.take(&admitted.issuer.issuer.id);
        if let EnrollmentState::AwaitingIssuer { handle, .. } = &admitted.enrollment.state {
            let asked = admitted.issuer.connector.poll(handle);
            let answer = asked.instrument(span(&admitted.enrollment.id)).await;
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

    /// There are enough that wait for the issuer's answer: the others' jobs are not to wait for it too.
    pub(super) async fn come_back(&self, job: &JobRow) -> Result<(), StoreError> {
        self.reschedule(job, self.now() + SHORTLY).await.map(drop)
    }

    /// Builds again what `admit` built, from the stored enrollment.
    async fn readmit(&self, enrollment: &Enrollment) -> Result<Admitted, DriveError> {
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
            enrollment: enrollment.clone(),
            profile,
            request,
            issuer,
        })
    }
}

/// When a job comes back that found its issuer's places taken.
const SHORTLY: Duration = Duration::from_secs(5);
