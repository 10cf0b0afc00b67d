//! Alerts: incidents as people see them, and that somebody looks after one.

use domain::certificate::InventoryCertificate;
use domain::id::IncidentId;
use domain::notification::incident::{Acknowledgement, Incident, IncidentState};
use serde_json::json;
use store::StoreError;
use store::notification::incidents::IncidentFilter;

use crate::Lifecycle;
use crate::actor::Caller;

/// An incident with its certificate.
#[derive(Clone, Debug)]
pub struct Alert {
    pub incident: Incident,
    /// `None` where it is not in the inventory any more.
    pub certificate: Option<InventoryCertificate>,
}

/// Why an alert is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeError {
    #[error("there is no alert {0}")]
    Unknown(IncidentId),
    #[error("the alert is closed already")]
    Closed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Alerts that fit the filter, newest first.
    pub async fn list_alerts(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentId>,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        self.store
            .scan("alert.list", move |tx| {
                Box::pin(async move {
                    let incidents = tx.list_incidents(&filter, after.as_ref(), limit).await?;
                    let mut alerts = Vec::with_capacity(incidents.len());
                    for incident in incidents {
                        let certificate = tx.find_certificate(&incident.certificate_id).await?;
                        alerts.push(Alert {
                            incident,
                            certificate,
                        });
                    }
                    Ok(alerts)
                })
            })
            .await
    }

    /// The alert with that id.
    pub async fn alert(&self, id: &IncidentId) -> Result<Option<Alert>, StoreError> {
        let id = id.clone();
        self.store
            .scan("alert.find", move |tx| {
                Box::pin(async move {
                    let Some(incident) = tx.find_incident(&id).await? else {
                        return Ok(None);
                    };
                    let certificate = tx.find_certificate(&incident.certificate_id).await?;
                    Ok::<_, StoreError>(Some(Alert {
                        incident,
                        certificate,
                    }))
                })
            })
            .await
    }

    /// Notes that the caller looks after an incident. It stays open until it is over.
    pub async fn acknowledge_alert(
        &self,
        id: &IncidentId,
        note: Option<String>,
        caller: &Caller,
    ) -> Result<Alert, AcknowledgeError> {
        let now = self.now();
        let acknowledgement = Acknowledgement {
            at: now,
            by: caller.actor.id.clone(),
            note,
        };
        let mut event = self.event(caller, "incident.acknowledged", id.as_str(), json!({}));
        let id = id.clone();
        self.store
            .write("alert.acknowledge", move |tx| {
                Box::pin(async move {
                    let found = tx.find_incident(&id).await?;
                    let mut incident = found.ok_or(AcknowledgeError::Unknown(id))?;
                    if incident.state() == IncidentState::Closed {
                        return Err(AcknowledgeError::Closed);
                    }
                    event.note("certificate", &incident.certificate_id);
                    event.note("before", &incident.acknowledgement);
                    event.note("after", &acknowledgement);
                    incident.acknowledgement = Some(acknowledgement);
                    incident.updated_at = now;
                    if !tx.acknowledge_incident(&incident).await? {
                        return Err(AcknowledgeError::Closed);
                    }
                    tx.insert_event(&event).await?;
                    let certificate = tx.find_certificate(&incident.certificate_id).await?;
                    Ok(Alert {
                        incident,
                        certificate,
                    })
                })
            })
            .await
    }
}
