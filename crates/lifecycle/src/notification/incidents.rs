//! Incidents close themselves: when a successor is there, when the certificate is revoked, or when
//! it ended so long ago that nobody will renew it.

use domain::id::IncidentId;
use domain::notification::incident::{Closing, ClosingReason, Incident};
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::expiry::{LOOKED_AT, has_successor};
use crate::Lifecycle;
use crate::actor::Caller;

const PAGE: u32 = 100;

impl Lifecycle {
    /// Looks through the open incidents for those that are over.
    pub(crate) async fn close_incidents(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut after: Option<IncidentId> = None;
        loop {
            let from = after.take();
            let (page, over) = self
                .store
                .scan("incident.open", move |tx| {
                    Box::pin(async move {
                        let page = tx.list_open_incidents(from.as_ref(), PAGE).await?;
                        let mut over = Vec::new();
                        for incident in &page {
                            if let Some(reason) = closing_reason(tx, incident, now).await? {
                                over.push((incident.clone(), reason));
                            }
                        }
                        Ok::<_, StoreError>((page, over))
                    })
                })
                .await?;
            for (incident, reason) in over {
                self.close_incident(&incident, reason).await?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.id.clone()),
                Some(_) | None => return Ok(()),
            }
        }
    }

    async fn close_incident(
        &self,
        incident: &Incident,
        reason: ClosingReason,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let certificate = self.certificate(&incident.certificate_id).await?;
        let mut data = match certificate {
            Some(certificate) => self.names().await?.facts(&certificate, now),
            None => json!({ "certificate": incident.certificate_id }),
        };
        data["reason"] = json!(reason);
        let event = self.event(
            &Caller::system(),
            "incident.closed",
            incident.id.as_str(),
            data,
        );
        let (id, closing) = (incident.id.clone(), Closing { at: now, reason });
        self.store
            .write("incident.close", move |tx| {
                Box::pin(async move {
                    if tx.close_incident(&id, &closing).await? {
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }
}

/// Why an incident is over, if it is.
async fn closing_reason(
    tx: &mut Tx<'_>,
    incident: &Incident,
    now: Timestamp,
) -> Result<Option<ClosingReason>, StoreError> {
    let Some(certificate) = tx.find_certificate(&incident.certificate_id).await? else {
        return Ok(Some(ClosingReason::Abandoned));
    };
    if certificate.revocation.is_some() {
        return Ok(Some(ClosingReason::Revoked));
    }
    if has_successor(tx, &certificate).await? {
        return Ok(Some(ClosingReason::Renewed));
    }
    let abandoned = now.since(certificate.not_after) > LOOKED_AT;
    Ok(abandoned.then_some(ClosingReason::Abandoned))
}
