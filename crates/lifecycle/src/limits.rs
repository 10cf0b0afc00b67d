//! Rate limits, kept in the store so that they hold across nodes.

use std::time::Duration;

use pki::time::Timestamp;
use store::{StoreError, Tx};

/// Too much was asked for; after `retry_after` the same request is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this kind; try again in {} seconds", .retry_after.as_secs())]
pub struct RateLimited {
    pub retry_after: Duration,
}

/// Takes one from the hourly allowance of `key`. Bursts of the whole allowance are fine.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    key: &str,
    per_hour: Option<u32>,
    now: Timestamp,
) -> Result<Result<(), RateLimited>, StoreError> {
    let Some(per_hour) = per_hour.filter(|limit| *limit > 0) else {
        return Ok(Ok(()));
    };
    let interval = HOUR_MILLIS / i64::from(per_hour);
    let outcome = tx.take(key, now, interval.max(1), per_hour).await?;
    Ok(outcome.map_err(limited))
}

/// Whether [`take`] would succeed now; takes nothing.
pub(crate) async fn look(
    tx: &mut Tx<'_>,
    key: &str,
    per_hour: Option<u32>,
    now: Timestamp,
) -> Result<Result<(), RateLimited>, StoreError> {
    let Some(per_hour) = per_hour.filter(|limit| *limit > 0) else {
        return Ok(Ok(()));
    };
    let interval = (HOUR_MILLIS / i64::from(per_hour)).max(1);
    let outcome = tx.look(key, now, interval, per_hour).await?;
    Ok(outcome.map_err(limited))
}

/// Rounded up: a client that obeys must succeed.
fn limited(wait: Duration) -> RateLimited {
    RateLimited {
        retry_after: Duration::from_secs(wait.as_millis().div_ceil(1000) as u64),
    }
}

const HOUR_MILLIS: i64 = 60 * 60 * 1000;
