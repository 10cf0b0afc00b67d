//! Problem documents (RFC 9457) as ACME uses them (RFC 8555 section 6.7).

mod kind;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use kind::ProblemType;

use super::identifier::Identifier;
use super::jws::Algorithm;

/// The media type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An error as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What went wrong, for machines.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: ProblemType,
    /// A short summary of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What went wrong here, for people.
    #[serde(default)]
    pub detail: String,
    /// The HTTP status; absent in subproblems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For `userActionRequired`, the URL a person has to visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What a subproblem is about; never at the top level (RFC 8555 section 6.7.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// One problem per identifier at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subproblems: Vec<Problem>,
    /// For `badSignatureAlgorithm`, what would have been accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<Cow<'static, str>>>,
}

/// RFC 9457 section 3.1.1: what an absent `type` means.
fn about_blank() -> ProblemType {
    ProblemType::Other("about:blank".to_owned())
}

impl Problem {
    /// A problem with the customary status of its type.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        let algorithms = (kind == ProblemType::BadSignatureAlgorithm)
            .then(|| Algorithm::NAMES.map(Cow::Borrowed).to_vec());
        Self {
            status: Some(kind.status()),
            kind,
            title: None,
            detail: detail.into(),
            instance: None,
            identifier: None,
            subproblems: Vec::new(),
            algorithms,
        }
    }

    /// `malformed` with status 400.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Malformed, detail)
    }

    /// `unauthorized` with status 403.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Unauthorized, detail)
    }

    /// `serverInternal` with status 500; the cause belongs into the log, not into the answer.
    pub fn server_internal() -> Self {
        Self::new(
            ProblemType::ServerInternal,
            "the server failed; the request can be tried again later",
        )
    }

    /// A problem about one identifier, to be listed in another problem.
    pub fn about(identifier: Identifier, kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            identifier: Some(identifier),
            status: None,
            ..Self::new(kind, detail)
        }
    }

    /// One problem out of several about single identifiers: their common type, or `compound`.
    pub fn from_subproblems(detail: impl Into<String>, subproblems: Vec<Self>) -> Self {
        let kind = match subproblems.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.kind == first.kind) => {
                first.kind.clone()
            }
            _ => ProblemType::Compound,
        };
        Self {
            subproblems,
            ..Self::new(kind, detail)
        }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The same with a title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with the URL a person has to visit.
    #[must_use]
    pub fn with_instance(mut self, url: impl Into<String>) -> Self {
        self.instance = Some(url.into());
        self
    }

    /// The same with one more subproblem.
    #[must_use]
    pub fn with_subproblem(mut self, subproblem: Self) -> Self {
        self.subproblems.push(subproblem);
        self
    }

    /// The HTTP status to answer with.
    pub fn http_status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.status())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.token(), self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_registered_type_reads_back() {
        for kind in ProblemType::ALL {
            assert_eq!(&ProblemType::from_urn(&kind.urn()), kind);
            assert!((400..=500).contains(&kind.status()), "{kind}");
        }
    }

    #[test]
    fn an_unregistered_type_is_kept_as_it_came() {
        let problem: Problem = serde_json::from_value(
            json!({"type": "urn:ietf:params:acme:error:new", "detail": "x"}),
        )
        .unwrap();
        assert_eq!(problem.kind.urn(), "urn:ietf:params:acme:error:new");
        let untyped: Problem = serde_json::from_value(json!({"status": 502})).unwrap();
        assert_eq!(untyped.kind.urn(), "about:blank");
        assert_eq!(untyped.http_status(), 502);
    }

    #[test]
    fn p01_a_refused_algorithm_is_answered_with_those_accepted() {
        let problem = serde_json::to_value(Problem::new(ProblemType::BadSignatureAlgorithm, "no"));
        assert_eq!(
            problem.unwrap(),
            json!({
                "type": "urn:ietf:params:acme:error:badSignatureAlgorithm",
                "detail": "no",
                "status": 400,
                "algorithms": ["ES256", "ES384", "ES512", "RS256", "EdDSA", "Ed25519"],
            })
        );
    }

    #[test]
    fn subproblems_of_one_type_give_it_to_the_whole() {
        let about = |name: &str, kind| Problem::about(Identifier::dns(name), kind, "no");
        let alike = Problem::from_subproblems(
            "two names are refused",
            vec![
                about("a.example", ProblemType::RejectedIdentifier),
                about("b.example", ProblemType::RejectedIdentifier),
            ],
        );
        assert_eq!(alike.kind, ProblemType::RejectedIdentifier);
        let mixed = alike.with_subproblem(about("c.example", ProblemType::Caa));
        let mixed = Problem::from_subproblems("three names are refused", mixed.subproblems);
        assert_eq!(mixed.kind, ProblemType::Compound);
        assert_eq!(
            serde_json::to_value(&mixed).unwrap()["subproblems"][2],
            json!({
                "type": "urn:ietf:params:acme:error:caa",
                "detail": "no",
                "identifier": {"type": "dns", "value": "c.example"},
            })
        );
        assert_eq!(mixed.identifier, None);
    }
}
