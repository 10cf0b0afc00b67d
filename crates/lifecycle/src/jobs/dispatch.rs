//! What each kind of job does, and when it comes back.

use std::sync::Arc;
use std::time::Duration;

use pki::time::Timestamp;
use store::StoreError;
use store::jobs::JobRow;

use super::Job;
use crate::Lifecycle;

/// What a job that succeeded leaves behind.
pub(super) enum Next {
    /// The job saw to its own row.
    Settled,
    /// Again at this time.
    At(Timestamp),
}

/// Why a job did not succeed; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
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
    pub(super) async fn dispatch(self: &Arc<Self>, row: &JobRow) -> Result<Next, JobError> {
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
}

const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60 * 60);
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(60 * 60);
const WATCH_INTERVAL: Duration = Duration::from_secs(5 * 60);
const CLOSE_INTERVAL: Duration = Duration::from_secs(60);
