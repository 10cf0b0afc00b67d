//! EST, RFC 7030: enrollment over HTTPS for whatever has no account.
//!
//! A request is read, its client shows who it is ([`client`]), and one verb is called. What becomes of it is
//! rendered in [`answer`]; a client that is told to wait sends the same request again.

mod answer;
mod client;
mod enroll;
mod failure;
mod keygen;
mod offer;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path};
use axum::routing::{MethodRouter, get, post};
use domain::enrolling::{EntryPoint, EntryPointSpec, EstRules, Protocol};
use http::request::Parts;
use lifecycle::Lifecycle;

use failure::Failure;

type Verbs = Arc<Lifecycle>;

/// Every operation, with and without a label (RFC 7030 section 3.2.2).
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    let operations: [(&str, MethodRouter<Verbs>); 5] = [
        ("cacerts", get(offer::ca_certificates)),
        ("csrattrs", get(offer::csr_attributes)),
        ("simpleenroll", post(enroll::enroll)),
        ("simplereenroll", post(enroll::reenroll)),
        ("serverkeygen", post(keygen::generate)),
    ];
    let mut router = Router::new();
    for (name, handler) in operations {
        router = router
            .route(&format!("{BASE}/{name}"), handler.clone())
            .route(&format!("{BASE}/{{label}}/{name}"), handler);
    }
    router
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(lifecycle)
}

const BASE: &str = "/.well-known/est";
/// The label of a path without one.
const DEFAULT_LABEL: &str = "default";
/// A CSR of 64 kB in base64, and some.
const MAX_BODY: usize = 100 * 1024;

/// The label that a request is for, with its rules.
pub(crate) struct Label {
    pub(crate) point: EntryPoint,
    pub(crate) rules: EstRules,
}

impl FromRequestParts<Verbs> for Label {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, verbs: &Verbs) -> Result<Self, Failure> {
        let name = match Path::<String>::from_request_parts(parts, verbs).await {
            Ok(Path(name)) => name,
            Err(_) => DEFAULT_LABEL.to_owned(),
        };
        let found = verbs.entry_point(Protocol::Est, &name).await?;
        match found {
            Some(point) => match point.spec.clone() {
                EntryPointSpec::Est(rules) => Ok(Self { point, rules }),
                EntryPointSpec::Scep(_) => Err(Failure::not_found("there is no such label")),
            },
            None => Err(Failure::not_found("there is no such label")),
        }
    }
}
