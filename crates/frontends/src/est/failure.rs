//! What is told when nothing is given: a status and a text for whoever reads the client's log.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::enrolling::TermsRefusal;
use domain::policy::Violation;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use lifecycle::StoreError;
use lifecycle::enrolling::{AskError, ProofError};
use lifecycle::held_keys::FetchKeyError;
use lifecycle::issuance::{AdmitError, EnrollError};

/// An answer without a certificate.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    text: String,
    retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            retry_after: None,
        }
    }

    pub(crate) fn not_found(text: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(crate) fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// RFC 7030 section 4.2.3: the client comes back with the same request.
    pub(crate) fn accepted(text: impl Into<String>, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::ACCEPTED, text)
        }
    }

    fn unavailable(text: impl Into<String>, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }

    /// Something of ours is not working; the cause is logged and not told.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "EST request not answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server could not do it; the cause is in its log",
        )
    }

    fn violations(violations: &[Violation]) -> Self {
        let lines: Vec<String> = violations.iter().map(Violation::text).collect();
        Self::bad_request(lines.join("\n"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let text = format!("{}\n", self.text);
        let mut response = (
            self.status,
            [(CONTENT_TYPE, "text/plain; charset=utf-8")],
            text,
        )
            .into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"EST\", charset=\"UTF-8\"");
            headers.insert(WWW_AUTHENTICATE, basic);
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "EST request not answered");
        Self::unavailable("the store does not answer; try again later", A_MOMENT)
    }
}

impl From<ProofError> for Failure {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Store(error) => error.into(),
            ProofError::WrongPassword | ProofError::Password(_) | ProofError::Certificate(_) => {
                Self::unauthorized(error.to_string())
            }
            ProofError::Acme => Self::forbidden(error.to_string()),
        }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let text = error.to_string();
        match error {
            AskError::Store(error) => error.into(),
            AskError::Enroll(error) => error.into(),
            AskError::NoProfile(_) | AskError::Build(_) | AskError::Key(_) => {
                Self::internal(&error)
            }
            AskError::Csr(_) | AskError::NotTheSame(_) => Self::bad_request(text),
            AskError::Password(TermsRefusal::Name(_))
            | AskError::CertificateNotEnough
            | AskError::NothingToRenew
            | AskError::OtherProfile => Self::forbidden(text),
            AskError::Password(
                TermsRefusal::Revoked | TermsRefusal::Expired | TermsRefusal::Used,
            ) => Self::unauthorized(text),
        }
    }
}

impl From<EnrollError> for Failure {
    fn from(error: EnrollError) -> Self {
        let text = error.to_string();
        match error {
            EnrollError::Store(error) | EnrollError::Admit(AdmitError::Store(error)) => {
                error.into()
            }
            EnrollError::Admit(AdmitError::Rejected(violations)) => Self::violations(&violations),
            EnrollError::Key(error) => Self::internal(&error),
            // No issuer is fit to sign now; that passes, or an operator sees to it.
            EnrollError::Admit(
                AdmitError::Clock(_) | AdmitError::Route(_) | AdmitError::Prepare(_),
            ) => Self::unavailable(text, A_WHILE),
            EnrollError::Repeated => Self::accepted(text, A_MOMENT),
            EnrollError::PasswordUsed => Self::unauthorized(text),
            EnrollError::Replaced(..) | EnrollError::BeingReplaced(..) | EnrollError::Settled => {
                Self::new(StatusCode::CONFLICT, text)
            }
        }
    }
}

impl From<FetchKeyError> for Failure {
    fn from(error: FetchKeyError) -> Self {
        match error {
            FetchKeyError::Store(error) => error.into(),
            FetchKeyError::Seal(_) | FetchKeyError::Key(_) => Self::internal(&error),
            FetchKeyError::Unknown(_) | FetchKeyError::Refused(_) => Self::new(
                StatusCode::CONFLICT,
                "the key was handed out before, and only once; ask for another one with a new CSR",
            ),
        }
    }
}

const A_MOMENT: Duration = Duration::from_secs(10);
const A_WHILE: Duration = Duration::from_secs(60);
