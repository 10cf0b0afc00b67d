//! Jobs that fail: tried again with growing waits. A series of failures is told of once, and its end as well.

use std::time::Duration;

use domain::event::Event;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;

use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// Puts a job that failed off, and tells of it when it is one failure too many in a row.
    pub(super) async fn note_failed_job(
        &self,
        row: &JobRow,
        error: &str,
    ) -> Result<(), StoreError> {
        let wait = FIRST_RETRY * 2_u32.saturating_pow(row.attempts.min(10));
        let retry_at = self.now() + wait.min(MAX_RETRY);
        let shown: String = error.chars().take(LONGEST_ERROR).collect();
        let mut event = self.job_event("job.failing", row);
        event.data["error"] = shown.into();
        let (job, error) = (row.clone(), error.to_owned());
        let failures = self
            .store
            .write("job.fail", move |tx| {
                Box::pin(async move {
                    let failures = tx.fail_job(&job, &error, retry_at).await?;
                    // Counted by the store, where this run still has the job: of two that ran it one tells of it.
                    if failures == Some(SERIES) {
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(failures)
                })
            })
            .await?;
        if let Some(failures) = failures.filter(|failures| *failures >= SERIES) {
            tracing::error!(job.id = %row.id, job.kind = row.kind, failures, %retry_at, "the job keeps failing");
        }
        Ok(())
    }

    /// A job succeeded: it comes back at a time, if it has not seen to its row itself, and the end of a series
    /// of failures is told.
    pub(super) async fn note_success(
        &self,
        row: &JobRow,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let recovered = row.attempts >= SERIES;
        if next.is_none() && !recovered {
            return Ok(());
        }
        let event = recovered.then(|| self.job_event("job.recovered", row));
        let row = row.clone();
        self.store
            .write("job.reschedule", move |tx| {
                Box::pin(async move {
                    let is_ours = match next {
                        Some(at) => tx.reschedule_job(&row, at).await?,
                        None => true,
                    };
                    match &event {
                        Some(event) if is_ours => tx.insert_event(event).await,
                        Some(_) | None => Ok(()),
                    }
                })
            })
            .await
    }

    fn job_event(&self, name: &'static str, row: &JobRow) -> Event {
        let failures = row.attempts.max(SERIES);
        let data = json!({ "kind": row.kind, "key": row.key, "failures": failures });
        self.event(&Caller::system(), name, row.id.as_str(), data)
    }
}

/// So many failures in a row are no accident.
const SERIES: u32 = 3;
/// Characters of an error that an event carries.
const LONGEST_ERROR: usize = 500;
const FIRST_RETRY: Duration = Duration::from_secs(5);
const MAX_RETRY: Duration = Duration::from_secs(15 * 60);
