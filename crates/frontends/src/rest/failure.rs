//! From typed errors to problem documents (RFC 9457): the one place that knows both.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifecycle::StoreError;
use lifecycle::acme::directories::PutDirectoryError;
use lifecycle::acme::eab_keys::EabKeyError;
use lifecycle::events::CheckpointError;
use lifecycle::operator::directories::ReplaceDirectoryError;
use lifecycle::operator::issuers::IssuerError;
use lifecycle::operator::profiles::ReplaceProfileError;
use lifecycle::revocation::RevokeError;
use lifecycle::revocation::crl::CrlError;
use protocols::rest::problem::{MEDIA_TYPE, Problem, ProblemKind};

/// A request that was not done: the problem, and headers that go with it.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    headers: HeaderMap,
}

impl Failure {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(kind, detail)),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidRequest, detail)
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Unauthenticated, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Forbidden, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Conflict, detail)
    }

    /// Something of ours is not working; the cause is logged and not told.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %Causes(error), "request not answered");
        Self::new(
            ProblemKind::Internal,
            "the cause is in the server's log under the request id",
        )
    }

    /// As [`internal`](Self::internal), for what no error stands behind.
    pub(crate) fn broken(what: &'static str) -> Self {
        tracing::error!(what, "request not answered");
        Self::new(
            ProblemKind::Internal,
            "the cause is in the server's log under the request id",
        )
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn with_faults(mut self, faults: Vec<String>) -> Self {
        self.problem.faults = faults;
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = respond(&self.problem);
        response.headers_mut().extend(self.headers);
        // For whoever knows the request's id.
        response.extensions_mut().insert(*self.problem);
        response
    }
}

/// The answer that a problem makes.
pub(crate) fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (status, content_type, body).into_response()
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if !error.is_transient() {
            return Self::internal(&error);
        }
        tracing::warn!(error = %Causes(&error), "request not answered");
        Self::new(
            ProblemKind::Unavailable,
            "the database does not answer; the request may be repeated in a few seconds",
        )
        .with_header(RETRY_AFTER, HeaderValue::from_static("5"))
    }
}

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

impl From<EabKeyError> for Failure {
    fn from(error: EabKeyError) -> Self {
        match error {
            EabKeyError::Store(error) => error.into(),
            EabKeyError::Seal(error) => Self::internal(&error),
            EabKeyError::NoSuchDirectory(_) | EabKeyError::NoName => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<ReplaceDirectoryError> for Failure {
    fn from(error: ReplaceDirectoryError) -> Self {
        match error {
            ReplaceDirectoryError::Store(error)
            | ReplaceDirectoryError::Rule(PutDirectoryError::Store(error)) => error.into(),
            ReplaceDirectoryError::Rule(rule) => Self::invalid(rule.to_string()),
            ReplaceDirectoryError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}

impl From<ReplaceProfileError> for Failure {
    fn from(error: ReplaceProfileError) -> Self {
        match error {
            ReplaceProfileError::Store(error) => error.into(),
            ReplaceProfileError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ReplaceProfileError::Rules(faults) => {
                Self::invalid(faults.join("; ")).with_faults(faults)
            }
        }
    }
}

impl From<IssuerError> for Failure {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::Store(error) => error.into(),
            IssuerError::Crl(error) => error.into(),
            IssuerError::KeyStore(error) => Self::internal(&error),
            IssuerError::Key(error) => Self::internal(&error),
            IssuerError::Unknown(_) => Self::not_found(error.to_string()),
            IssuerError::NameTaken(_) | IssuerError::AwaitsCertificate => {
                Self::conflict(error.to_string())
            }
            IssuerError::BadName(_)
            | IssuerError::Chain(_)
            | IssuerError::NoSubject
            | IssuerError::Csr(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<CrlError> for Failure {
    fn from(error: CrlError) -> Self {
        match error {
            CrlError::Store(error) => error.into(),
            error @ (CrlError::NoKey | CrlError::Build(_) | CrlError::Sign(_)) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Store(error) => error.into(),
            error @ (CheckpointError::Secret(_) | CheckpointError::Key(_)) => {
                Self::internal(&error)
            }
        }
    }
}

pub(crate) async fn not_found() -> Failure {
    Failure::not_found("there is no such path; /api/openapi.json lists those there are")
}

pub(crate) async fn method_not_allowed() -> Failure {
    Failure::new(
        ProblemKind::MethodNotAllowed,
        "this path does not know the method; /api/openapi.json lists what it knows",
    )
}

/// An error with its causes, for the log.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
