//! Finalize: an order that is ready becomes an enrollment, and mostly a certificate at once
//! (RFC 8555 section 7.4).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::acme::account::Account;
use domain::acme::authorization::Authorization;
use domain::acme::directory::Directory;
use domain::acme::order::{Order, OrderStatus};
use domain::acme::validation::ValidationFailure;
use domain::enrollment::{EnrollmentState, Requester};
use domain::id::OrderId;
use domain::identifier::Identifier;
use domain::policy::Violation;
use domain::profile::{Profile, ProfileSpec};
use pki::csr::{Csr, CsrError};
use store::StoreError;
use store::jobs::JobRow;

use super::attestation;
use super::authorizations::proof_is_accepted;
use super::orders::OrderView;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuance::admit::EnrollmentRequest;
use crate::issuance::{Admission, AdmitError, Admitted};

/// Why an order is not finalized. But for `NotFound` and `NotReady`, it stays ready.
#[derive(Debug, thiserror::Error)]
pub enum FinalizeError {
    #[error("there is no such order")]
    NotFound,
    #[error("the order is not ready to be finalized")]
    NotReady,
    #[error("the CSR cannot be read: {0}")]
    Csr(#[from] CsrError),
    #[error("the CSR cannot be certified")]
    Rejected(Vec<Violation>),
    #[error(
        "the order's profile was changed or withdrawn since the order was made; make a new order"
    )]
    ProfileChanged,
    #[error(
        "the directory no longer takes the proof of control over {0} that the order stands on; make a new order"
    )]
    ProofNotAccepted(Identifier),
    #[error("the account is deactivated")]
    AccountNotValid,
    /// CAA was looked at again and now forbids it; with the identifier at fault.
    #[error("{1}")]
    Caa(Identifier, ValidationFailure),
    /// Nothing the client can mend; it may try again later.
    #[error("no issuer is ready to sign")]
    Unavailable(#[source] AdmitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An order ready to be finalized, as read before the decision.
pub(super) struct Ready {
    pub(super) order: Order,
    pub(super) authorizations: Vec<Authorization>,
}

/// What an order was bound to.
enum Bound {
    Sign(Box<Admitted>, Box<JobRow>),
    /// People decide first, or an issuer has to have room again.
    Wait(Box<OrderView>),
}

impl Lifecycle {
    /// Finalizes an order. Answers when the certificate is there or patience ends; the work goes
    /// on either way, also when the client hangs up.
    pub async fn finalize(
        self: &Arc<Self>,
        directory: &Directory,
        account: &Account,
        id: &OrderId,
        csr_der: &[u8],
        key_thumbprint: impl FnOnce(&Csr) -> Option<String>,
        caller: &Caller,
    ) -> Result<OrderView, FinalizeError> {
        let ready = self.ready_order(account, id).await?;
        let bound = self
            .decide_order(directory, account, &ready, csr_der, key_thumbprint, caller)
            .await;
        if let Err(error) = &bound {
            self.note_refused_order(&ready.order, error, caller).await?;
        }
        let (admitted, job) = match bound? {
            Bound::Sign(admitted, job) => (*admitted, *job),
            Bound::Wait(view) => return Ok(*view),
        };
        let order = Order {
            enrollment_id: Some(admitted.enrollment.id.clone()),
            ..ready.order
        };
        let state = self.drive(directory, admitted, job, caller).await;
        let status = order.status(&[], Some(&state), self.now());
        Ok(OrderView { order, status })
    }

    async fn decide_order(
        &self,
        directory: &Directory,
        account: &Account,
        ready: &Ready,
        csr_der: &[u8],
        key_thumbprint: impl FnOnce(&Csr) -> Option<String>,
        caller: &Caller,
    ) -> Result<Bound, FinalizeError> {
        let csr = Csr::from_der(csr_der)?;
        let key_thumbprint = key_thumbprint(&csr);
        self.recheck_caa(directory, &account.id, &ready.authorizations)
            .await?;
        let asked = (&csr, key_thumbprint.as_deref());
        let bound = self
            .decide_and_bind(directory, account, ready, asked, caller)
            .await;
        if matches!(bound, Err(FinalizeError::ProfileChanged)) {
            // What was decided by may be what is remembered from before a change of another node's.
            self.profiles.forget(&ready.order.profile_name);
            return self
                .decide_and_bind(directory, account, ready, asked, caller)
                .await;
        }
        bound
    }

    /// Decides by the profile as it is now, and binds the order to what was decided.
    async fn decide_and_bind(
        &self,
        directory: &Directory,
        account: &Account,
        ready: &Ready,
        (csr, key_thumbprint): (&Csr, Option<&str>),
        caller: &Caller,
    ) -> Result<Bound, FinalizeError> {
        let profile = self.order_profile_now(directory, &ready.order).await?;
        if let Some(refused) = ready
            .authorizations
            .iter()
            .find(|authorization| !proof_is_accepted(authorization, directory, &profile))
        {
            return Err(FinalizeError::ProofNotAccepted(refused.identifier.clone()));
        }
        attestation::check_key(&ready.authorizations, csr)?;
        let version = profile.version;
        let (csr, key_thumbprint) = (csr.clone(), key_thumbprint.map(str::to_owned));
        let admission = self
            .admit_order(directory, account, ready, profile, csr, key_thumbprint)
            .await?;
        match admission {
            Admission::Sign(admitted) => {
                let job = self.bind_enrollment(&ready.order, &admitted).await?;
                Ok(Bound::Sign(admitted, Box::new(job)))
            }
            Admission::Wait(waiting) => {
                let view = self.bind_waiting(ready, version, *waiting, caller).await?;
                Ok(Bound::Wait(Box::new(view)))
            }
            Admission::Later(deferred) => {
                let view = self.bind_deferred(&ready.order, *deferred).await?;
                Ok(Bound::Wait(Box::new(view)))
            }
        }
    }

    async fn ready_order(&self, account: &Account, id: &OrderId) -> Result<Ready, FinalizeError> {
        let (account, id, now) = (account.id.clone(), id.clone(), self.now());
        self.store
            .read("finalize.order", move |tx| {
                Box::pin(async move {
                    let order = tx
                        .find_order(&id)
                        .await?
                        .filter(|order| order.account_id == account)
                        .ok_or(FinalizeError::NotFound)?;
                    if order.enrollment_id.is_some() {
                        return Err(FinalizeError::NotReady);
                    }
                    let authorizations = tx
                        .list_authorizations_by_ids(&order.authorization_ids)
                        .await?;
                    match order.status(&authorizations, None, now) {
                        OrderStatus::Ready => Ok(Ready {
                            order,
                            authorizations,
                        }),
                        _ => Err(FinalizeError::NotReady),
                    }
                })
            })
            .await
    }

    /// The order's profile, if it still allows what it did when the order was made, and is still offered.
    /// Who signs may be another one by now: that is no rule, and no client is to notice.
    async fn order_profile_now(
        &self,
        directory: &Directory,
        order: &Order,
    ) -> Result<Arc<Profile>, FinalizeError> {
        let current = self
            .profile(&order.profile_name)
            .await?
            .filter(|profile| directory.spec.profiles.contains(&profile.name))
            .ok_or(FinalizeError::ProfileChanged)?;
        if current.version == order.profile_version {
            return Ok(current);
        }
        let ordered_under = self
            .profile_version(&current.id, order.profile_version)
            .await?
            .ok_or(FinalizeError::ProfileChanged)?;
        let rules = ProfileSpec {
            issuers: current.spec.issuers.clone(),
            ..ordered_under.spec.clone()
        };
        match rules == current.spec {
            true => Ok(current),
            false => Err(FinalizeError::ProfileChanged),
        }
    }

    async fn admit_order(
        &self,
        directory: &Directory,
        account: &Account,
        ready: &Ready,
        profile: Arc<Profile>,
        csr: Csr,
        key_thumbprint: Option<String>,
    ) -> Result<Admission, FinalizeError> {
        let order = &ready.order;
        let request = EnrollmentRequest {
            requester: Requester::AcmeAccount {
                account: account.id.clone(),
                directory: directory.id.clone(),
                order: order.id.clone(),
            },
            identifiers: attestation::certified_names(&order.identifiers, &profile),
            profile,
            subject: None,
            key_evidence: attestation::evidence(&ready.authorizations),
            csr,
            key_thumbprint,
            not_before: order.not_before,
            not_after: order.not_after,
            replaces: order.replaces.clone(),
            metadata: BTreeMap::new(),
            team: order.team_id.clone(),
        };
        self.admit(request).await.map_err(|error| match error {
            AdmitError::Rejected(violations) => FinalizeError::Rejected(violations),
            AdmitError::Store(error) => FinalizeError::Store(error),
            AdmitError::Clock(_) | AdmitError::Route(_) | AdmitError::Prepare(_) => {
                tracing::error!(order.id = %order.id, error = %error, "order cannot be signed");
                FinalizeError::Unavailable(error)
            }
        })
    }

    /// Signs and records in a task of its own, and waits for it as long as patience lasts.
    async fn drive(
        self: &Arc<Self>,
        directory: &Directory,
        admitted: Admitted,
        job: JobRow,
        caller: &Caller,
    ) -> EnrollmentState {
        let pending = admitted.enrollment.state.clone();
        let delay = directory.spec.test_mode.as_ref().map(|test| {
            Duration::from_millis((self.draw() * test.issuance_delay_millis as f64) as u64)
        });
        let lifecycle = Arc::clone(self);
        let caller = caller.clone();
        let task = self.detach(async move {
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            lifecycle.sign_and_record(&admitted, &job, &caller).await
        });
        // A test directory shows its clients what `processing` looks like.
        let patience = match delay {
            Some(_) => Duration::ZERO,
            None => self.settings.finalize_patience,
        };
        match tokio::time::timeout(patience, task).await {
            Ok(Ok(Ok(state))) => state,
            // It failed and was logged, it panicked, or it takes longer: the job goes on with it.
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => pending,
        }
    }
}
