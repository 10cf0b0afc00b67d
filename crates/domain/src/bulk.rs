//! Something done to many certificates at once: planned first, then run as it was planned.

use std::time::Duration;

use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Actor;
use crate::id::{BulkId, CertificateId};
use crate::metadata::Change;
use crate::permission::Permission;

/// A plan, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulk {
    pub id: BulkId,
    pub action: BulkAction,
    /// Who planned it; nobody else runs it.
    pub planner: Actor,
    /// Certificates per minute, so that a CA and its clients keep up.
    pub per_minute: u32,
    pub state: BulkState,
    pub created_at: Timestamp,
    /// A plan that nobody ran until then is void: too much may have changed since it was looked at.
    pub expires_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// What is done to each certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BulkAction {
    /// A new certificate for the same names and key, under the profile as it is now.
    Renew,
    /// Revoked, for good.
    Revoke { reason: RevocationReason },
    /// Other values of custom metadata.
    EditMetadata { metadata: Change },
    /// Given to the team of that name, or to nobody.
    Transfer { team: Option<String> },
}

impl BulkAction {
    /// Its name in events and the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Revoke { .. } => "revoke",
            Self::EditMetadata { .. } => "edit-metadata",
            Self::Transfer { .. } => "transfer",
        }
    }

    /// What its planner must be allowed to do, to each of the certificates.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Renew => Permission::CertificatesRequest,
            Self::Revoke { .. } => Permission::CertificatesRevoke,
            Self::EditMetadata { .. } => Permission::CertificatesEdit,
            Self::Transfer { .. } => Permission::CertificatesEdit,
        }
    }
}

/// Where a bulk action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkState {
    /// Waits for its planner to look at it and run it.
    Planned,
    Running,
    /// Stopped, and can go on where it stopped.
    Paused,
    /// Ended early; what was done stays done.
    Cancelled,
    /// Every certificate had its turn.
    Finished,
}

/// What somebody wants of a bulk action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkCommand {
    Run,
    Pause,
    Resume,
    Cancel,
}

/// A command that does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkCommandError {
    #[error("the plan is older than an hour; plan again, since much may have changed")]
    Expired,
    #[error("it was run already")]
    AlreadyRun,
    #[error("it is not running")]
    NotRunning,
    #[error("it is not paused")]
    NotPaused,
    #[error("it has ended")]
    Ended,
}

impl Bulk {
    /// The state after a command.
    pub fn after(
        &self,
        command: BulkCommand,
        now: Timestamp,
    ) -> Result<BulkState, BulkCommandError> {
        use BulkState as State;
        match (command, self.state) {
            (BulkCommand::Run, State::Planned) if now >= self.expires_at => {
                Err(BulkCommandError::Expired)
            }
            (BulkCommand::Run, State::Planned) | (BulkCommand::Resume, State::Paused) => {
                Ok(State::Running)
            }
            (BulkCommand::Pause, State::Running) => Ok(State::Paused),
            (BulkCommand::Cancel, State::Planned | State::Running | State::Paused) => {
                Ok(State::Cancelled)
            }
            (_, State::Cancelled | State::Finished) => Err(BulkCommandError::Ended),
            (BulkCommand::Run, State::Running | State::Paused) => Err(BulkCommandError::AlreadyRun),
            (BulkCommand::Pause, State::Planned | State::Paused) => {
                Err(BulkCommandError::NotRunning)
            }
            (BulkCommand::Resume, State::Planned | State::Running) => {
                Err(BulkCommandError::NotPaused)
            }
        }
    }

    /// How many certificates have their turn at once, and how long until the next ones have.
    pub fn pace(&self) -> (u32, Duration) {
        let per_minute = self.per_minute.max(1);
        let batch = (per_minute / 60).clamp(1, MAX_BATCH);
        let wait = Duration::from_secs(60) * batch / per_minute;
        (batch, wait)
    }
}

/// One certificate of a bulk action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    pub certificate: CertificateId,
    pub outcome: BulkOutcome,
    /// Why it is left out or failed, or what came of it.
    pub detail: Option<String>,
}

/// What became of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkOutcome {
    /// The plan found that it cannot be done; it is left alone.
    Excluded,
    Pending,
    Done,
    Failed,
}

/// How many certificates there are of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkCounts {
    pub excluded: u64,
    pub pending: u64,
    pub done: u64,
    pub failed: u64,
}

/// The most certificates of one plan: what a person can still look at, and a request can check.
pub const MAX_CERTIFICATES: usize = 10_000;

/// How long a plan can be run.
pub const PLAN_LIFETIME: Duration = Duration::from_secs(60 * 60);

const MAX_BATCH: u32 = 50;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::id::BulkId;

    struct Zeros;

    impl pki::random::Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn bulk(state: BulkState) -> Bulk {
        let now = Timestamp::from_seconds(1_800_000_000);
        Bulk {
            id: BulkId::mint(now, &Zeros),
            action: BulkAction::Renew,
            planner: Actor::system(),
            per_minute: 600,
            state,
            created_at: now,
            expires_at: now + PLAN_LIFETIME,
            started_at: None,
            finished_at: None,
        }
    }

    #[rstest]
    #[case(BulkState::Planned, BulkCommand::Run, Ok(BulkState::Running))]
    #[case(BulkState::Planned, BulkCommand::Cancel, Ok(BulkState::Cancelled))]
    #[case(
        BulkState::Planned,
        BulkCommand::Pause,
        Err(BulkCommandError::NotRunning)
    )]
    #[case(BulkState::Running, BulkCommand::Pause, Ok(BulkState::Paused))]
    #[case(
        BulkState::Running,
        BulkCommand::Run,
        Err(BulkCommandError::AlreadyRun)
    )]
    #[case(BulkState::Paused, BulkCommand::Resume, Ok(BulkState::Running))]
    #[case(BulkState::Paused, BulkCommand::Cancel, Ok(BulkState::Cancelled))]
    #[case(
        BulkState::Running,
        BulkCommand::Resume,
        Err(BulkCommandError::NotPaused)
    )]
    #[case(BulkState::Finished, BulkCommand::Cancel, Err(BulkCommandError::Ended))]
    #[case(BulkState::Cancelled, BulkCommand::Run, Err(BulkCommandError::Ended))]
    fn commands_fit_a_state_or_say_why_not(
        #[case] state: BulkState,
        #[case] command: BulkCommand,
        #[case] expected: Result<BulkState, BulkCommandError>,
    ) {
        let bulk = bulk(state);
        assert_eq!(bulk.after(command, bulk.created_at), expected);
    }

    #[test]
    fn a_plan_that_is_old_is_not_run() {
        let bulk = bulk(BulkState::Planned);
        let late = bulk.after(BulkCommand::Run, bulk.expires_at);
        assert_eq!(late, Err(BulkCommandError::Expired));
    }

    #[rstest]
    #[case(600, 10, 1_000)]
    #[case(30, 1, 2_000)]
    #[case(60_000, 50, 50)]
    #[case(0, 1, 60_000)]
    fn the_pace_keeps_to_the_rate(#[case] rate: u32, #[case] batch: u32, #[case] millis: u64) {
        let bulk = Bulk {
            per_minute: rate,
            ..bulk(BulkState::Running)
        };
        assert_eq!(bulk.pace(), (batch, Duration::from_millis(millis)));
    }
}
