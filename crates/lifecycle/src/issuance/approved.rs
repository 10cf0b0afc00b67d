//! Approved: people have agreed. Serial and to-be-signed octets exist only from here on, and only
//! if the rules, asked once more, and everything the request stands on still hold.

use std::sync::Arc;

use domain::acme::authorization::Authorization;
use domain::approval::digest_of;
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::issuer::IssueError;
use domain::policy::Violation;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use super::admit::EnrollmentRequest;
use super::consider::{ConsiderError, Look};
use super::outcome::Afterwards;
use super::{Admitted, DriveError};
use crate::Lifecycle;
use crate::acme::finalize::FinalizeError;
use crate::actor::Caller;
use crate::approvals::{Standing, standing};

/// Why what was approved is not prepared.
enum Obstacle {
    /// Nothing can come of it.
    Final(EnrollmentState),
    /// It is worth another try, perhaps not before a time.
    Passing(String, Option<Timestamp>),
    /// What was approved is not what would be signed.
    Changed,
    /// Another run was faster, and asks the issuer.
    Overtaken,
    /// As many others are waiting for the issuer's answer as may at once.
    Busy,
}

impl Lifecycle {
    /// Prepares what was approved and makes it durable; `None` where there is nothing to sign.
    pub(super) async fn prepare_approved(
        self: &Arc<Self>,
        enrollment: Enrollment,
        job: &JobRow,
    ) -> Result<Option<Admitted>, DriveError> {
        let obstacle = match self.try_prepare(&enrollment).await? {
            Ok(admitted) => match self.make_durable(&admitted).await? {
                None => return Ok(Some(admitted)),
                Some(obstacle) => obstacle,
            },
            Err(obstacle) => obstacle,
        };
        match obstacle {
            // Should that run come to nothing, this job is there to go on when its lease ends.
            Obstacle::Overtaken => {}
            Obstacle::Busy => self.come_back(job).await?,
            Obstacle::Passing(error, until) => {
                self.put_off(&enrollment, job, error, until).await?;
            }
            Obstacle::Final(state) => self.end(&enrollment, job, state).await?,
            Obstacle::Changed => {
                match self.approval_of(&enrollment.id).await? {
                    Some(approval) => {
                        self.reconsider(&approval)
                            .await
                            .map_err(|error| IssueError::Unavailable(error.to_string()))?;
                    }
                    None => self.follow_profile(&enrollment).await?,
                }
                self.reschedule(job, self.now()).await?;
            }
        }
        Ok(None)
    }

    async fn try_prepare(
        &self,
        enrollment: &Enrollment,
    ) -> Result<Result<Admitted, Obstacle>, DriveError> {
        let now = match self.clock_watch.check(&*self.clock) {
            Ok(now) => now,
            Err(error) => return Ok(Err(Obstacle::Passing(error.to_string(), None))),
        };
        if let Err(error) = self.check_caa_of(enrollment).await {
            return match error {
                FinalizeError::Store(error) => Err(error.into()),
                error => Ok(Err(failed(error.to_string()))),
            };
        }
        let profile = self
            .profile_version(&enrollment.profile_id, enrollment.profile_version)
            .await?
            .ok_or_else(|| IssueError::Refused("the profile's version is gone".to_owned()))?;
        let request = EnrollmentRequest::of_enrollment(enrollment, Arc::clone(&profile))
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        let (attempts, last_error) = match &enrollment.state {
            EnrollmentState::Approved {
                attempts,
                last_error,
                ..
            } => (*attempts, last_error.clone()),
            _ => (0, None),
        };
        let issuer = match self.route_after(&request, attempts, now).await {
            Ok(issuer) => issuer,
            Err(error) => {
                return Ok(Err(Obstacle::Passing(error.to_string(), error.frees_at())));
            }
        };
        if self.places.are_taken(&issuer.issuer.id) {
            return Ok(Err(Obstacle::Busy));
        }
        let considered = self
            .consider(&request, Some(&issuer), now, Look::Brief)
            .await;
        let considered = match considered {
            Ok(considered) => considered,
            Err(ConsiderError::Store(error)) => return Err(error.into()),
            Err(ConsiderError::Prepare(
                IssueError::Unavailable(error) | IssueError::NotReached(error),
            )) => {
                return Ok(Err(Obstacle::Passing(error, None)));
            }
            Err(ConsiderError::Prepare(IssueError::Throttled { text, after })) => {
                return Ok(Err(Obstacle::Passing(text, Some(now + after))));
            }
            Err(ConsiderError::Prepare(error)) => return Ok(Err(failed(error.to_string()))),
        };
        let Some(ready) = considered.ready else {
            return Ok(Err(rejected(considered.violations)));
        };
        let mut enrollment = enrollment.clone();
        enrollment.updated_at = now;
        enrollment.state = EnrollmentState::Signing {
            issuer: issuer.issuer.id.clone(),
            prepared: ready.prepared,
            attempts,
            // Whoever waits goes on reading why until this attempt has an answer of its own.
            last_error,
            retry_at: None,
            decided_at: Some(now),
        };
        let mut request = ready.request;
        request.enrollment = enrollment.id.clone();
        // What was agreed to, whatever has become of where it was inherited from.
        request.metadata = issuer.issuer.told(&enrollment.metadata);
        Ok(Ok(Admitted {
            enrollment,
            profile,
            request,
            issuer,
        }))
    }

