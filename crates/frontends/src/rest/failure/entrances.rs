//! Problems of where clients come in: directories, entry points, and what opens them.

use lifecycle::acme::directories::PutDirectoryError;
use lifecycle::acme::eab_keys::EabKeyError;
use lifecycle::enrolling::entry_points::EntryPointError;
use lifecycle::enrolling::passwords::NewPasswordError;
use lifecycle::operator::directories::ReplaceDirectoryError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<EntryPointError> for Failure {
    fn from(error: EntryPointError) -> Self {
        match error {
            EntryPointError::Store(error) => error.into(),
            EntryPointError::Metadata(violations) => Self::rejected(&violations),
            EntryPointError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            EntryPointError::Unknown { .. } => Self::not_found(error.to_string()),
            EntryPointError::BadName(_)
            | EntryPointError::Reserved(_)
            | EntryPointError::Authority(_)
            | EntryPointError::NoSuchProfile(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<NewPasswordError> for Failure {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Store(error) => error.into(),
            NewPasswordError::Metadata(violations) => Self::rejected(&violations),
            NewPasswordError::NoName | NewPasswordError::NoUses | NewPasswordError::Username => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<EabKeyError> for Failure {
    fn from(error: EabKeyError) -> Self {
        match error {
            EabKeyError::Store(error) => error.into(),
            EabKeyError::Seal(error) => Self::internal(&error),
            EabKeyError::NoSuchDirectory(_) | EabKeyError::NoName => {
                Self::invalid(error.to_string())
            }
            EabKeyError::Metadata(violations) => Self::rejected(&violations),
        }
    }
}

impl From<ReplaceDirectoryError> for Failure {
    fn from(error: ReplaceDirectoryError) -> Self {
        match error {
            ReplaceDirectoryError::Store(error)
            | ReplaceDirectoryError::Rule(PutDirectoryError::Store(error)) => error.into(),
            ReplaceDirectoryError::Rule(PutDirectoryError::Metadata(violations)) => {
                Self::rejected(&violations)
            }
            ReplaceDirectoryError::Rule(rule) => Self::invalid(rule.to_string()),
            ReplaceDirectoryError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}
