//! Cancel: a request is withdrawn before it has become a certificate.

use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::EnrollmentId;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// Why an enrollment is not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no enrollment {0}")]
    Unknown(EnrollmentId),
    #[error("the enrollment has ended already: it is {0}")]
    Ended(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Withdraws an enrollment. What our own CA signs all the same never leaves this process, and its
    /// serial stays on the list of what may have been signed; what a CA elsewhere signs is shown as discovered.
    pub async fn cancel_enrollment(
        &self,
        id: &EnrollmentId,
        reason: String,
        caller: &Caller,
    ) -> Result<Enrollment, CancelError> {
        let (now, wanted) = (self.now(), id.clone());
        let mut event = self.event(caller, "enrollment.cancelled", id.as_str(), json!({}));
        let mut ended = self.event(caller, "approval.cancelled", id.as_str(), json!({}));
        self.store
            .write("enrollment.cancel", move |tx| {
                Box::pin(async move {
                    // Locked first, as by those who decide.
                    let approval = tx.find_approval_of_enrollment_for_update(&wanted).await?;
                    let mut enrollment = tx
                        .find_enrollment_for_update(&wanted)
                        .await?
                        .ok_or(CancelError::Unknown(wanted))?;
                    if enrollment.state.is_final() {
                        return Err(CancelError::Ended(enrollment.state.name()));
                    }
                    event.data = json!({
                        "reason": reason,
                        "before": enrollment.state.name(),
                    });
                    if let Some(mut approval) = approval
                        && approval.cancel(reason.clone(), now).is_ok()
                    {
                        tx.update_approval(&approval).await?;
                        ended.object = approval.id.to_string();
                        ended.data = json!({ "enrollment": enrollment.id, "reason": reason });
                        tx.insert_event(&ended).await?;
                    }
                    enrollment.state = EnrollmentState::Cancelled { reason };
                    enrollment.updated_at = now;
                    tx.update_enrollment(&enrollment).await?;
                    tx.delete_held_key(&enrollment.id).await?;
                    tx.insert_event(&event).await?;
                    Ok(enrollment)
                })
            })
            .await
    }
}
