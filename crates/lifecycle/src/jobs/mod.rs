//! Deferred work: what waits, retries or was left by a crash. The fast path does not come here.
//!
//! A job is a row written in the transaction of the change that needs it. A node claims due
//! jobs for the time of a lease; one that dies loses its lease, and another node goes on.

use std::sync::Arc;
use std::time::Duration;

use domain::acme::challenge::ChallengeKind;
use domain::id::{
    ApprovalId, AuthorizationId, BulkId, CertificateId, EnrollmentId, EntryPointId, IssuerId,
    JobId, MigrationId,
};
use domain::issuer::Abilities;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::jobs::{JobRow, Lease};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::Lifecycle;

/// Every kind of job there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Job {
    /// Another probe for a challenge, or the first if its process died.
    ValidateChallenge {
        authorization: AuthorizationId,
        challenge: ChallengeKind,
    },
    /// The mail that a challenge for a mailbox begins with.
    SendEmailChallenge { authorization: AuthorizationId },
    /// A look at the mailbox that replies come to; comes back by itself.
    ReadMailbox,
    /// The next step of an enrollment.
    DriveEnrollment { enrollment: EnrollmentId },
    /// The next certificates of a bulk action.
    RunBulk { bulk: BulkId },
    /// What is due of an approval: a reminder, an escalation, its end.
    TickApproval { approval: ApprovalId },
    /// Another look at everything that waits, in one profile or in all.
    ReviewApprovals { profile: Option<String> },
    /// A new CRL; comes back by itself.
    RefreshCrl { issuer: IssuerId },
    /// A CA elsewhere learns of a revocation.
    TellRevocation { certificate: CertificateId },
    /// The next look at a migration from one issuer to another.
    RunIssuerMigration { migration: MigrationId },
    /// A look through what a CA elsewhere issued; comes back by itself.
    SyncIssuer { issuer: IssuerId },
    /// A CA elsewhere is asked when its certificates should be renewed; comes back by itself.
    AskRenewalAdvice { issuer: IssuerId },
    /// A look at every issuer; comes back by itself.
    WatchIssuers,
    /// Signs where the event chain stands; comes back by itself.
    SignCheckpoint,
    /// Deletes what expired long ago; comes back by itself.
    CleanUp,
    /// Looks for certificates that end without a successor; comes back by itself.
    WatchExpiry,
    /// Closes incidents that are over; comes back by itself.
    CloseIncidents,
    /// Revokes what was handed out over CMP and not confirmed.
    EndCmpTransaction {
        endpoint: EntryPointId,
        transaction: String,
    },
}

impl Job {
    fn name(&self) -> &'static str {
        match self {
            Self::ValidateChallenge { .. } => "validate-challenge",
            Self::SendEmailChallenge { .. } => "send-email-challenge",
            Self::ReadMailbox => "read-mailbox",
            Self::DriveEnrollment { .. } => "drive-enrollment",
            Self::RunBulk { .. } => "run-bulk",
            Self::TickApproval { .. } => "tick-approval",
            Self::ReviewApprovals { .. } => "review-approvals",
            Self::RefreshCrl { .. } => "refresh-crl",
            Self::TellRevocation { .. } => "tell-revocation",
            Self::RunIssuerMigration { .. } => "run-issuer-migration",
            Self::SyncIssuer { .. } => "sync-issuer",
            Self::AskRenewalAdvice { .. } => "ask-renewal-advice",
            Self::WatchIssuers => "watch-issuers",
            Self::SignCheckpoint => "sign-checkpoint",
            Self::CleanUp => "clean-up",
            Self::WatchExpiry => "watch-expiry",
            Self::CloseIncidents => "close-incidents",
            Self::EndCmpTransaction { .. } => "end-cmp-transaction",
        }
    }

    /// Of jobs with the same key there is one at most.
    fn key(&self) -> Option<String> {
        match self {
            Self::RunBulk { bulk } => Some(format!("bulk/{bulk}")),
            Self::ValidateChallenge { .. }
            | Self::DriveEnrollment { .. }
            | Self::ReviewApprovals { .. }
            | Self::EndCmpTransaction { .. } => None,
            Self::SendEmailChallenge { authorization } => Some(format!("mail/{authorization}")),
            Self::TickApproval { approval } => Some(format!("approval/{approval}")),
            Self::RefreshCrl { issuer } => Some(format!("crl/{issuer}")),
            Self::TellRevocation { certificate } => Some(format!("revocation/{certificate}")),
            Self::RunIssuerMigration { migration } => Some(format!("migration/{migration}")),
            Self::SyncIssuer { issuer } => Some(format!("sync/{issuer}")),
            Self::AskRenewalAdvice { issuer } => Some(format!("advice/{issuer}")),
            Self::SignCheckpoint
            | Self::CleanUp
            | Self::WatchExpiry
            | Self::WatchIssuers
            | Self::ReadMailbox
            | Self::CloseIncidents => Some(self.name().to_owned()),
        }
    }
}

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

