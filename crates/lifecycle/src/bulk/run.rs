//! The run: a leased job that takes a few certificates at a time and comes back for more.
//!
//! Each certificate is settled where its change is: a renewal in the transaction of its enrollment,
//! a revocation by asking again, which says that it is done. So a crash repeats nothing.

use std::sync::Arc;

use domain::access::{Principal, Rights};
use domain::bulk::{Bulk, BulkAction, BulkItem, BulkOutcome, BulkState};
use domain::id::{BulkId, CertificateId};
use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use super::plan::{refusal, unchanged};
use crate::Lifecycle;
use crate::access::AccessError;
use crate::access::owners::Ownable;
use crate::actor::Caller;
use crate::issuance::{AdmitError, EnrollError, SubmitError};
use crate::renewal::RenewError;
use crate::revocation::{RevocationSigner, RevokeError};

impl Lifecycle {
    /// Deals with the next few certificates. Says when to come back; if not at all, the job's row is
    /// gone, or another node has it.
    pub(crate) async fn run_bulk(
        self: &Arc<Self>,
        row: &JobRow,
        id: &BulkId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(bulk) = self.running_bulk(id).await? else {
            return self.complete_job(row).await.map(|()| None);
        };
        let (batch, wait) = bulk.pace();
        let next = self
            .list_bulk_items(id, Some(BulkOutcome::Pending), None, batch)
            .await?;
        if next.is_empty() {
            self.finish_bulk(id).await?;
            return self.complete_job(row).await.map(|()| None);
        }
        for item in &next {
            if !self.still_holds(row).await? {
                return Ok(None);
            }
            self.deal_with(&bulk, &item.certificate).await?;
        }
        Ok(Some(self.now() + wait))
    }

    async fn running_bulk(&self, id: &BulkId) -> Result<Option<Bulk>, StoreError> {
        let id = id.clone();
        let found = self
            .store
            .read("bulk.running", |tx| {
                Box::pin(async move { tx.find_bulk(&id).await })
            })
            .await?;
        Ok(found.filter(|bulk| bulk.state == BulkState::Running))
    }

    /// Keeps other nodes from taking the job over while a slow CA is waited for.
    async fn still_holds(&self, row: &JobRow) -> Result<bool, StoreError> {
        let (row, lease) = (row.clone(), self.lease(self.now()));
        self.store
            .write("bulk.lease", move |tx| {
                Box::pin(async move { tx.extend_lease(&row, &lease).await })
            })
            .await
    }

    async fn deal_with(
        self: &Arc<Self>,
        bulk: &Bulk,
        certificate: &CertificateId,
    ) -> Result<(), StoreError> {
        // What the planner may do now, not when it was planned.
        let rights = match Principal::of(&bulk.planner) {
            Some(planner) => self.rights_of(&planner).await?,
            None => Rights::everything(),
        };
        let caller = Caller {
            actor: bulk.planner.clone(),
            request_id: None,
            why: None,
            rights,
        };
        let found = self.certificate(certificate).await?;
        let owner = found.and_then(|found| found.team_id);
        let refused = refusal(&bulk.action, owner.as_ref(), &caller);
        let (outcome, detail) = match &bulk.action {
            _ if refused.is_some() => (BulkOutcome::Failed, refused),
            BulkAction::Renew => match self.renew_item(bulk, certificate, &caller).await? {
                // Settled together with its enrollment.
                None => return Ok(()),
                Some(ended) => ended,
            },
            BulkAction::Revoke { reason } => {
                self.revoke_item(certificate, *reason, &caller).await?
            }
            BulkAction::EditMetadata { metadata } => {
                self.change_item(certificate, metadata, &caller).await?
            }
            BulkAction::Transfer { team } => {
                let object = Ownable::Certificate(certificate.clone());
                match self.transfer(object, team.clone(), &caller).await {
                    Ok(()) => (BulkOutcome::Done, None),
                    Err(AccessError::Store(error)) => return Err(error),
                    Err(error) => (BulkOutcome::Failed, Some(error.to_string())),
                }
            }
        };
        let item = BulkItem {
            certificate: certificate.clone(),
            outcome,
            detail,
        };
        let (id, now) = (bulk.id.clone(), self.now());
        self.store
            .write("bulk.settle", move |tx| {
                Box::pin(async move { tx.settle_bulk_item(&id, &item, now).await.map(drop) })
            })
            .await
    }

    async fn renew_item(
        self: &Arc<Self>,
        bulk: &Bulk,
        certificate: &CertificateId,
        caller: &Caller,
    ) -> Result<Option<(BulkOutcome, Option<String>)>, StoreError> {
        let renewed = match self
            .renewal_submission(unchanged(certificate), Some(bulk.id.clone()))
            .await
        {
            Ok(submission) => self
                .submit(submission, caller)
                .await
                .map_err(RenewError::from),
            Err(error) => Err(error),
        };
        match renewed {
            Ok(_) | Err(RenewError::Submit(SubmitError::Enroll(EnrollError::Settled))) => Ok(None),
            Err(error) => match store_error(error) {
                Ok(error) => Err(error),
                // Somebody else was faster: what was wanted is the case.
                Err(
                    error @ (RenewError::Renewed(..)
                    | RenewError::Submit(SubmitError::Enroll(
                        EnrollError::Replaced(..) | EnrollError::BeingReplaced(..),
                    ))),
                ) => Ok(Some((BulkOutcome::Done, Some(error.to_string())))),
                Err(error) => Ok(Some((BulkOutcome::Failed, Some(error.to_string())))),
            },
        }
    }

    async fn revoke_item(
        &self,
        certificate: &CertificateId,
        reason: RevocationReason,
        caller: &Caller,
    ) -> Result<(BulkOutcome, Option<String>), StoreError> {
        let signer = RevocationSigner::Operator(&caller.actor.id);
        match self.revoke_by_id(certificate, reason, signer, caller).await {
            Ok(()) => Ok((BulkOutcome::Done, None)),
            Err(RevokeError::Store(error)) => Err(error),
            Err(error @ RevokeError::AlreadyRevoked) => {
                Ok((BulkOutcome::Done, Some(error.to_string())))
            }
            Err(error) => Ok((BulkOutcome::Failed, Some(error.to_string()))),
        }
    }

    async fn finish_bulk(&self, id: &BulkId) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        let mut event = self.event(&Caller::system(), "bulk.finished", id.as_str(), json!({}));
        self.store
            .write("bulk.finish", move |tx| {
                Box::pin(async move {
                    let Some(mut bulk) = tx.find_bulk_for_update(&id).await? else {
                        return Ok(());
                    };
                    if bulk.state != BulkState::Running {
                        return Ok(());
                    }
                    bulk.state = BulkState::Finished;
                    bulk.finished_at = Some(now);
                    let counts = tx.count_bulk_items(&id).await?;
                    event.data = json!({
                        "action": bulk.action, "done": counts.done, "failed": counts.failed,
                    });
                    tx.update_bulk(&bulk).await?;
                    tx.insert_event(&event).await
                })
            })
            .await
    }
}

/// The store's failure inside an error, which ends this try and not the certificate's turn.
fn store_error(error: RenewError) -> Result<StoreError, RenewError> {
    match error {
        RenewError::Store(error)
        | RenewError::Submit(
            SubmitError::Store(error)
            | SubmitError::Enroll(
                EnrollError::Store(error) | EnrollError::Admit(AdmitError::Store(error)),
            ),
        ) => Ok(error),
        error => Err(error),
    }
}
