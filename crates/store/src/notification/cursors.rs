//! How far the event log was read, by rules and by each channel that streams it.

use std::time::Duration;

use pki::time::Timestamp;

use crate::jobs::Lease;
use crate::{Row, Sql, StoreError, Tx, params};

/// Where a reader of the log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub position: i64,
    /// How often it failed in a row at what comes next.
    pub attempts: u32,
    pub next_at: Timestamp,
    pub last_error: Option<String>,
}

impl Cursor {
    /// Whether it is time to read on; see [`CLAIM`].
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_at <= now || self.next_at.since(now) > Duration::from_secs(7200)
    }
}

/// No wait and no lease is of two hours: a time further away was written by a clock that was set
/// back since.
const CLAIM: Sql<'static> = Sql::each(
    "UPDATE notification_cursors SET lease_owner = $2, lease_until = $3 WHERE name IN \
     (SELECT name FROM notification_cursors WHERE name = $1 \
     AND (next_at <= $4 OR next_at > $4 + 7200000) \
     AND (lease_until IS NULL OR lease_until <= $4 OR lease_until > $4 + 7200000)) \
     RETURNING position, attempts, next_at, last_error",
    "UPDATE notification_cursors SET lease_owner = $2, lease_until = $3 WHERE name IN \
     (SELECT name FROM notification_cursors WHERE name = $1 \
     AND (next_at <= $4 OR next_at > $4 + 7200000) \
     AND (lease_until IS NULL OR lease_until <= $4 OR lease_until > $4 + 7200000) FOR UPDATE SKIP LOCKED) \
     RETURNING position, attempts, next_at, last_error",
);

impl Tx<'_> {
    /// Puts a cursor to a position, whatever was there.
    pub async fn set_cursor(
        &mut self,
        name: &str,
        position: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO notification_cursors (name, position, attempts, next_at) \
                   VALUES ($1, $2, 0, $3) ON CONFLICT (name) DO UPDATE SET \
                   position = excluded.position, attempts = 0, next_at = excluded.next_at, \
                   last_error = NULL";
        self.execute_one(sql, params![name, position, now]).await
    }

    /// Where a cursor stands; `None` before it was ever set.
    pub async fn find_cursor(&mut self, name: &str) -> Result<Option<Cursor>, StoreError> {
        let sql = "SELECT position, attempts, next_at, last_error FROM notification_cursors \
                   WHERE name = $1";
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deletes all cursors whose names begin so.
    pub async fn delete_cursors(&mut self, prefix: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM notification_cursors WHERE name >= $1 AND name < $2";
        let end = format!("{prefix}\u{7f}");
        self.execute(sql, params![prefix, end]).await.map(drop)
    }

    /// Moves a cursor on, and answers whether it stood where the caller began to read.
    pub async fn advance_cursor(
        &mut self,
        name: &str,
        from: i64,
        to: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE notification_cursors SET position = $3, attempts = 0, \
                   last_error = NULL WHERE name = $1 AND position = $2";
        Ok(self.execute(sql, params![name, from, to]).await? == 1)
    }

    /// Takes a cursor for the time of a lease, if it is due and nobody has it.
    pub async fn claim_cursor(
        &mut self,
        name: &str,
        now: Timestamp,
        lease: &Lease,
    ) -> Result<Option<Cursor>, StoreError> {
        let values = params![name, lease.owner.as_str(), lease.until, now];
        let row = self.query_opt(CLAIM, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Gives a claimed cursor back, where it is still this node's.
    pub async fn release_cursor(
        &mut self,
        name: &str,
        lease: &Lease,
        cursor: &Cursor,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE notification_cursors SET lease_owner = NULL, lease_until = NULL, \
                   position = $3, attempts = $4, next_at = $5, last_error = $6 \
                   WHERE name = $1 AND lease_owner = $2";
        let values = params![
            name,
            lease.owner.as_str(),
            cursor.position,
            cursor.attempts,
            cursor.next_at,
            cursor.last_error.as_deref(),
        ];
        Ok(self.execute(sql, values).await? == 1)
    }
}

fn read(row: &Row) -> Result<Cursor, StoreError> {
    Ok(Cursor {
        position: row.get(0)?,
        attempts: row.get(1)?,
        next_at: row.get(2)?,
        last_error: row.get(3)?,
    })
}
