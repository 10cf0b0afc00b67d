//! Problems of signing in, of people and of providers: continues `failure`.

use domain::sign_on::SignOnError;
use http::HeaderValue;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use lifecycle::client_certificates::ClientCertificateError;
use lifecycle::sign_in::authenticator::AuthenticatorError;
use lifecycle::sign_in::passkeys::PasskeyError;
use lifecycle::sign_in::reauthenticate::ChangePasswordError;
use lifecycle::sign_in::setup::SetupLinkError;
use lifecycle::sign_in::{HashError, SignInError};
use lifecycle::sign_on::SignOnFailure;
use lifecycle::sign_on::providers::ProviderError;
use lifecycle::users::UserError;
use protocols::rest::problem::ProblemKind;

use super::failure::Failure;

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::new(ProblemKind::Unavailable, error.to_string())
                .with_header(RETRY_AFTER, HeaderValue::from_static("5")),
            HashError::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Store(error) => error.into(),
            SignInError::Hash(error) => error.into(),
            SignInError::Seal(error) => Self::internal(&error),
            SignInError::Locked(locked) => Self::locked(&locked),
            SignInError::Refused => Self::unauthenticated(error.to_string())
                .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(REALM)),
            SignInError::CodeNeeded => {
                Self::new(ProblemKind::SecondFactorNeeded, error.to_string())
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(REALM))
            }
        }
    }
}

const REALM: &str = "Bearer realm=\"certwright\"";

impl From<ChangePasswordError> for Failure {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::SignIn(error) => error.into(),
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
            ChangePasswordError::Fault(fault) => Self::invalid(fault.to_string()),
        }
    }
}

impl From<SetupLinkError> for Failure {
    fn from(error: SetupLinkError) -> Self {
        match error {
            SetupLinkError::Store(error) => error.into(),
            SetupLinkError::Hash(error) => error.into(),
            SetupLinkError::Spent | SetupLinkError::NameTaken(_) => {
                Self::conflict(error.to_string())
            }
            SetupLinkError::Name(_) | SetupLinkError::Password(_) => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<AuthenticatorError> for Failure {
    fn from(error: AuthenticatorError) -> Self {
        match error {
            AuthenticatorError::Store(error) => error.into(),
            AuthenticatorError::Seal(error) => Self::internal(&error),
            AuthenticatorError::NonePending | AuthenticatorError::NoAuthenticator => {
                Self::conflict(error.to_string())
            }
            AuthenticatorError::WrongCode => Self::invalid(error.to_string()),
        }
    }
}

impl From<PasskeyError> for Failure {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Store(error) => error.into(),
            PasskeyError::Seal(error) => Self::internal(&error),
            PasskeyError::Content(error) => Self::internal(&error),
            PasskeyError::Locked(locked) => Self::locked(&locked),
            PasskeyError::NoDomain | PasskeyError::Registered | PasskeyError::TooMany => {
                Self::conflict(error.to_string())
            }
            PasskeyError::NoName => Self::invalid(error.to_string()),
            PasskeyError::Spent | PasskeyError::Refused(_) | PasskeyError::Unknown => {
                Self::unauthenticated(error.to_string())
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(REALM))
            }
        }
    }
}

impl From<SignOnFailure> for Failure {
    fn from(error: SignOnFailure) -> Self {
        match error {
            SignOnFailure::Store(error) => error.into(),
            SignOnFailure::Seal(error) => Self::internal(&error),
            SignOnFailure::Content(error) => Self::internal(&error),
            SignOnFailure::NoProvider(_) => Self::not_found(error.to_string()),
            SignOnFailure::Spent => Self::invalid(error.to_string()),
            SignOnFailure::NotAdmitted | SignOnFailure::Disabled | SignOnFailure::OtherIssuer => {
                Self::forbidden(error.to_string())
            }
            SignOnFailure::Provider(error) => {
                tracing::warn!(error = %error, "sign-on failed");
                let text = error.to_string();
                match error {
                    SignOnError::Unreachable(_) => Self::new(ProblemKind::Unavailable, text),
                    SignOnError::Refused(_) | SignOnError::Untrusted(_) => Self::forbidden(text),
                }
            }
        }
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Store(error) => error.into(),
            ProviderError::Access(error) => error.into(),
            ProviderError::Seal(error) => Self::internal(&error),
            ProviderError::BadName(_) => Self::invalid(error.to_string()),
            ProviderError::Faults(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Self::invalid(faults.join("; ")).with_faults(faults)
            }
            ProviderError::Unknown(_) => Self::not_found(error.to_string()),
            ProviderError::InUse => Self::conflict(error.to_string()),
            ProviderError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}

impl From<UserError> for Failure {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Store(error) => error.into(),
            UserError::Access(error) => error.into(),
            UserError::Unknown(_) => Self::not_found(error.to_string()),
            UserError::Name(_) | UserError::Email(_) => Self::invalid(error.to_string()),
            UserError::NameTaken(_) | UserError::Vouched(_) | UserError::State(_) => {
                Self::conflict(error.to_string())
            }
            UserError::Oneself => Self::forbidden(error.to_string()),
        }
    }
}

impl From<ClientCertificateError> for Failure {
    fn from(error: ClientCertificateError) -> Self {
        match error {
            ClientCertificateError::Store(error) => error.into(),
            ClientCertificateError::Access(error) => error.into(),
            ClientCertificateError::Unknown(_) => Self::not_found(error.to_string()),
            ClientCertificateError::Taken => Self::conflict(error.to_string()),
            ClientCertificateError::NoName
            | ClientCertificateError::NoSuchToken(_)
            | ClientCertificateError::NoSuchCa(_)
            | ClientCertificateError::Vague => Self::invalid(error.to_string()),
        }
    }
}
