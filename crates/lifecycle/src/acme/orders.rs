//! Orders: looked at and listed (RFC 8555 sections 7.1.2.1 and 7.1.3).

use domain::acme::account::Account;
use domain::acme::order::{Order, OrderStatus};
use domain::enrollment::EnrollmentState;
use domain::id::OrderId;
use pki::time::Timestamp;
use store::{StoreError, Tx};

use crate::Lifecycle;

/// An order and its derived status.
#[derive(Clone, Debug)]
pub struct OrderView {
    pub order: Order,
    pub status: OrderStatus,
}

impl Lifecycle {
    /// The order with that id, if it is of that account.
    pub async fn order(
        &self,
        account: &Account,
        id: &OrderId,
    ) -> Result<Option<OrderView>, StoreError> {
        let (account, id, now) = (account.id.clone(), id.clone(), self.now());
        self.store
            .read("order.find", move |tx| {
                Box::pin(async move {
                    match tx
                        .find_order(&id)
                        .await?
                        .filter(|o| o.account_id == account)
                    {
                        Some(order) => view_order(tx, order, now).await.map(Some),
                        None => Ok(None),
                    }
                })
            })
            .await
    }

    /// Orders of an account, newest first.
    pub async fn orders_of_account(
        &self,
        account: &Account,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let id = account.id.clone();
        self.store
            .scan("order.of_account", move |tx| {
                Box::pin(async move { tx.list_orders_of_account(&id, after.as_ref(), limit).await })
            })
            .await
    }
}

/// Reads what an order's status depends on.
pub(crate) async fn view_order(
    tx: &mut Tx<'_>,
    order: Order,
    now: Timestamp,
) -> Result<OrderView, StoreError> {
    let enrollment = enrollment_state(tx, &order).await?;
    let authorizations = match enrollment {
        Some(_) => Vec::new(),
        None => {
            tx.list_authorizations_by_ids(&order.authorization_ids)
                .await?
        }
    };
    let status = order.status(&authorizations, enrollment.as_ref(), now);
    Ok(OrderView { order, status })
}

pub(crate) async fn enrollment_state(
    tx: &mut Tx<'_>,
    order: &Order,
) -> Result<Option<EnrollmentState>, StoreError> {
    match &order.enrollment_id {
        None => Ok(None),
        Some(id) => Ok(tx.find_enrollment(id).await?.map(|e| e.state)),
    }
}
