//! Enroll: the whole pipeline for a request that stands on its own, without an ACME order.

use std::sync::Arc;

use domain::bulk::{BulkItem, BulkOutcome};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::event::Event;
use domain::held_key::HeldKey;
use domain::id::{BulkId, CertificateId, EnrollmentId};
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use pki::time::Timestamp;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::admit::EnrollmentRequest;
use super::{Admission, AdmitError, Admitted};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::approvals::{Waiting, insert_waiting};
use crate::cmp::Begun;
use crate::enrolling::ask::{ClientRow, store_client_row};
use crate::jobs::Job;

/// Why an enrollment was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    #[error(transparent)]
    Admit(#[from] AdmitError),
    #[error("the certificate {0} that this one is to replace was replaced already, by {1}")]
    Replaced(CertificateId, CertificateId),
    #[error("the certificate {0} is being replaced already, by the enrollment {1}")]
    BeingReplaced(CertificateId, EnrollmentId),
    #[error("the bulk action has dealt with this certificate already")]
    Settled,
    /// Another try of the same client was a moment earlier.
    #[error("the same request is under way; repeat it for its answer")]
    Repeated,
    #[error(
        "the enrollment password or secret has been used as often as it may be; ask for a new one"
    )]
    PasswordUsed,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is stored together with an enrollment, or not at all.
#[derive(Default)]
pub(crate) struct Companions {
    /// The key that was made here for the requester.
    pub(crate) key: Option<(LocalKey, KeyAlgorithm)>,
    /// The item of a bulk action that this enrollment settles.
    pub(crate) settles: Option<(BulkId, CertificateId)>,
    /// Says who asked for what.
    pub(crate) event: Option<serde_json::Value>,
    /// What a client without an account calls its request.
    pub(crate) client: Option<ClientRow>,
    /// The CMP transaction that begins with it.
    pub(crate) cmp: Option<Begun>,
}

/// The same as it is stored.
struct CompanionRows {
    held: Option<HeldKey>,
    settles: Option<(BulkId, CertificateId)>,
    event: Option<Event>,
    client: Option<ClientRow>,
    cmp: Option<Begun>,
    now: Timestamp,
}

impl Lifecycle {
    /// Takes a request and goes as far with it as goes at once. What comes back is durable.
    pub async fn enroll(
        self: &Arc<Self>,
        request: EnrollmentRequest,
        caller: &Caller,
    ) -> Result<Enrollment, EnrollError> {
        self.enroll_with(request, Companions::default(), caller)
            .await
    }

    pub(crate) async fn enroll_with(
        self: &Arc<Self>,
        request: EnrollmentRequest,
        with: Companions,
        caller: &Caller,
    ) -> Result<Enrollment, EnrollError> {
        let admission = self.admit(request).await?;
        let id = &admission.enrollment().id;
        let rows = CompanionRows {
            held: match &with.key {
                Some((key, algorithm)) => Some(self.hold(id, key, *algorithm, caller)?),
                None => None,
            },
            settles: with.settles,
            event: with
                .event
                .map(|data| self.event(caller, "enrollment.requested", id.as_str(), data)),
            client: with.client,
            cmp: with.cmp,
            now: self.now(),
        };
        match admission {
            Admission::Sign(admitted) => self.enroll_at_once(*admitted, rows, caller).await,
            Admission::Wait(waiting) => self.enroll_later(*waiting, rows, caller).await,
            Admission::Later(deferred) => self.enroll_when_fit(deferred.enrollment, rows).await,
        }
    }

    async fn enroll_when_fit(
        &self,
        enrollment: Enrollment,
        rows: CompanionRows,
    ) -> Result<Enrollment, EnrollError> {
        let (stored, job) = (enrollment.clone(), self.drive_later(&enrollment));
        self.store
            .write("enrollment.defer", move |tx| {
                Box::pin(async move {
                    check_replaced(tx, &stored).await?;
                    tx.insert_enrollment(&stored).await?;
                    insert_companions(tx, &stored, rows).await?;
                    tx.enqueue(&job).await?;
                    Ok::<_, EnrollError>(())
                })
            })
            .await?;
        Ok(enrollment)
    }

