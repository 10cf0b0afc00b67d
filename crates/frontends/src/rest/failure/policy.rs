//! Problems of profiles, fields of metadata, and what issuers are told of them.

use lifecycle::metadata::fields::FieldError;
use lifecycle::metadata::issuers::TellIssuerError;
use lifecycle::operator::profiles::ReplaceProfileError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<ReplaceProfileError> for Failure {
    fn from(error: ReplaceProfileError) -> Self {
        match error {
            ReplaceProfileError::Store(error) => error.into(),
            ReplaceProfileError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ReplaceProfileError::Rules(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Self::invalid(faults.join("; ")).with_faults(faults)
            }
        }
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::Store(error) => error.into(),
            FieldError::Unknown(_) => Self::not_found(error.to_string()),
            FieldError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            FieldError::KindInUse(_) | FieldError::Needed(..) => Self::conflict(error.to_string()),
            FieldError::Rules(faults) => {
                let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Self::invalid(texts.join("; ")).with_faults(texts)
            }
        }
    }
}

impl From<TellIssuerError> for Failure {
    fn from(error: TellIssuerError) -> Self {
        match error {
            TellIssuerError::Store(error) => error.into(),
            TellIssuerError::Unknown(_) => Self::not_found(error.to_string()),
            TellIssuerError::Fields(faults) => Self::invalid(faults.join("; ")).with_faults(faults),
        }
    }
}
