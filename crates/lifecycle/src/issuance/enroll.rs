//! Enroll: the whole pipeline for a request that stands on its own, without an ACME order.

use std::sync::Arc;

use domain::enrollment::{Enrollment, EnrollmentState};
use store::StoreError;

use super::admit::EnrollmentRequest;
use super::{AdmitError, DriveError};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;

/// Why an enrollment was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    #[error(transparent)]
    Admit(#[from] AdmitError),
    #[error(transparent)]
    Drive(#[from] DriveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Takes a request and goes as far with it as goes at once. What comes back is durable.
    pub async fn enroll(
        self: &Arc<Self>,
        request: EnrollmentRequest,
        caller: &Caller,
    ) -> Result<Enrollment, EnrollError> {
        let admitted = self.admit(request).await?;
        let now = self.now();
        let job = self.new_job(
            &Job::DriveEnrollment {
                enrollment: admitted.enrollment.id.clone(),
            },
            now,
        );
        let lease = self.lease(now);
        let (enrollment, claimed) = (admitted.enrollment.clone(), job.clone());
        self.store
            .write("enrollment.create", move |tx| {
                Box::pin(async move {
                    tx.insert_enrollment(&enrollment).await?;
                    tx.enqueue_claimed(&claimed, &lease).await
                })
            })
            .await?;
        let lifecycle = Arc::clone(self);
        let caller = caller.clone();
        let mut enrollment = admitted.enrollment.clone();
        let task = self
            .tasks
            .spawn(async move { lifecycle.sign_and_record(&admitted, &job, &caller).await });
        // Not waited for to the end: the job goes on with what takes longer.
        if let Ok(Ok(state)) = tokio::time::timeout(self.settings.finalize_patience, task).await {
            enrollment.state = state?;
        }
        Ok(enrollment)
    }

    /// The chain of an issued enrollment, leaf first.
    pub async fn issued_chain(
        &self,
        enrollment: &Enrollment,
    ) -> Result<Option<domain::certificate::Chain>, StoreError> {
        let EnrollmentState::Issued { certificate } = &enrollment.state else {
            return Ok(None);
        };
        match self.certificate(certificate).await? {
            Some(certificate) => self.certificate_chain(&certificate).await.map(Some),
            None => Ok(None),
        }
    }
}
