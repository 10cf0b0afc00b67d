//! Limits that hold across nodes: one row per key with its theoretical arrival time (GCRA).

use std::time::Duration;

use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Takes one of `burst` places, each of which comes back after `interval_millis`; or says how long
    /// to wait for the next.
    pub async fn take(
        &mut self,
        key: &str,
        now: Timestamp,
        interval_millis: i64,
        burst: u32,
    ) -> Result<Result<(), Duration>, StoreError> {
        let tolerance = interval_millis.saturating_mul(i64::from(burst.max(1)) - 1);
        // One statement, so that of concurrent callers each sees what the other took.
        let sql = "INSERT INTO rate_limits (key, arrival_at) VALUES ($1, $2) \
                   ON CONFLICT (key) DO UPDATE SET arrival_at = $3 + \
                   CASE WHEN rate_limits.arrival_at > $4 THEN rate_limits.arrival_at ELSE $4 END \
                   WHERE rate_limits.arrival_at <= $5";
        let next = now.millis().saturating_add(interval_millis);
        let latest = now.millis().saturating_add(tolerance);
        let values = params![key, next, interval_millis, now, latest];
        if self.execute(sql, values).await? == 1 {
            return Ok(Ok(()));
        }
        let wait = self.wait_beyond(key, latest).await?;
        Ok(Err(wait.unwrap_or_default()))
    }

    /// Whether [`take`](Self::take) would find a place now, or how long until it would.
    pub async fn look(
        &mut self,
        key: &str,
        now: Timestamp,
        interval_millis: i64,
        burst: u32,
    ) -> Result<Result<(), Duration>, StoreError> {
        let tolerance = interval_millis.saturating_mul(i64::from(burst.max(1)) - 1);
        let latest = now.millis().saturating_add(tolerance);
        Ok(self.wait_beyond(key, latest).await?.map_or(Ok(()), Err))
    }

    /// How far the arrival time of `key` lies beyond `latest`, if it does.
    async fn wait_beyond(
        &mut self,
        key: &str,
        latest: i64,
    ) -> Result<Option<Duration>, StoreError> {
        let sql = "SELECT arrival_at FROM rate_limits WHERE key = $1";
        let Some(row) = self.query_opt(sql, params![key]).await? else {
            return Ok(None);
        };
        let beyond = row.get::<i64>(0)?.saturating_sub(latest);
        Ok(u64::try_from(beyond)
            .ok()
            .filter(|millis| *millis > 0)
            .map(Duration::from_millis))
    }

    /// Forgets limits that have been at rest since `before`.
    pub async fn purge_rate_limits(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM rate_limits WHERE arrival_at < $1",
            params![before],
        )
        .await
    }
}
