//! http-01 (RFC 8555 section 8.3) from the other side: what CAs elsewhere fetch from this server as proof
//! of control over names that lead here.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use lifecycle::Lifecycle;
use protocols::acme::key_authorization::Token;

/// The one route. It is also served without TLS: the CA asks on port 80.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(show))
        .with_state(lifecycle)
}

async fn show(State(lifecycle): State<Arc<Lifecycle>>, Path(token): Path<String>) -> Response {
    let unknown = (StatusCode::NOT_FOUND, "no challenge has this token\n");
    // What is no token is not looked up: anybody may ask.
    let Ok(token) = token.parse::<Token>() else {
        return unknown.into_response();
    };
    match lifecycle.http_challenge_response(token.as_str()).await {
        Ok(Some(response)) => {
            let headers = [
                (CONTENT_TYPE, "application/octet-stream"),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, response).into_response()
        }
        Ok(None) => unknown.into_response(),
        Err(error) => {
            tracing::error!(error = %error, "request not answered");
            let text = "the store does not answer; try again later\n";
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "10")], text).into_response()
        }
    }
}
