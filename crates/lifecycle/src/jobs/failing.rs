//! Jobs that fail: tried again with growing waits.

use std::time::Duration;

use store::StoreError;
use store::jobs::JobRow;

use crate::Lifecycle;

impl Lifecycle {
    /// Puts a job that failed off.
    pub(super) async fn note_failed_job(
        &self,
        row: &JobRow,
        error: &str,
    ) -> Result<(), StoreError> {
        let wait = FIRST_RETRY * 2_u32.saturating_pow(row.attempts.min(10));
        let retry_at = self.now() + wait.min(MAX_RETRY);
        let (row, error) = (row.clone(), error.to_owned());
        self.store
            .write("job.fail", move |tx| {
                Box::pin(async move { tx.fail_job(&row, &error, retry_at).await.map(drop) })
            })
            .await
    }
}

const FIRST_RETRY: Duration = Duration::from_secs(5);
const MAX_RETRY: Duration = Duration::from_secs(15 * 60);