    /// The job that goes on with an enrollment when it says.
    pub(crate) fn drive_later(&self, enrollment: &Enrollment) -> JobRow {
        let job = Job::DriveEnrollment {
            enrollment: enrollment.id.clone(),
        };
        let at = enrollment.state.setback().next_at;
        self.new_job(&job, at.unwrap_or_else(|| self.now()))
    }

    async fn enroll_at_once(
        self: &Arc<Self>,
        admitted: Admitted,
        rows: CompanionRows,
        caller: &Caller,
    ) -> Result<Enrollment, EnrollError> {
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
                    check_replaced(tx, &enrollment).await?;
                    tx.insert_enrollment(&enrollment).await?;
                    insert_companions(tx, &enrollment, rows).await?;
                    tx.enqueue_claimed(&claimed, &lease).await?;
                    Ok::<_, EnrollError>(())
                })
            })
            .await?;
        let lifecycle = Arc::clone(self);
        let caller = caller.clone();
        let mut enrollment = admitted.enrollment.clone();
        let task =
            self.detach(async move { lifecycle.sign_and_record(&admitted, &job, &caller).await });
        // Not waited for to the end, and a try that failed was logged: the job goes on with both.
        if let Ok(Ok(Ok(state))) = tokio::time::timeout(self.settings.finalize_patience, task).await
        {
            enrollment.state = state;
            enrollment.updated_at = self.now();
        }
        Ok(enrollment)
    }

    async fn enroll_later(
        &self,
        waiting: Waiting,
        rows: CompanionRows,
        caller: &Caller,
    ) -> Result<Enrollment, EnrollError> {
        let enrollment = waiting.enrollment.clone();
        let (stored, waiting) = (enrollment.clone(), self.rows_of_waiting(waiting, caller));
        self.store
            .write("enrollment.wait", move |tx| {
                Box::pin(async move {
                    check_replaced(tx, &stored).await?;
                    insert_waiting(tx, &waiting).await?;
                    insert_companions(tx, &stored, rows).await
                })
            })
            .await?;
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

async fn insert_companions(
    tx: &mut Tx<'_>,
    enrollment: &Enrollment,
    rows: CompanionRows,
) -> Result<(), EnrollError> {
    if let Some(held) = &rows.held {
        tx.insert_held_key(held).await?;
    }
    if let Some((bulk, certificate)) = rows.settles {
        let item = BulkItem {
            certificate,
            outcome: BulkOutcome::Done,
            detail: Some(enrollment.id.to_string()),
        };
        if !tx.settle_bulk_item(&bulk, &item, rows.now).await? {
            return Err(EnrollError::Settled);
        }
    }
    if let Some(row) = rows.client {
        store_client_row(tx, enrollment, row).await?;
    }
    if let Some(begun) = rows.cmp {
        begun.insert(tx, enrollment, rows.now).await?;
    }
    if let Some(event) = &rows.event {
        tx.insert_event(event).await?;
    }
    Ok(())
}

/// A certificate is replaced once: of two who renew it at the same time, one is told of the other.
async fn check_replaced(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<(), EnrollError> {
    let Some(replaced) = &enrollment.replaces else {
        return Ok(());
    };
    let certificate = tx.find_certificate_for_update(replaced).await?;
    if let Some(by) = certificate.and_then(|certificate| certificate.replaced_by) {
        return Err(EnrollError::Replaced(replaced.clone(), by));
    }
    match tx.find_enrollment_replacing(replaced).await? {
        Some(id) => Err(EnrollError::BeingReplaced(replaced.clone(), id)),
        None => Ok(()),
    }
}
