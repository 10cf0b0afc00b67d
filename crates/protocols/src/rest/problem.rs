//! Errors as problem documents (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enrollment::Violation;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not done, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URN that names the kind of problem; programs compare it
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:certwright:problem:not-found")]
    pub kind: ProblemKind,
    /// The kind in words
    pub title: String,
    /// The HTTP status
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong in this case, and what to change
    pub detail: String,
    /// Every single fault, where there are several
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Every rule that was broken, where a certificate was refused
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// By which this request is found in the log
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem of that kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            faults: Vec::new(),
            violations: Vec::new(),
            request_id: None,
        }
    }
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum ProblemKind {
    /// Something in the request does not parse or makes no sense.
    InvalidRequest,
    /// No token, or one that opens nothing.
    Unauthenticated,
    /// The password is right and does not suffice.
    SecondFactorNeeded,
    /// A token without the right to do this.
    Forbidden,
    /// Who is signed in has to prove again who they are.
    ProofNeeded,
    /// Nothing of that name.
    NotFound,
    /// A path that does not know this method.
    MethodNotAllowed,
    /// The state of things forbids it.
    Conflict,
    /// What was to be changed is not what the requester read.
    Changed,
    /// The rules of a profile forbid it.
    Rejected,
    /// An `Idempotency-Key` that belongs to another request.
    KeyReused,
    /// More octets than are taken.
    TooLarge,
    /// A body in a form that is not understood.
    UnsupportedMediaType,
    /// Somebody guesses, or seems to.
    TooManyAttempts,
    /// Ours: something broke.
    Internal,
    /// Ours: something is not there at the moment.
    Unavailable,
    /// A kind of a newer server.
    Other,
}

impl ProblemKind {
    const ALL: [Self; 17] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::SecondFactorNeeded,
        Self::Forbidden,
        Self::ProofNeeded,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Changed,
        Self::Rejected,
        Self::KeyReused,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyAttempts,
        Self::Internal,
        Self::Unavailable,
        Self::Other,
    ];

    /// The last part of its URN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::Unauthenticated => "unauthenticated",
            Self::SecondFactorNeeded => "second-factor-needed",
            Self::Forbidden => "forbidden",
            Self::ProofNeeded => "proof-needed",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::Changed => "changed",
            Self::Rejected => "rejected",
            Self::KeyReused => "idempotency-key-reused",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::TooManyAttempts => "too-many-attempts",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::Other => "other",
        }
    }

    /// The kind in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is invalid",
            Self::Unauthenticated => "A valid API token is needed",
            Self::SecondFactorNeeded => "A second factor is needed as well",
            Self::Forbidden => "The token may not do this",
            Self::ProofNeeded => "Prove again who you are",
            Self::NotFound => "There is nothing of that name",
            Self::MethodNotAllowed => "This path does not know the method",
            Self::Conflict => "The state of things forbids it",
            Self::Changed => "It was changed meanwhile",
            Self::Rejected => "The profile's rules forbid it",
            Self::KeyReused => "The Idempotency-Key belongs to another request",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMediaType => "The body's form is not understood",
            Self::TooManyAttempts => "Too many attempts failed",
            Self::Internal => "Something broke on the server",
            Self::Unavailable => "Something is not available at the moment",
            Self::Other => "The request was refused",
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::Other => 400,
            Self::Unauthenticated | Self::SecondFactorNeeded => 401,
            Self::Forbidden | Self::ProofNeeded => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::Changed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Rejected | Self::KeyReused => 422,
            Self::TooManyAttempts => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

impl From<ProblemKind> for String {
    fn from(kind: ProblemKind) -> Self {
        format!("{URN}{}", kind.as_str())
    }
}

impl From<String> for ProblemKind {
    /// Kinds that only a newer server knows are one of their own: a client shows their text.
    fn from(text: String) -> Self {
        let name = text.strip_prefix(URN).unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .unwrap_or(Self::Other)
    }
}

const URN: &str = "urn:certwright:problem:";
