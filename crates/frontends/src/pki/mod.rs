//! What relying parties fetch: CA certificates, CRLs, OCSP answers (RFC 5280, RFC 6960).
//!
//! These routes may also be served without TLS: everything here is signed, and a client that
//! needs it to check a TLS certificate cannot be asked to check one first.

mod ca;
mod crl;
mod ocsp;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::RETRY_AFTER;
use lifecycle::issuers::ConnectedIssuer;
use lifecycle::{Lifecycle, StoreError};

/// Every route below `/pki`, and `/root.pem`.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    Router::new()
        .route("/root.pem", get(ca::root))
        .route("/pki/{issuer}/ca.pem", get(ca::pem))
        .route("/pki/{issuer}/ca.der", get(ca::der))
        .route("/pki/{issuer}/crl", get(crl::show))
        .route("/pki/{issuer}/ocsp", axum::routing::post(ocsp::post))
        .route("/pki/{issuer}/ocsp/{*request}", get(ocsp::get))
        .with_state(lifecycle)
}

/// Why there is nothing to fetch.
enum Fault {
    NotFound(&'static str),
    Unavailable(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text).into_response(),
            Self::Unavailable(error) => {
                tracing::error!(error = %error, "request not answered");
                let text = "the store does not answer; try again later\n";
                (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "10")], text).into_response()
            }
        }
    }
}

async fn find_issuer(lifecycle: &Lifecycle, name: &str) -> Result<Arc<ConnectedIssuer>, Fault> {
    lifecycle
        .issuer_by_name(name)
        .await?
        .ok_or(Fault::NotFound("there is no issuer of that name\n"))
}
