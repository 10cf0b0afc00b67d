//! certConf, and what happens without one: a certificate that nobody took is revoked.

use std::sync::Arc;

use domain::cmp::{CmpTransaction, TransactionState};
use domain::id::{CertificateId, EntryPointId};
use pki::revocation::RevocationReason;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::revocation::{RevocationSigner, RevokeError};

/// Why a confirmation changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("the transaction has no certificate that could be confirmed")]
    Nothing,
    #[error("the certificate is confirmed already")]
    Confirmed,
    #[error("the confirmation came too late: the certificate is revoked")]
    TooLate,
    #[error(transparent)]
    Revoke(#[from] RevokeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the state allows.
enum Verdict {
    Noted(CertificateId),
    Late(CertificateId),
    Not(ConfirmError),
}

impl Lifecycle {
    /// Notes that the requester takes its certificate, or revokes it because it does not.
    pub async fn cmp_confirm(
        self: &Arc<Self>,
        transaction: &CmpTransaction,
        is_taken: bool,
        nonce: &str,
        caller: &Caller,
    ) -> Result<(), ConfirmError> {
        match self
            .note_verdict(transaction, is_taken, nonce, caller)
            .await?
        {
            Verdict::Noted(_) if is_taken => Ok(()),
            Verdict::Noted(certificate) => self.revoke_untaken(&certificate, caller).await,
            Verdict::Late(certificate) => {
                self.revoke_untaken(&certificate, &Caller::system()).await?;
                Err(ConfirmError::TooLate)
            }
            Verdict::Not(error) => Err(error),
        }
    }

    async fn note_verdict(
        &self,
        transaction: &CmpTransaction,
        is_taken: bool,
        nonce: &str,
        caller: &Caller,
    ) -> Result<Verdict, StoreError> {
        let now = self.now();
        let name = match is_taken {
            true => "certificate.confirmed",
            false => "certificate.not_taken",
        };
        let data = json!({ "transaction": transaction.id, "before": "awaiting-confirmation" });
        let event = self.event(caller, name, transaction.enrollment.as_str(), data);
        let (known, nonce) = (transaction.clone(), nonce.to_owned());
        self.store
            .write("cmp_transaction.confirm", move |tx| {
                Box::pin(async move {
                    let (endpoint, id) = (&known.endpoint, &known.id);
                    let current = tx.find_cmp_transaction_for_update(endpoint, id).await?;
                    let (certificate, until) = match current.map(|current| current.state) {
                        Some(TransactionState::AwaitingConfirmation { certificate, until }) => {
                            (certificate, until)
                        }
                        Some(TransactionState::Confirmed { .. }) => {
                            return Ok(Verdict::Not(ConfirmError::Confirmed));
                        }
                        Some(TransactionState::Refused { .. }) => {
                            return Ok(Verdict::Not(ConfirmError::TooLate));
                        }
                        Some(TransactionState::Open) | None => {
                            return Ok(Verdict::Not(ConfirmError::Nothing));
                        }
                    };
                    let in_time = now <= until;
                    let kept = certificate.clone();
                    let state = match is_taken && in_time {
                        true => TransactionState::Confirmed { certificate: kept },
                        false => TransactionState::Refused { certificate: kept },
                    };
                    tx.update_cmp_transaction(endpoint, id, &state, &nonce, now)
                        .await?;
                    if !(is_taken && in_time) {
                        tx.unset_replaced_by(&certificate).await?;
                    }
                    if in_time {
                        tx.insert_event(&event).await?;
                        return Ok(Verdict::Noted(certificate));
                    }
                    Ok::<_, StoreError>(Verdict::Late(certificate))
                })
            })
            .await
    }

    /// The end of the wait for a confirmation; settles the job's row.
    pub(crate) async fn end_cmp_transaction(
        self: &Arc<Self>,
        job: &JobRow,
        endpoint: &EntryPointId,
        transaction: &str,
    ) -> Result<(), ConfirmError> {
        let now = self.now();
        let (wanted, id) = (endpoint.clone(), transaction.to_owned());
        let untaken = self
            .store
            .write("cmp_transaction.end", move |tx| {
                Box::pin(async move {
                    let current = tx.find_cmp_transaction_for_update(&wanted, &id).await?;
                    let Some(current) = current else {
                        return Ok::<_, StoreError>(None);
                    };
                    let certificate = match &current.state {
                        TransactionState::AwaitingConfirmation { certificate, .. } => {
                            certificate.clone()
                        }
                        // Revoked or not when the process died, it is to be revoked.
                        TransactionState::Refused { certificate } => {
                            return Ok(Some(certificate.clone()));
                        }
                        TransactionState::Open | TransactionState::Confirmed { .. } => {
                            return Ok(None);
                        }
                    };
                    let state = TransactionState::Refused {
                        certificate: certificate.clone(),
                    };
                    let nonce = current.nonce.clone();
                    tx.update_cmp_transaction(&wanted, &id, &state, &nonce, now)
                        .await?;
                    tx.unset_replaced_by(&certificate).await?;
                    Ok(Some(certificate))
                })
            })
            .await?;
        if let Some(certificate) = untaken {
            self.revoke_untaken(&certificate, &Caller::system()).await?;
        }
        Ok(self.complete_job(job).await?)
    }

    /// RFC 9810 section 5.3.18: what is not confirmed is revoked.
    async fn revoke_untaken(
        &self,
        certificate: &CertificateId,
        caller: &Caller,
    ) -> Result<(), ConfirmError> {
        let signer = RevocationSigner::Operator("CMP: the certificate was not confirmed");
        let reason = RevocationReason::CessationOfOperation;
        match self.revoke_by_id(certificate, reason, signer, caller).await {
            Ok(()) | Err(RevokeError::AlreadyRevoked) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
