//! What has become of a request: the answer to it, to its repetition and to pollReq.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::Chain;
use domain::cmp::{CmpTransaction, TransactionState};
use domain::enrolling::ClientProof;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::{CertificateId, EntryPointId};
use domain::policy::Violation;
use pki::time::Timestamp;
use store::StoreError;

use crate::Lifecycle;
use crate::jobs::Job;

/// Where a request stands.
#[derive(Debug)]
pub enum CmpProgress {
    /// Not decided or not signed yet.
    Waiting {
        transaction: Box<CmpTransaction>,
        check_after: Duration,
        reason: String,
    },
    /// Signed: the certificate first, then those above it.
    Issued {
        transaction: Box<CmpTransaction>,
        chain: Chain,
        confirmation: Confirmation,
    },
    /// Nothing will come of it.
    Ended {
        transaction: Box<CmpTransaction>,
        reason: String,
    },
}

/// Whether the requester has to say that it takes the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// No.
    Implicit,
    /// Yes, until then.
    Until(Timestamp),
}

impl Lifecycle {
    /// The transaction of an endpoint with that id, if it was begun by who holds the same proof.
    pub async fn cmp_transaction(
        &self,
        endpoint: &EntryPointId,
        id: &str,
        proof: &ClientProof,
    ) -> Result<Option<CmpTransaction>, StoreError> {
        let found = self.find_cmp_transaction(endpoint, id).await?;
        Ok(found.filter(|transaction| transaction.proof == *proof))
    }

    /// Where the request of a transaction stands now. Our answer will have this nonce.
    pub async fn cmp_progress(
        self: &Arc<Self>,
        transaction: &CmpTransaction,
        nonce: &str,
    ) -> Result<CmpProgress, StoreError> {
        match self.enrollment(&transaction.enrollment).await? {
            Some(enrollment) => self.progress_of(transaction, &enrollment, nonce).await,
            None => Ok(ended(transaction, "the request is gone")),
        }
    }

    pub(super) async fn progress_of(
        self: &Arc<Self>,
        transaction: &CmpTransaction,
        enrollment: &Enrollment,
        nonce: &str,
    ) -> Result<CmpProgress, StoreError> {
        let reason = match &enrollment.state {
            EnrollmentState::Issued { certificate } => {
                return self
                    .hand_over(transaction, enrollment, certificate, nonce)
                    .await;
            }
            EnrollmentState::Rejected { violations } => {
                return Ok(rejected(transaction, violations));
            }
            EnrollmentState::Failed { reason }
            | EnrollmentState::Cancelled { reason }
            | EnrollmentState::Denied { reason }
            | EnrollmentState::Expired { reason } => return Ok(ended(transaction, reason)),
            EnrollmentState::AwaitingApproval { .. }
            | EnrollmentState::Approved { .. }
            | EnrollmentState::Signing { .. }
            | EnrollmentState::AwaitingIssuer { .. } => enrollment.state.told().unwrap_or_default(),
        };
        let now = self.now();
        self.note_reply(transaction, &transaction.state, nonce, None)
            .await?;
        Ok(CmpProgress::Waiting {
            transaction: Box::new(transaction.clone()),
            check_after: enrollment.state.retry_after(now),
            reason,
        })
    }

    /// From here on a confirmation is waited for, unless there needs to be none.
    async fn hand_over(
        &self,
        transaction: &CmpTransaction,
        enrollment: &Enrollment,
        certificate: &CertificateId,
        nonce: &str,
    ) -> Result<CmpProgress, StoreError> {
        let Some(chain) = self.issued_chain(enrollment).await? else {
            return Ok(ended(transaction, "the certificate is gone"));
        };
        let rules = self.cmp_rules(&transaction.endpoint).await?;
        let Some(rules) = rules else {
            return Ok(ended(transaction, "the endpoint is gone"));
        };
        let certificate = certificate.clone();
        let until = self.now() + rules.confirm_wait();
        let state = match &transaction.state {
            TransactionState::Open if transaction.implicit && rules.implicit_confirm => {
                TransactionState::Confirmed { certificate }
            }
            TransactionState::Open => TransactionState::AwaitingConfirmation { certificate, until },
            TransactionState::Refused { .. } => {
                return Ok(ended(
                    transaction,
                    "the certificate was not confirmed, so it was revoked",
                ));
            }
            state @ (TransactionState::AwaitingConfirmation { .. }
            | TransactionState::Confirmed { .. }) => state.clone(),
        };
        let confirmation = match &state {
            TransactionState::AwaitingConfirmation { until, .. } => Confirmation::Until(*until),
            TransactionState::Open
            | TransactionState::Confirmed { .. }
            | TransactionState::Refused { .. } => Confirmation::Implicit,
        };
        let deadline = match (&transaction.state, confirmation) {
            (TransactionState::Open, Confirmation::Until(until)) => Some(until),
            _ => None,
        };
        self.note_reply(transaction, &state, nonce, deadline)
            .await?;
        Ok(CmpProgress::Issued {
            transaction: Box::new(CmpTransaction {
                state,
                ..transaction.clone()
            }),
            chain,
            confirmation,
        })
    }

    /// Makes durable what the answer says before it is given.
    async fn note_reply(
        &self,
        transaction: &CmpTransaction,
        state: &TransactionState,
        nonce: &str,
        deadline: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let (known, state, nonce) = (transaction.clone(), state.clone(), nonce.to_owned());
        let job = deadline.map(|at| {
            let job = Job::EndCmpTransaction {
                endpoint: known.endpoint.clone(),
                transaction: known.id.clone(),
            };
            // Not to the second: a confirmation that is on its way still counts.
            self.new_job(&job, at + GRACE)
        });
        self.store
            .write("cmp_transaction.answer", move |tx| {
                Box::pin(async move {
                    let (endpoint, id) = (&known.endpoint, &known.id);
                    let current = tx.find_cmp_transaction_for_update(endpoint, id).await?;
                    let changed = current.is_none_or(|current| current.state != known.state);
                    // A confirmation that came between is not undone by an answer.
                    let state = if changed { None } else { Some(&state) };
                    if let Some(state) = state {
                        tx.update_cmp_transaction(endpoint, id, state, &nonce, now)
                            .await?;
                        if let Some(job) = &job {
                            tx.enqueue(job).await?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }

    pub(super) async fn cmp_rules(
        &self,
        endpoint: &EntryPointId,
    ) -> Result<Option<domain::cmp::CmpRules>, StoreError> {
        let id = endpoint.clone();
        let found = self
            .store
            .read("cmp_endpoint.by_id", |tx| {
                Box::pin(async move { tx.find_cmp_endpoint(&id).await })
            })
            .await?;
        Ok(found.map(|endpoint| endpoint.spec))
    }
}

fn rejected(transaction: &CmpTransaction, violations: &[Violation]) -> CmpProgress {
    let texts: Vec<String> = violations.iter().map(Violation::text).collect();
    ended(transaction, &texts.join("; "))
}

fn ended(transaction: &CmpTransaction, reason: &str) -> CmpProgress {
    CmpProgress::Ended {
        transaction: Box::new(transaction.clone()),
        reason: reason.to_owned(),
    }
}

const GRACE: Duration = Duration::from_secs(5);
