//! How much of its limits each issuer has used, by calendar hour, day and month.

use domain::id::IssuerId;
use domain::issuer::Period;
use pki::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// What was counted in one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub period: String,
    pub begins_at: Timestamp,
    pub used: u64,
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    #[error("the quota is used up until {until}")]
    Spent { until: Timestamp },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tx<'_> {
    /// What was counted last for an issuer.
    pub async fn list_issuer_usage(&mut self, issuer: &IssuerId) -> Result<Vec<Used>, StoreError> {
        let sql = "SELECT period, begins_at, used FROM issuer_usage WHERE issuer_id = $1 \
                   ORDER BY period LIMIT 10";
        let rows = self.query(sql, params![issuer.as_str()]).await?;
        rows.iter().map(read).collect()
    }

    /// Counts one, if that is within the limit. On an error the caller's transaction counts nothing.
    pub async fn spend_issuer_usage(
        &mut self,
        issuer: &IssuerId,
        period: Period,
        limit: u64,
        now: Timestamp,
    ) -> Result<(), SpendError> {
        let (begins, until) = period.around(now);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // One statement, so that of concurrent callers each sees what the other took.
        let sql = "INSERT INTO issuer_usage (issuer_id, period, begins_at, used) \
                   VALUES ($1, $2, $3, 1) ON CONFLICT (issuer_id, period) DO UPDATE SET \
                   used = CASE WHEN issuer_usage.begins_at = $3 THEN issuer_usage.used + 1 ELSE 1 END, \
                   begins_at = $3 \
                   WHERE issuer_usage.begins_at <> $3 OR issuer_usage.used < $4";
        let values = params![issuer.as_str(), period.name(), begins, limit];
        match limit > 0 && self.execute(sql, values).await? == 1 {
            true => Ok(()),
            false => Err(SpendError::Spent { until }),
        }
    }
}

fn read(row: &Row) -> Result<Used, StoreError> {
    Ok(Used {
        period: row.get(0)?,
        begins_at: row.get(1)?,
        used: u64::try_from(row.get::<i64>(2)?).unwrap_or_default(),
    })
}
