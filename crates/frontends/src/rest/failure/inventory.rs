//! Problems of what is done with certificates that are there, one or many.

use lifecycle::bulk::{CommandError, PlanError};
use lifecycle::metadata::change::ChangeMetadataError;
use lifecycle::revocation::RevokeError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Store(error) => error.into(),
            RevokeError::Unknown => Self::not_found(error.to_string()),
            RevokeError::AlreadyRevoked => Self::conflict(error.to_string()),
            RevokeError::Unauthorized => Self::forbidden(error.to_string()),
            RevokeError::BadReason(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Store(error) => error.into(),
            PlanError::Metadata(violations) => Self::rejected(&violations),
            PlanError::Nothing
            | PlanError::TooMany
            | PlanError::Rate
            | PlanError::Reason(_)
            | PlanError::NoChange
            | PlanError::NoSuchTeam(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => error.into(),
            CommandError::Unknown(_) => Self::not_found(error.to_string()),
            CommandError::NotYours => Self::forbidden(error.to_string()),
            CommandError::State(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<ChangeMetadataError> for Failure {
    fn from(error: ChangeMetadataError) -> Self {
        match error {
            ChangeMetadataError::Store(error) => error.into(),
            ChangeMetadataError::Unknown(_) => Self::not_found(error.to_string()),
            ChangeMetadataError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ChangeMetadataError::Rejected(violations) => Self::rejected(&violations),
        }
    }
}
