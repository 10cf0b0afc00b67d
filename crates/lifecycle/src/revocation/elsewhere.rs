//! Revocations that a CA elsewhere has to be told of: by a job, until it took them or it is hopeless.

use domain::id::CertificateId;
use domain::issuer::{RevocationError, RevocationRequest};
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use crate::Lifecycle;
use crate::actor::Caller;

/// Why the CA does not know yet; it is told again.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error(transparent)]
    Revoke(#[from] RevocationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Tells the CA that a certificate is revoked. What comes of it is in the audit trail.
    pub(crate) async fn tell_revocation(
        &self,
        job: &JobRow,
        id: &CertificateId,
    ) -> Result<(), TellError> {
        let Some(certificate) = self.certificate(id).await? else {
            return Ok(self.complete_job(job).await?);
        };
        let (Some(revocation), Some(issuer)) = (certificate.revocation, &certificate.issuer_id)
        else {
            return Ok(self.complete_job(job).await?);
        };
        let told = match self.issuer_by_id(issuer).await? {
            None => Err(RevocationError::Unavailable(
                "the issuer is not connected".to_owned(),
            )),
            Some(connected) => {
                let request = RevocationRequest {
                    certificate: certificate.der.clone(),
                    serial: certificate.serial.clone(),
                    reason: revocation.reason,
                    revoked_at: revocation.at,
                };
                connected.connector.revoke(&request).await
            }
        };
        let (name, error) = match told {
            Ok(()) => ("certificate.revocation_told", None),
            Err(error @ RevocationError::Unavailable(_)) if job.attempts < ATTEMPTS => {
                return Err(error.into());
            }
            Err(error) => ("certificate.revocation_not_told", Some(error.to_string())),
        };
        if let Some(error) = &error {
            tracing::error!(certificate.id = %id, error, "the CA does not know of a revocation");
        }
        let data = json!({
            "serial": certificate.serial, "names": certificate.names, "error": error,
        });
        let event = self.event(&Caller::system(), name, id.as_str(), data);
        let job = job.clone();
        self.store
            .write("revocation.told", move |tx| {
                Box::pin(async move {
                    tx.insert_event(&event).await?;
                    tx.complete_job(&job).await.map(drop)
                })
            })
            .await?;
        Ok(())
    }
}

/// With the waits between them, two weeks.
const ATTEMPTS: u32 = 1_350;
