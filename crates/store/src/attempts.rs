//! Creations that their callers named, and the answers they got.

use domain::idempotency::{Attempt, IdempotencyKey};
use pki::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

impl Tx<'_> {
    /// Notes that a named request begins, or gives the one that has its name already. One that
    /// expired has no name any more.
    pub async fn begin_attempt(
        &mut self,
        attempt: &Attempt,
    ) -> Result<Option<Attempt>, StoreError> {
        let (principal, key) = (&attempt.principal, attempt.key.as_str());
        let sql = "DELETE FROM idempotency_keys \
                   WHERE principal = $1 AND key = $2 AND expires_at <= $3";
        self.execute(sql, params![principal, key, attempt.created_at])
            .await?;
        let sql = "INSERT INTO idempotency_keys \
                   (principal, key, request_hash, sealed_answer, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (principal, key) DO NOTHING";
        let values = params![
            principal,
            key,
            attempt.request.to_string(),
            attempt.sealed_answer.as_deref(),
            attempt.created_at,
            attempt.expires_at,
        ];
        if self.execute(sql, values).await? == 1 {
            return Ok(None);
        }
        let sql = "SELECT principal, key, request_hash, sealed_answer, created_at, expires_at \
                   FROM idempotency_keys WHERE principal = $1 AND key = $2";
        let row = self.query_one(sql, params![principal, key]).await?;
        read(&row).map(Some)
    }

    /// Keeps the answer to a named request.
    pub async fn answer_attempt(
        &mut self,
        principal: &str,
        key: &IdempotencyKey,
        sealed_answer: &str,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE idempotency_keys SET sealed_answer = $3 \
                   WHERE principal = $1 AND key = $2 AND sealed_answer IS NULL";
        let values = params![principal, key.as_str(), sealed_answer];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Forgets a named request that came to nothing, so that it may be tried again.
    pub async fn forget_attempt(
        &mut self,
        principal: &str,
        key: &IdempotencyKey,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM idempotency_keys \
                   WHERE principal = $1 AND key = $2 AND sealed_answer IS NULL";
        let values = params![principal, key.as_str()];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Forgets the named requests whose time is over.
    pub async fn purge_attempts(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM idempotency_keys WHERE expires_at <= $1";
        self.execute(sql, params![now]).await
    }
}

fn read(row: &Row) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        principal: row.get(0)?,
        key: row.parse(1)?,
        request: row.parse(2)?,
        sealed_answer: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}
