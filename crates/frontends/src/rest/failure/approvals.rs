//! Problems of decisions and delegations.

use domain::approval::NotEntitled;
use lifecycle::approvals::{DecideError, DelegationError, LinkError};
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        let text = error.to_string();
        match error {
            DecideError::Store(error) => error.into(),
            DecideError::Unknown(_) => Self::not_found(text),
            DecideError::NoReason | DecideError::LongReason => Self::invalid(text),
            DecideError::NotEntitled(NotEntitled::OwnRequest | NotEntitled::NotYourTurn(_)) => {
                Self::forbidden(text)
            }
            DecideError::NotEntitled(
                NotEntitled::DecidedAlready(_) | NotEntitled::NotPending(_),
            )
            | DecideError::NotPending(_)
            | DecideError::Link(_)
            | DecideError::Changed
            | DecideError::Gone(_)
            | DecideError::Expired => Self::conflict(text),
            DecideError::Reconsider(_) => Self::new(ProblemKind::Unavailable, text),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Store(error) => error.into(),
            LinkError::Decide(error) => error.into(),
            LinkError::Unknown(_) => Self::not_found(error.to_string()),
            LinkError::Url(error) => Self::internal(&error),
        }
    }
}

impl From<DelegationError> for Failure {
    fn from(error: DelegationError) -> Self {
        match error {
            DelegationError::Store(error) => error.into(),
            DelegationError::Unknown(_) => Self::not_found(error.to_string()),
            DelegationError::NotYours => Self::forbidden(error.to_string()),
            DelegationError::NoSuchPrincipal(_)
            | DelegationError::LongReason
            | DelegationError::Fault(_) => Self::invalid(error.to_string()),
        }
    }
}