/// What a job that succeeded leaves behind.
enum Next {
    /// The job saw to its own row.
    Settled,
    /// Again at this time.
    At(Timestamp),
}

/// Why a job did not succeed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("the job cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error(transparent)]
    Drive(#[from] crate::issuance::DriveError),
    #[error(transparent)]
    Approval(#[from] crate::approvals::TickError),
    #[error(transparent)]
    Crl(#[from] crate::revocation::crl::CrlError),
    #[error(transparent)]
    Revocation(#[from] crate::revocation::elsewhere::TellError),
    #[error(transparent)]
    Sync(#[from] crate::inventory::sync::SyncError),
    #[error(transparent)]
    Advice(#[from] crate::renewal_advice::AdviceError),
    #[error(transparent)]
    Checkpoint(#[from] crate::events::CheckpointError),
    #[error(transparent)]
    Confirm(#[from] crate::cmp::ConfirmError),
    #[error(transparent)]
    Email(#[from] crate::acme::email::EmailError),
    #[error(transparent)]
    Clock(#[from] crate::ClockJumped),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// A row for a job.
    pub(crate) fn new_job(&self, job: &Job, run_at: Timestamp) -> JobRow {
        let now = self.now();
        JobRow {
            id: JobId::mint(now, &*self.random),
            kind: job.name().to_owned(),
            key: job.key(),
            // Unwrap safety: an enum of ids and names has no form that JSON cannot write.
            payload: serde_json::to_string(job).expect("a job is JSON"),
            run_at,
            attempts: 0,
            revision: 0,
            claims: 0,
            created_at: now,
        }
    }

    /// A claim of this node, from now on.
    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            owner: self.settings.node.clone(),
            until: now + self.settings.lease,
        }
    }

    /// Takes a job off the list.
    pub(crate) async fn complete_job(&self, job: &JobRow) -> Result<(), StoreError> {
        let job = job.clone();
        self.store
            .write("job.complete", move |tx| {
                Box::pin(async move { tx.complete_job(&job).await.map(drop) })
            })
            .await
    }

    /// Sees to it that the jobs that come back by themselves are there.
    pub async fn schedule_periodic_jobs(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut jobs = vec![
            self.new_job(&Job::SignCheckpoint, now),
            self.new_job(&Job::CleanUp, now),
            self.new_job(&Job::WatchExpiry, now),
            self.new_job(&Job::CloseIncidents, now),
            // What is loaded now may not have answered yet.
            self.new_job(&Job::WatchIssuers, now + FIRST_LOOK),
        ];
        if self.email.is_some() {
            jobs.push(self.new_job(&Job::ReadMailbox, now));
        }
        for issuer in self.connected_issuers().await?.iter() {
            if issuer.connector.local_ca().is_some() {
                let issuer = issuer.issuer.id.clone();
                jobs.push(self.new_job(&Job::RefreshCrl { issuer }, now));
            }
            let abilities = issuer.connector.abilities();
            jobs.extend(self.jobs_of_abilities(&issuer.issuer.id, &abilities, now));
        }
        self.store
            .write("job.schedule", move |tx| {
                Box::pin(async move {
                    for job in &jobs {
                        tx.enqueue(job).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// What comes back by itself for an issuer that can do these things.
    pub(crate) fn jobs_of_abilities(
        &self,
        issuer: &IssuerId,
        abilities: &Abilities<'_>,
        now: Timestamp,
    ) -> Vec<JobRow> {
        let issuer = || issuer.clone();
        let sync = abilities.list.map(|_| Job::SyncIssuer { issuer: issuer() });
        let advice = abilities
            .renewal
            .map(|_| Job::AskRenewalAdvice { issuer: issuer() });
        let jobs = sync.into_iter().chain(advice);
        jobs.map(|job| self.new_job(&job, now)).collect()
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
    /// the same anew.
    pub(crate) async fn holding<T>(&self, job: &JobRow, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let often = self.settings.lease / 3;
        loop {
            if let Ok(done) = tokio::time::timeout(often, &mut work).await {
                return done;
            }
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
        metrics::histogram!("certwright_job_duration_seconds", "kind" => row.kind.clone(), "outcome" => label)
            .record(started.elapsed().as_secs_f64());
        let settled = match outcome {
            Ok(Next::Settled) => return,
            Ok(Next::At(at)) => self.reschedule(&row, at).await,
            Err(error) => {
                tracing::warn!(job.id = %row.id, job.kind = row.kind, job.attempts = row.attempts, error = %error, "job failed; it is tried again");
                self.fail(&row, &error.to_string()).await
            }
        };
        if let Err(error) = settled {
            tracing::error!(job.id = %row.id, error = %error, "job not settled; it runs again when its lease ends");
        }
    }

    async fn dispatch(self: &Arc<Self>, row: &JobRow) -> Result<Next, JobError> {
        match serde_json::from_str(&row.payload)? {
            Job::ValidateChallenge {
                authorization,
                challenge,
            } => {
                self.resume_validation(row, &authorization, challenge)
                    .await?;
                Ok(Next::Settled)
            }
            Job::SendEmailChallenge { authorization } => {
                self.send_email_challenge(row, &authorization).await?;
                Ok(Next::Settled)
            }
            Job::ReadMailbox => Ok(Next::At(self.now() + self.read_mailbox().await?)),
            Job::DriveEnrollment { enrollment } => {
                self.resume_enrollment(row, &enrollment).await?;
                Ok(Next::Settled)
            }
            Job::RunBulk { bulk } => {
                let next = self.run_bulk(row, &bulk).await?;
                Ok(next.map_or(Next::Settled, Next::At))
            }
            Job::TickApproval { approval } => {
                self.tick_approval(row, &approval).await?;
                Ok(Next::Settled)
            }
            Job::ReviewApprovals { profile } => {
                self.review_approvals(row, profile.as_deref()).await?;
                Ok(Next::Settled)
            }
            Job::RefreshCrl { issuer } => {
                let next_update = self.refresh_crl(&issuer).await?;
                let regular = self.now() + self.settings.revocation.crl_refresh;
                Ok(Next::At(regular.min(next_update)))
            }
            Job::TellRevocation { certificate } => {
                self.tell_revocation(row, &certificate).await?;
                Ok(Next::Settled)
            }
            Job::RunIssuerMigration { migration } => {
                let next = self.run_issuer_migration(row, &migration).await?;
                Ok(next.map_or(Next::Settled, Next::At))
            }
            Job::SyncIssuer { issuer } => match self.sync_issuer(&issuer).await? {
                Some(at) => Ok(Next::At(at)),
                None => {
                    self.complete_job(row).await?;
                    Ok(Next::Settled)
                }
            },
            Job::AskRenewalAdvice { issuer } => match self.ask_renewal_advice(&issuer).await? {
                Some(at) => Ok(Next::At(at)),
                None => {
                    self.complete_job(row).await?;
                    Ok(Next::Settled)
                }
            },
            Job::WatchIssuers => Ok(Next::At(self.watch_issuers().await?)),
            Job::SignCheckpoint => {
                self.sign_checkpoint().await?;
                Ok(Next::At(self.now() + CHECKPOINT_INTERVAL))
            }
            Job::CleanUp => {
                // What only a clock that jumped calls old is kept.
                self.clock_watch.check(&*self.clock)?;
                self.clean_up().await?;
                self.clean_up_notifications().await?;
                self.tidy_issuers().await?;
                Ok(Next::At(self.now() + CLEAN_UP_INTERVAL))
            }
            Job::WatchExpiry => {
                // What only a clock that jumped calls near its end alarms nobody.
                self.clock_watch.check(&*self.clock)?;
                self.watch_expiry().await?;
                Ok(Next::At(self.now() + WATCH_INTERVAL))
            }
            Job::EndCmpTransaction {
                endpoint,
                transaction,
            } => {
                self.end_cmp_transaction(row, &endpoint, &transaction)
                    .await?;
                Ok(Next::Settled)
            }
            Job::CloseIncidents => {
                self.close_incidents().await?;
                Ok(Next::At(self.now() + CLOSE_INTERVAL))
            }
        }
    }

    pub(crate) async fn reschedule(&self, row: &JobRow, at: Timestamp) -> Result<(), StoreError> {
        let row = row.clone();
        self.store
            .write("job.reschedule", move |tx| {
                Box::pin(async move { tx.reschedule_job(&row, at).await.map(drop) })
            })
            .await
    }

    async fn fail(&self, row: &JobRow, error: &str) -> Result<(), StoreError> {
        let wait = FIRST_RETRY * 2_u32.saturating_pow(row.attempts.min(10));
        let retry_at = self.now() + wait.min(MAX_RETRY);
        let (row, error) = (row.clone(), error.to_owned());
        self.store
            .write("job.fail", move |tx| {
                Box::pin(async move { tx.fail_job(&row, &error, retry_at).await.map(drop) })
            })
            .await
    }

    /// Deletes orders and authorizations that expired long ago, in small transactions.
    async fn clean_up(&self) -> Result<(), StoreError> {
        self.purge_nonces().await?;
        self.destroy_overdue_keys().await?;
        self.purge_attempts_and_bulks().await?;
        self.clean_up_sign_in().await?;
        self.forget_client_requests().await?;
        self.forget_email_challenges().await?;
        let before = self.now() - self.settings.retention;
        loop {
            let deleted = self
                .store
                .write("clean_up", move |tx| {
                    Box::pin(async move {
                        let orders = tx.delete_expired_orders(before, CLEAN_UP_BATCH).await?;
                        let authorizations = tx
                            .delete_expired_authorizations(before, CLEAN_UP_BATCH)
                            .await?;
                        tx.purge_rate_limits(before).await?;
                        let links = tx
                            .delete_expired_approval_links(before, CLEAN_UP_BATCH)
                            .await?;
                        let transactions = tx
                            .delete_old_cmp_transactions(before, CLEAN_UP_BATCH)
                            .await?;
                        Ok::<_, StoreError>(orders + authorizations + links + transactions)
                    })
                })
                .await?;
            if deleted == 0 {
                return Ok(());
            }
        }
    }
}

const POLL: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
const CLAIM: u32 = 64;
const MOST_AT_ONCE: usize = 256;
/// How long the next round waits for what takes long.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_secs(5);
const MAX_RETRY: Duration = Duration::from_secs(15 * 60);
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60 * 60);
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(60 * 60);
const WATCH_INTERVAL: Duration = Duration::from_secs(5 * 60);
const CLOSE_INTERVAL: Duration = Duration::from_secs(60);
const FIRST_LOOK: Duration = Duration::from_secs(60);
const CLEAN_UP_BATCH: u32 = 500;
