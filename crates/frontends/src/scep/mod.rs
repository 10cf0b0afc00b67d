//! SCEP, RFC 8894: enrollment by messages that are signed and encrypted by themselves.
//!
//! A message is opened ([`message`]), its client shows who it is, and one verb is called ([`operate`]). What
//! becomes of it is sealed for who asked ([`reply`]). Since messages protect themselves, these routes may also
//! be served without TLS, which is how most devices speak.

mod message;
mod offer;
mod operate;
mod reply;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::enrolling::{EntryPoint, EntryPointSpec, Protocol, ScepRules};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, Method, StatusCode};
use lifecycle::enrolling::{RaError, RegistrationAuthority};
use lifecycle::{Lifecycle, StoreError};
use serde::Deserialize;

type Verbs = Arc<Lifecycle>;

/// Every service, also under the file name that old devices append.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    let methods = get(serve).post(serve);
    Router::new()
        .route("/scep/{service}", methods.clone())
        .route("/scep/{service}/pkiclient.exe", methods)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(lifecycle)
}

/// A CSR with two signatures around it, and some.
const MAX_BODY: usize = 256 * 1024;

/// A service with its rules and its keys.
pub(crate) struct Service {
    pub(crate) point: EntryPoint,
    pub(crate) rules: ScepRules,
    pub(crate) ra: RegistrationAuthority,
}

/// What a request asks for (RFC 8894 section 4.1).
#[derive(Debug, Deserialize)]
struct Asked {
    operation: String,
    message: Option<String>,
}

/// Why there is no answer in the protocol's own form.
#[derive(Debug)]
pub(crate) enum Failure {
    NotFound(&'static str),
    BadRequest(String),
    Unavailable(&'static str),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        match self {
            Self::NotFound(text) => (StatusCode::NOT_FOUND, plain, text).into_response(),
            Self::BadRequest(text) => {
                (StatusCode::BAD_REQUEST, plain, format!("{text}\n")).into_response()
            }
            Self::Unavailable(text) => {
                let wait = [(RETRY_AFTER, "10")];
                (StatusCode::SERVICE_UNAVAILABLE, plain, wait, text).into_response()
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "SCEP request not answered");
        Self::Unavailable("the store does not answer; try again later\n")
    }
}

impl From<RaError> for Failure {
    fn from(error: RaError) -> Self {
        tracing::error!(error = %error, "SCEP request not answered");
        Self::Unavailable("the service has no registration authority; the cause is in the log\n")
    }
}

async fn serve(
    State(verbs): State<Verbs>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    method: Method,
    extensions: Extensions,
    body: Bytes,
) -> Result<Response, Failure> {
    let service = find(&verbs, &name).await?;
    match asked.operation.as_str() {
        "GetCACaps" => offer::capabilities(&verbs, &service).await,
        "GetCACert" => Ok(offer::ca_certificates(&service)),
        "GetNextCACert" => offer::next_ca_certificates(&verbs, &service).await,
        "PKIOperation" => {
            let message = match method {
                Method::POST => body.to_vec(),
                _ => decode(asked.message.as_deref())?,
            };
            operate::operate(&verbs, &service, &message, &extensions).await
        }
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(Failure::BadRequest(format!(
                "there is no operation `{shown}`"
            )))
        }
    }
}

async fn find(verbs: &Verbs, name: &str) -> Result<Service, Failure> {
    const UNKNOWN: Failure = Failure::NotFound("there is no SCEP service of that name\n");
    let point = verbs.entry_point(Protocol::Scep, name).await?;
    let point = point.ok_or(UNKNOWN)?;
    let EntryPointSpec::Scep(rules) = point.spec.clone() else {
        return Err(UNKNOWN);
    };
    let ra = verbs.registration_authority(&point).await?;
    Ok(Service { point, rules, ra })
}

/// The message in a query: base64, in which some clients leave a plus that a query reads as a space.
fn decode(message: Option<&str>) -> Result<Vec<u8>, Failure> {
    let text = message.unwrap_or_default().replace(' ', "+");
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD
        .decode(text)
        .map_err(|_| Failure::BadRequest("the parameter `message` is not base64".to_owned()))
}