    /// The one transaction after which it is signed: everything is looked at again under lock.
    async fn make_durable(&self, admitted: &Admitted) -> Result<Option<Obstacle>, StoreError> {
        let (enrollment, now) = (admitted.enrollment.clone(), self.now());
        self.store
            .write("approved.bind", move |tx| {
                Box::pin(async move {
                    let approval = tx
                        .find_approval_of_enrollment_for_update(&enrollment.id)
                        .await?;
                    let stored = tx.find_enrollment_for_update(&enrollment.id).await?;
                    let Some(stored) = stored
                        .filter(|stored| matches!(stored.state, EnrollmentState::Approved { .. }))
                    else {
                        return Ok(Some(Obstacle::Overtaken));
                    };
                    match standing(tx, &stored, now).await? {
                        Standing::Gone(reason) => return Ok(Some(failed(reason))),
                        Standing::ProfileChanged => return Ok(Some(Obstacle::Changed)),
                        Standing::Holds => {}
                    }
                    let holds = approval.is_none_or(|approval| {
                        approval.is_granted() && digest_of(&stored) == approval.digest
                    });
                    if !holds || digest_of(&stored) != digest_of(&enrollment) {
                        return Ok(Some(Obstacle::Changed));
                    }
                    tx.update_enrollment(&enrollment).await?;
                    Ok(None)
                })
            })
            .await
    }

    /// Where nobody was asked, a request goes by the rules that hold when it is signed.
    async fn follow_profile(&self, enrollment: &Enrollment) -> Result<(), StoreError> {
        let enrollment = enrollment.clone();
        self.store
            .write("approved.follow", move |tx| {
                Box::pin(async move {
                    let (id, version) = (&enrollment.profile_id, enrollment.profile_version);
                    let Some(before) = tx.find_profile_version(id, version).await? else {
                        return Ok(());
                    };
                    match tx.find_profile(&before.name).await? {
                        Some(current) => tx
                            .follow_profile(&enrollment.id, current.version)
                            .await
                            .map(drop),
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    /// CAA as it is when it is signed (RFC 8659), where the request came over ACME.
    async fn check_caa_of(&self, enrollment: &Enrollment) -> Result<(), FinalizeError> {
        let Requester::AcmeAccount {
            account,
            directory,
            order,
        } = &enrollment.requester
        else {
            return Ok(());
        };
        let Some(directory) = self.directory_by_id(directory).await? else {
            return Ok(());
        };
        let order = order.clone();
        let authorizations: Vec<Authorization> = self
            .store
            .read("approved.authorizations", |tx| {
                Box::pin(async move {
                    match tx.find_order(&order).await? {
                        Some(order) => {
                            tx.list_authorizations_by_ids(&order.authorization_ids)
                                .await
                        }
                        None => Ok::<_, StoreError>(Vec::new()),
                    }
                })
            })
            .await?;
        self.recheck_caa(&directory, account, &authorizations).await
    }

    async fn end(
        &self,
        enrollment: &Enrollment,
        job: &JobRow,
        state: EnrollmentState,
    ) -> Result<(), StoreError> {
        let name = format!("enrollment.{}", state.name());
        let data = json!({ "state": state });
        let event = self.event(&Caller::system(), &name, enrollment.id.as_str(), data);
        self.move_enrollment(enrollment, state, job, Afterwards::Over(event))
            .await
            .map(drop)
    }
}

fn failed(reason: String) -> Obstacle {
    Obstacle::Final(EnrollmentState::Failed { reason })
}

fn rejected(violations: Vec<Violation>) -> Obstacle {
    Obstacle::Final(EnrollmentState::Rejected { violations })
}
