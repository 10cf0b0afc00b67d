//! Who is away, and who decides meanwhile.

use domain::access::Principal;
use domain::approval::Delegation;
use domain::id::DelegationId;
use pki::time::Timestamp;

use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which delegations to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct DelegationFilter {
    /// Who is away.
    pub principal: Option<Principal>,
    pub delegate: Option<Principal>,
    /// Those that hold at that instant.
    pub in_force_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, principal, delegate, reason, starts_at, ends_at, created_by, created_at, ended_at"
    };
}

impl Tx<'_> {
    /// Adds a delegation.
    pub async fn insert_delegation(&mut self, delegation: &Delegation) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO approval_delegations (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        );
        let values = params![
            delegation.id.as_str(),
            delegation.principal.to_string(),
            delegation.delegate.as_ref().map(ToString::to_string),
            &delegation.reason,
            delegation.starts_at,
            delegation.ends_at,
            &delegation.created_by,
            delegation.created_at,
            delegation.ended_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The delegation with that id.
    pub async fn find_delegation(
        &mut self,
        id: &DelegationId,
    ) -> Result<Option<Delegation>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM approval_delegations WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends a delegation, and answers whether it had not been ended before.
    pub async fn end_delegation(
        &mut self,
        id: &DelegationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE approval_delegations SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Delegations that fit the filter, newest first.
    pub async fn list_delegations(
        &mut self,
        filter: &DelegationFilter,
        after: Option<&DelegationId>,
        limit: u32,
    ) -> Result<Vec<Delegation>, StoreError> {
        let select = concat!("SELECT ", columns!(), " FROM approval_delegations");
        let mut list = List::new(select)
            .and_if(
                "principal = ?",
                filter.principal.as_ref().map(ToString::to_string),
            )
            .and_if(
                "delegate = ?",
                filter.delegate.as_ref().map(ToString::to_string),
            );
        if let Some(now) = filter.in_force_at {
            list = list
                .and("ended_at IS NULL")
                .and_if("starts_at <= ?", Some(now))
                .and_if("ends_at > ?", Some(now));
        }
        let (sql, values) = list
            .and_if("id < ?", after.map(DelegationId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Delegation, StoreError> {
    Ok(Delegation {
        id: row.parse(0)?,
        principal: row.parse(1)?,
        delegate: row.parse_opt(2)?,
        reason: row.get(3)?,
        starts_at: row.get(4)?,
        ends_at: row.get(5)?,
        created_by: row.get(6)?,
        created_at: row.get(7)?,
        ended_at: row.get(8)?,
    })
}
