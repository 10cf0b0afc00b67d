//! The worker: rounds of claiming due jobs and running them, each held by its lease until it is settled.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use pki::time::Timestamp;
use store::StoreError;
use store::jobs::{JobRow, Lease};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::dispatch::Next;
use crate::Lifecycle;

/// Wakes the worker before its time, and bounds how many jobs run at once.
pub(crate) struct JobSignal {
    wake: Notify,
    slots: Arc<Semaphore>,
}

impl Default for JobSignal {
    fn default() -> Self {
        Self {
            wake: Notify::new(),
            slots: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        }
    }
}

impl JobSignal {
    pub(crate) fn notify(&self) {
        self.wake.notify_one();
    }
}

impl Lifecycle {
    /// A claim of this node, from now on.
    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            owner: self.settings.node.clone(),
            until: now + self.settings.lease,
        }
    }

    /// Works until told to stop: seals events, files certificates, claims due jobs, runs them.
    pub async fn work(self: Arc<Self>, stop: CancellationToken) {
        self.event_watch.stop_with(stop.clone());
        let mut backoff = POLL;
        loop {
            match self.work_round(Some(PATIENCE)).await {
                Ok(true) => {
                    backoff = POLL;
                    continue;
                }
                Ok(false) => backoff = POLL,
                Err(error) => {
                    tracing::error!(error = %error, "job list not readable");
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.jobs.wake.notified() => {}
                () = tokio::time::sleep(backoff) => {}
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// One round, to the end of each job; says whether there may be more to do at once.
    pub async fn work_once(self: &Arc<Self>) -> Result<bool, StoreError> {
        self.work_round(None).await
    }

    /// One round. What takes longer than `patience` goes on beside the next ones: a CA that says nothing
    /// holds up nobody else's jobs.
    async fn work_round(self: &Arc<Self>, patience: Option<Duration>) -> Result<bool, StoreError> {
        let more_events = self.seal_events().await?;
        let more_notices = self.notify().await?;
        let more_to_file = self.file_certificates().await?;
        let jobs = self.claim().await?;
        let any = !jobs.is_empty();
        let running: Vec<_> = jobs
            .into_iter()
            .map(|row| {
                let lifecycle = Arc::clone(self);
                let slot = Arc::clone(&self.jobs.slots).try_acquire_owned();
                self.tasks.spawn(async move {
                    lifecycle.run(row).await;
                    drop(slot);
                })
            })
            .collect();
        let all = async {
            for task in running {
                // A panic was logged by the hook; the job's lease ends and it is tried again.
                let _ = task.await;
            }
        };
        match patience {
            None => all.await,
            // Tasks that nobody waits for any more go on.
            Some(patience) => drop(tokio::time::timeout(patience, all).await),
        }
        Ok(any || more_events || more_notices || more_to_file)
    }

    /// As many due jobs as there is room for.
    async fn claim(&self) -> Result<Vec<JobRow>, StoreError> {
        let free = u32::try_from(self.jobs.slots.available_permits()).unwrap_or(CLAIM);
        if free == 0 {
            return Ok(Vec::new());
        }
        let now = self.now();
        let lease = self.lease(now);
        self.store
            .write("job.claim", move |tx| {
                Box::pin(async move { tx.claim_jobs(now, &lease, free.min(CLAIM)).await })
            })
            .await
    }

    /// Does what takes long with the job held, so that no other node takes it for abandoned and begins
    /// the same anew. The work goes on while the lease is extended: it may hold the very row that is
    /// written then.
    pub(crate) async fn holding<T>(&self, job: &JobRow, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.extend_again_and_again(job) => match never {},
        }
    }

    async fn extend_again_and_again(&self, job: &JobRow) -> Infallible {
        loop {
            tokio::time::sleep(self.settings.lease / 3).await;
            let (row, lease) = (job.clone(), self.lease(self.now()));
            let extended = self
                .store
                .write("job.hold", move |tx| {
                    Box::pin(async move { tx.extend_lease(&row, &lease).await })
                })
                .await;
            if let Err(error) = extended {
                tracing::warn!(job.id = %job.id, error = %error, "the job's lease is not extended");
            }
        }
    }

    async fn run(self: &Arc<Self>, row: JobRow) {
        let started = std::time::Instant::now();
        let outcome = self.holding(&row, self.dispatch(&row)).await;
        let label = if outcome.is_ok() { "done" } else { "failed" };
        let took = started.elapsed();
        let settled = match outcome {
            Ok(Next::Settled) => self.note_success(&row, None).await,
            Ok(Next::At(at)) => self.note_success(&row, Some(at)).await,
            Err(error) => {
                tracing::warn!(job.id = %row.id, job.kind = row.kind, job.attempts = row.attempts, error = %error, "job failed; it is tried again");
                self.note_failed_job(&row, &error.to_string()).await
            }
        };
        // Whoever sees it counted finds it settled.
        metrics::histogram!("certwright_job_duration_seconds", "kind" => row.kind.clone(), "outcome" => label)
            .record(took.as_secs_f64());
        if let Err(error) = settled {
            tracing::error!(job.id = %row.id, error = %error, "job not settled; it runs again when its lease ends");
        }
    }
}

const POLL: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
const CLAIM: u32 = 64;
pub(super) const MOST_AT_ONCE: usize = 256;
/// How long the next round waits for what takes long.
const PATIENCE: Duration = Duration::from_secs(1);
