//! Problems of requests for certificates, from the first to the fetched key.

use domain::held_key::HeldKeyError;
use http::HeaderValue;
use http::header::RETRY_AFTER;
use lifecycle::held_keys::FetchKeyError;
use lifecycle::idempotency::AttemptError;
use lifecycle::issuance::cancel::CancelError;
use lifecycle::issuance::explain::ExplainError;
use lifecycle::issuance::{AdmitError, EnrollError, SubmitError};
use lifecycle::renewal::RenewError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        if let Some(violations) = error.violations() {
            return Self::rejected(violations);
        }
        match error {
            SubmitError::Store(error) => error.into(),
            SubmitError::Enroll(error) => error.into(),
            SubmitError::Key(error) => Self::internal(&error),
            SubmitError::NoSuchProfile(_)
            | SubmitError::Csr(_)
            | SubmitError::TwoEnds
            | SubmitError::Build(_)
            | SubmitError::NothingToReplace(_)
            | SubmitError::ReplacesStranger(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<EnrollError> for Failure {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Store(error) | EnrollError::Admit(AdmitError::Store(error)) => {
                error.into()
            }
            EnrollError::Admit(AdmitError::Rejected(violations)) => Self::rejected(&violations),
            EnrollError::Key(error) => Self::internal(&error),
            // No issuer is fit to sign now; that passes, or an operator sees to it.
            EnrollError::Admit(
                error @ (AdmitError::Clock(_) | AdmitError::Route(_) | AdmitError::Prepare(_)),
            ) => Self::new(ProblemKind::Unavailable, error.to_string())
                .with_header(RETRY_AFTER, HeaderValue::from_static("60")),
            EnrollError::Replaced(..)
            | EnrollError::BeingReplaced(..)
            | EnrollError::Settled
            | EnrollError::Repeated
            | EnrollError::PasswordUsed => Self::conflict(error.to_string()),
        }
    }
}

impl From<RenewError> for Failure {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Store(error) => error.into(),
            RenewError::Submit(error) => error.into(),
            RenewError::Unknown(_) => Self::not_found(error.to_string()),
            RenewError::SameKey => Self::invalid(error.to_string()),
            RenewError::NotIssuedHere(_)
            | RenewError::NoProfile
            | RenewError::Renewed(..)
            | RenewError::Compromised
            | RenewError::OldRequest(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<CancelError> for Failure {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Store(error) => error.into(),
            CancelError::Unknown(_) => Self::not_found(error.to_string()),
            CancelError::Ended(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<FetchKeyError> for Failure {
    fn from(error: FetchKeyError) -> Self {
        match error {
            FetchKeyError::Store(error) => error.into(),
            FetchKeyError::Seal(error) => Self::internal(&error),
            FetchKeyError::Key(error) => Self::internal(&error),
            FetchKeyError::Unknown(_) | FetchKeyError::Refused(HeldKeyError::Gone) => {
                Self::not_found(error.to_string())
            }
            FetchKeyError::Refused(HeldKeyError::NotYours) => Self::forbidden(error.to_string()),
            FetchKeyError::Refused(HeldKeyError::NotIssued) => Self::conflict(error.to_string()),
        }
    }
}

impl From<AttemptError> for Failure {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Store(error) => error.into(),
            AttemptError::Seal(error) => Self::internal(&error),
            AttemptError::OtherRequest => Self::new(ProblemKind::KeyReused, error.to_string()),
            AttemptError::UnderWay(wait) => Self::conflict(error.to_string())
                .with_header(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1))),
            AttemptError::CutOff => Self::conflict(error.to_string()),
        }
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Store(error) => error.into(),
            error @ ExplainError::Assumed(_) => Self::internal(&error),
        }
    }
}
