//! From typed errors to problem documents (RFC 8555 section 6.7): the one place that knows both.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::acme::validation::{FailureKind, ValidationFailure};
use http::header::{CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use lifecycle::limits::RateLimited;
use protocols::acme::problem::{Problem, ProblemType};
use store_error::is_unavailable;

/// A refused request: the problem, and headers that go with it.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    headers: Vec<(HeaderName, String)>,
}

impl Failure {
    pub(crate) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Problem::new(kind, detail).into()
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Problem::malformed(detail).into()
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Problem::unauthorized(detail).into()
    }

    /// What is not there and what belongs to another account look the same.
    pub(crate) fn not_found(what: &str) -> Self {
        Problem::malformed(format!("there is no such {what}"))
            .with_status(404)
            .into()
    }

    /// Something of ours is not working; the cause is logged and not told.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %Sources(error), "request not answered");
        Self::from(Problem::server_internal()).retry_after(Duration::from_secs(10))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_location(self, url: String) -> Self {
        self.with_header(LOCATION, url)
    }

    pub(crate) fn with_link(self, url: &str, relation: &str) -> Self {
        self.with_header(LINK, format!("<{url}>;rel=\"{relation}\""))
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.with_header(RETRY_AFTER, wait.as_secs().max(1).to_string())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            headers: Vec::new(),
        }
    }
}

impl From<store_error::StoreError> for Failure {
    fn from(error: store_error::StoreError) -> Self {
        let mut failure = Self::internal(&error);
        if is_unavailable(&error) {
            failure.problem.status = Some(503);
        }
        failure
    }
}

impl From<RateLimited> for Failure {
    fn from(limited: RateLimited) -> Self {
        Self::new(ProblemType::RateLimited, limited.to_string()).retry_after(limited.retry_after)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut problem = self.problem;
        problem.status = Some(status.as_u16());
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        response
    }
}

/// A failed probe as the client sees it.
pub(crate) fn validation_problem(failure: &ValidationFailure) -> Problem {
    let kind = match failure.kind {
        FailureKind::BadAttestationStatement => ProblemType::BadAttestationStatement,
        FailureKind::Caa => ProblemType::Caa,
        FailureKind::Connection => ProblemType::Connection,
        FailureKind::Dns => ProblemType::Dns,
        FailureKind::IncorrectResponse => ProblemType::IncorrectResponse,
        FailureKind::Malformed => ProblemType::Malformed,
        FailureKind::ServerInternal => ProblemType::ServerInternal,
        FailureKind::Tls => ProblemType::Tls,
        FailureKind::Unauthorized => ProblemType::Unauthorized,
    };
    let problem = Problem::new(kind, failure.detail.clone());
    let status = problem.http_status();
    problem.with_status(status)
}

/// RFC 8555 section 6.3: resources are fetched with POST-as-GET.
pub(crate) async fn method_not_allowed() -> Failure {
    Problem::malformed(
        "this resource is not for this method; ACME resources are fetched with POST-as-GET",
    )
    .with_status(405)
    .into()
}

pub(crate) async fn not_found() -> Failure {
    Failure::not_found("resource; the directory lists those there are")
}

/// An error with its causes, for the log.
struct Sources<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Sources<'_> {
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

/// Front ends see no SQL; what they may know of the store's errors comes through the verbs.
mod store_error {
    pub(super) use lifecycle::StoreError;

    pub(super) fn is_unavailable(error: &StoreError) -> bool {
        error.is_transient()
    }
}
