//! Bind: an order is tied to the one enrollment it will ever have, in the transaction that makes the
//! enrollment durable (RFC 8555 section 7.4).

use domain::acme::account::AccountStatus;
use domain::acme::order::{Order, OrderStatus};
use domain::enrollment::EnrollmentState;
use domain::id::{EnrollmentId, OrderId};
use pki::time::Timestamp;
use store::Tx;
use store::jobs::JobRow;

use super::finalize::{FinalizeError, Ready};
use super::orders::OrderView;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::approvals::{Waiting, insert_waiting};
use crate::issuance::{Admitted, Deferred};
use crate::jobs::Job;

impl Lifecycle {
    /// The one transaction that makes this finalize the one that counts: everything the decision
    /// stood on is looked at again under lock, then serial and content are durable.
    pub(super) async fn bind_enrollment(
        &self,
        order: &Order,
        admitted: &Admitted,
    ) -> Result<JobRow, FinalizeError> {
        let now = self.now();
        let enrollment = admitted.enrollment.clone();
        let job = self.new_job(
            &Job::DriveEnrollment {
                enrollment: enrollment.id.clone(),
            },
            now,
        );
        let claimed = job.clone();
        let lease = self.lease(now);
        let id = order.id.clone();
        let profile = (admitted.profile.name.clone(), admitted.profile.version);
        self.store
            .write("finalize.bind", move |tx| {
                Box::pin(async move {
                    bind_order(tx, &id, &enrollment.id, (&profile.0, profile.1), now).await?;
                    tx.insert_enrollment(&enrollment).await?;
                    tx.enqueue_claimed(&job, &lease).await?;
                    Ok::<_, FinalizeError>(())
                })
            })
            .await?;
        Ok(claimed)
    }

    /// The same for a request that people have to agree to. Nobody is asked for longer than the
    /// order and its authorizations last.
    pub(super) async fn bind_waiting(
        &self,
        ready: &Ready,
        version: u32,
        waiting: Waiting,
        caller: &Caller,
    ) -> Result<OrderView, FinalizeError> {
        let now = self.now();
        let ends = ready.authorizations.iter().map(|a| a.expires_at);
        let waiting = match ends.min() {
            Some(end) => waiting.not_after(end),
            None => waiting,
        };
        let state = waiting.enrollment.state.clone();
        let enrollment = waiting.enrollment.id.clone();
        let profile = (ready.order.profile_name.clone(), version);
        let rows = self.rows_of_waiting(waiting, caller);
        let (id, bound) = (ready.order.id.clone(), enrollment.clone());
        self.store
            .write("finalize.wait", move |tx| {
                Box::pin(async move {
                    bind_order(tx, &id, &bound, (&profile.0, profile.1), now).await?;
                    insert_waiting(tx, &rows).await?;
                    Ok::<_, FinalizeError>(())
                })
            })
            .await?;
        Ok(bound_view(&ready.order, enrollment, &state, now))
    }

    /// The same for a request that no issuer has room for now.
    pub(super) async fn bind_deferred(
        &self,
        order: &Order,
        deferred: Deferred,
    ) -> Result<OrderView, FinalizeError> {
        let now = self.now();
        let Deferred {
            enrollment,
            profile,
        } = deferred;
        let (stored, job, id) = (
            enrollment.clone(),
            self.drive_later(&enrollment),
            order.id.clone(),
        );
        self.store
            .write("finalize.defer", move |tx| {
                Box::pin(async move {
                    let profile = (profile.name.as_str(), profile.version);
                    bind_order(tx, &id, &stored.id, profile, now).await?;
                    tx.insert_enrollment(&stored).await?;
                    tx.enqueue(&job).await?;
                    Ok::<_, FinalizeError>(())
                })
            })
            .await?;
        Ok(bound_view(order, enrollment.id, &enrollment.state, now))
    }
}

/// How an order looks that was tied to an enrollment a moment ago.
fn bound_view(
    order: &Order,
    enrollment: EnrollmentId,
    state: &EnrollmentState,
    now: Timestamp,
) -> OrderView {
    let order = Order {
        enrollment_id: Some(enrollment),
        ..order.clone()
    };
    let status = order.status(&[], Some(state), now);
    OrderView { order, status }
}

/// Ties an order to its enrollment, if all it stands on holds.
async fn bind_order(
    tx: &mut Tx<'_>,
    id: &OrderId,
    enrollment: &EnrollmentId,
    (profile, version): (&str, u32),
    now: Timestamp,
) -> Result<(), FinalizeError> {
    let order = tx
        .find_order_for_update(id)
        .await?
        .ok_or(FinalizeError::NotFound)?;
    let authorizations = tx
        .list_authorizations_by_ids(&order.authorization_ids)
        .await?;
    if order.enrollment_id.is_some()
        || order.status(&authorizations, None, now) != OrderStatus::Ready
    {
        return Err(FinalizeError::NotReady);
    }
    let account = tx.find_account(&order.account_id).await?;
    if account.is_none_or(|account| account.status != AccountStatus::Valid) {
        return Err(FinalizeError::AccountNotValid);
    }
    let current = tx.find_profile(profile).await?;
    if current.is_none_or(|current| current.version != version) {
        return Err(FinalizeError::ProfileChanged);
    }
    match tx.set_order_enrollment(&order.id, enrollment).await? {
        true => Ok(()),
        false => Err(FinalizeError::NotReady),
    }
}
