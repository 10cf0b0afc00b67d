//! Problems of refused rights, teams and roles.

use lifecycle::access::{AccessError, TeamChoiceError};
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Store(error) => error.into(),
            AccessError::Refused(_) | AccessError::Forbidden(_) => {
                Self::forbidden(error.to_string())
            }
            AccessError::BadName(_)
            | AccessError::NoName
            | AccessError::NoSuchRole(_)
            | AccessError::NoSuchTeam(_)
            | AccessError::NoSuchPrincipal(_) => Self::invalid(error.to_string()),
            AccessError::NoSuchGrant(_) | AccessError::Unknown => {
                Self::not_found(error.to_string())
            }
            AccessError::BuiltInRole(_)
            | AccessError::RoleHeld(_)
            | AccessError::RoleAsked(_)
            | AccessError::AlreadyGranted
            | AccessError::TeamOwns(_)
            | AccessError::LastAdministrator => Self::conflict(error.to_string()),
            AccessError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}

impl From<TeamChoiceError> for Failure {
    fn from(error: TeamChoiceError) -> Self {
        match error {
            TeamChoiceError::Store(error) => error.into(),
            TeamChoiceError::Forbidden(_) => Self::forbidden(error.to_string()),
            TeamChoiceError::Unknown(_) | TeamChoiceError::Several(_) => {
                Self::invalid(error.to_string())
            }
        }
    }
}
