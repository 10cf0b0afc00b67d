//! Failed sign-ins, by user name and by address, so that guessing is slow on all nodes together.

use domain::sign_in::Attempts;
use pki::time::Timestamp;

use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

impl Tx<'_> {
    /// What is remembered of a key; the row stays as it is until the transaction ends.
    pub async fn find_attempts(&mut self, key: &str) -> Result<Option<Attempts>, StoreError> {
        let sql = for_update!(
            "SELECT failures, last_at, locked_until FROM sign_in_attempts WHERE key = $1"
        );
        let row = self.query_opt(sql, params![key]).await?;
        row.as_ref().map(|row| read(row, 0)).transpose()
    }

    /// As above, with a row made where there is none, so that of any number of first attempts each
    /// waits for the one before.
    pub async fn lock_attempts(
        &mut self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Attempts>, StoreError> {
        let sql = "INSERT INTO sign_in_attempts (key, failures, last_at) VALUES ($1, 0, $2) \
                   ON CONFLICT (key) DO NOTHING";
        self.execute(sql, params![key, now]).await?;
        self.find_attempts(key).await
    }

    /// Remembers attempts.
    pub async fn put_attempts(&mut self, key: &str, attempts: &Attempts) -> Result<(), StoreError> {
        let sql = "INSERT INTO sign_in_attempts (key, failures, last_at, locked_until) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO UPDATE \
                   SET failures = $2, last_at = $3, locked_until = $4";
        let values = params![
            key,
            attempts.failures,
            attempts.last_at,
            attempts.locked_until
        ];
        self.execute_one(sql, values).await
    }

    /// Forgets a key, and answers whether it was known.
    pub async fn delete_attempts(&mut self, key: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sign_in_attempts WHERE key = $1";
        Ok(self.execute(sql, params![key]).await? == 1)
    }

    /// Keys that are locked at `now`, in their order.
    pub async fn list_locked(
        &mut self,
        now: Timestamp,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, Attempts)>, StoreError> {
        let (sql, values) =
            List::new("SELECT key, failures, last_at, locked_until FROM sign_in_attempts")
                .and_if("locked_until > ?", Some(now))
                .and_if("key > ?", after)
                .limit("ORDER BY key", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, read(row, 1)?)))
            .collect()
    }

    /// Forgets failures from before an instant.
    pub async fn purge_sign_in_attempts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sign_in_attempts WHERE last_at < $1";
        self.execute(sql, params![before]).await
    }
}

fn read(row: &Row, first: usize) -> Result<Attempts, StoreError> {
    Ok(Attempts {
        failures: row.get(first)?,
        last_at: row.get(first + 1)?,
        locked_until: row.get(first + 2)?,
    })
}
