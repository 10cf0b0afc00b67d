//! From typed errors to problem documents (RFC 9457): the one place that knows both.

mod access;
mod approvals;
mod entrances;
mod inventory;
mod issuance;
mod issuers;
mod notification;
mod policy;

use super::enrollments::render_violation;
use axum::response::{IntoResponse, Response};
use domain::policy::Violation;
use http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifecycle::StoreError;
use lifecycle::events::CheckpointError;
use lifecycle::sign_in::Locked;
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

    /// What is wrong, for answers about several things.
    pub(crate) fn detail(&self) -> &str {
        &self.problem.detail
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What the rules of a profile refuse, with every rule.
    pub(crate) fn rejected(violations: &[Violation]) -> Self {
        let texts: Vec<String> = violations.iter().map(Violation::text).collect();
        let mut failure = Self::new(ProblemKind::Rejected, texts.join("; ")).with_faults(texts);
        failure.problem.violations = violations.iter().map(render_violation).collect();
        failure
    }

    /// With a cookie to set or to forget.
    pub(crate) fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        if let Some(cookie) = cookie {
            self.headers.append(SET_COOKIE, cookie);
        }
        self
    }

    /// Somebody who failed too often has to wait.
    pub(crate) fn locked(locked: &Locked) -> Self {
        Self::new(ProblemKind::TooManyAttempts, locked.to_string())
            .with_header(RETRY_AFTER, HeaderValue::from(locked.retry_after.as_secs()))
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
