//! ACME orders (RFC 8555 section 7.1.3).

use domain::access::Visibility;
use domain::acme::order::Order;
use domain::id::{AccountId, CertificateId, DirectoryId, EnrollmentId, OrderId, TeamId};
use pki::time::Timestamp;

use crate::codec::json;
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which orders to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    pub visible: Visibility,
    pub directory: Option<DirectoryId>,
    pub account: Option<AccountId>,
}

macro_rules! columns {
    () => {
        "id, account_id, directory_id, identifiers, authorization_ids, profile_id, profile_name, \
         profile_version, not_before, not_after, replaces, replaces_cert_id, expires_at, \
         created_at, enrollment_id, team_id"
    };
}

impl Tx<'_> {
    /// Adds an order.
    pub async fn insert_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO acme_orders (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        );
        let values = params![
            order.id.as_str(),
            order.account_id.as_str(),
            order.directory_id.as_str(),
            json(&order.identifiers)?,
            json(&order.authorization_ids)?,
            order.profile_id.as_str(),
            &order.profile_name,
            order.profile_version,
            order.not_before,
            order.not_after,
            order.replaces.as_ref().map(CertificateId::as_str),
            order.replaces_cert_id.as_deref(),
            order.expires_at,
            order.created_at,
            order.enrollment_id.as_ref().map(EnrollmentId::as_str),
            order.team_id.as_ref().map(TeamId::as_str),
        ];
        self.execute_one(sql, values).await
    }

    /// The order with that id.
    pub async fn find_order(&mut self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM acme_orders WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_order`](Self::find_order); the row stays as it is until the transaction ends.
    pub async fn find_order_for_update(
        &mut self,
        id: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM acme_orders WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Gives the order its enrollment. Of any number of finalize requests exactly one is told `true`.
    pub async fn set_order_enrollment(
        &mut self,
        id: &OrderId,
        enrollment: &EnrollmentId,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE acme_orders SET enrollment_id = $2 WHERE id = $1 AND enrollment_id IS NULL";
        Ok(self
            .execute(sql, params![id.as_str(), enrollment.as_str()])
            .await?
            == 1)
    }

    /// The orders of an account, newest first.
    pub async fn list_orders_of_account(
        &mut self,
        account: &AccountId,
        after: Option<&OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let filter = OrderFilter {
            account: Some(account.clone()),
            ..OrderFilter::default()
        };
        self.list_orders(&filter, after, limit).await
    }

    /// Orders that fit the filter, newest first.
    pub async fn list_orders(
        &mut self,
        filter: &OrderFilter,
        after: Option<&OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM acme_orders"))
            .visible("team_id", &filter.visible)
            .and_if(
                "directory_id = ?",
                filter.directory.as_ref().map(DirectoryId::as_str),
            )
            .and_if(
                "account_id = ?",
                filter.account.as_ref().map(AccountId::as_str),
            )
            .and_if("id < ?", after.map(OrderId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// The orders that are to replace a certificate (RFC 9773 section 5), newest first; the last
    /// hundred of them.
    pub async fn list_orders_replacing(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Vec<Order>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_orders WHERE replaces = $1 ORDER BY id DESC LIMIT 100"
        );
        let rows = self.query(sql, params![certificate.as_str()]).await?;
        rows.iter().map(read).collect()
    }

    /// Deletes orders that expired before `before` and never got an enrollment.
    pub async fn delete_expired_orders(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM acme_orders WHERE enrollment_id IS NULL AND id IN \
                   (SELECT id FROM acme_orders WHERE expires_at < $1 AND enrollment_id IS NULL \
                    ORDER BY expires_at LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}

fn read(row: &Row) -> Result<Order, StoreError> {
    Ok(Order {
        id: row.parse(0)?,
        account_id: row.parse(1)?,
        directory_id: row.parse(2)?,
        identifiers: row.json(3)?,
        authorization_ids: row.json(4)?,
        profile_id: row.parse(5)?,
        profile_name: row.get(6)?,
        profile_version: row.get(7)?,
        not_before: row.get(8)?,
        not_after: row.get(9)?,
        replaces: row.parse_opt(10)?,
        replaces_cert_id: row.get(11)?,
        expires_at: row.get(12)?,
        created_at: row.get(13)?,
        enrollment_id: row.parse_opt(14)?,
        team_id: row.parse_opt(15)?,
    })
}
