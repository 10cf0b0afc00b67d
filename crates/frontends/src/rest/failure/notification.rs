//! Problems of channels, rules and alerts.

use lifecycle::notification::alerts::AcknowledgeError;
use lifecycle::notification::channels::ChannelError;
use lifecycle::notification::rules::RuleError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<ChannelError> for Failure {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Store(error) => error.into(),
            ChannelError::Seal(error) => Self::internal(&error),
            ChannelError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ChannelError::Unknown(_) => Self::not_found(error.to_string()),
            ChannelError::InUse(_) | ChannelError::KindChanges => Self::conflict(error.to_string()),
            ChannelError::BadName(_)
            | ChannelError::UnknownKind { .. }
            | ChannelError::NoStream(_)
            | ChannelError::Settings(_)
            | ChannelError::SecretsNeeded(_)
            | ChannelError::Template(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Store(error) => error.into(),
            RuleError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            RuleError::BadName(_)
            | RuleError::NoChannel
            | RuleError::NoSuchChannel(_)
            | RuleError::NoSuchTeam(_)
            | RuleError::NoSuchRole(_)
            | RuleError::NoMail
            | RuleError::NoEvent
            | RuleError::BadAddress(_)
            | RuleError::Condition(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<AcknowledgeError> for Failure {
    fn from(error: AcknowledgeError) -> Self {
        match error {
            AcknowledgeError::Store(error) => error.into(),
            AcknowledgeError::Unknown(_) => Self::not_found(error.to_string()),
            AcknowledgeError::Closed => Self::conflict(error.to_string()),
        }
    }
}
