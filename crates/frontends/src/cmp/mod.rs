//! CMP (RFC 9810) over HTTP (RFC 9811), in the lightweight profile (RFC 9483): a message is read,
//! its protection proves who sent it, a verb answers, the answer is protected as the question was.

mod answer;
mod authenticate;
mod certify;
mod confirm;
mod inform;
mod receive;
mod refusal;
mod revoke;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::cmp::endpoint::DEFAULT_ENDPOINT;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use protocols::cmp::{MAX_OCTETS, MEDIA_TYPE, Operation};

use crate::origin::Origin;
use receive::{Answered, Received};

type Verbs = Arc<Lifecycle>;

/// Every route below `/.well-known/cmp`. They may also be served without TLS: every message is
/// protected by itself (RFC 9811 section 5).
pub fn router(lifecycle: Verbs) -> Router {
    Router::new()
        .route("/.well-known/cmp", post(default))
        .route("/.well-known/cmp/{operation}", post(default_operation))
        .route("/.well-known/cmp/p/{name}", post(named))
        .route(
            "/.well-known/cmp/p/{name}/{operation}",
            post(named_operation),
        )
        .layer(DefaultBodyLimit::max(MAX_OCTETS))
        .with_state(lifecycle)
}

async fn default(
    State(verbs): State<Verbs>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serve(
        &verbs,
        (DEFAULT_ENDPOINT, None),
        &extensions,
        &headers,
        &body,
    )
    .await
}

async fn default_operation(
    State(verbs): State<Verbs>,
    Path(operation): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let place = (DEFAULT_ENDPOINT, Some(operation.as_str()));
    serve(&verbs, place, &extensions, &headers, &body).await
}

async fn named(
    State(verbs): State<Verbs>,
    Path(name): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serve(&verbs, (&name, None), &extensions, &headers, &body).await
}

async fn named_operation(
    State(verbs): State<Verbs>,
    Path((name, operation)): Path<(String, String)>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let place = (name.as_str(), Some(operation.as_str()));
    serve(&verbs, place, &extensions, &headers, &body).await
}

/// RFC 9811 section 3: one message in, one message out. What is no message at all is told so in
/// the terms of HTTP.
async fn serve(
    verbs: &Verbs,
    (name, label): (&str, Option<&str>),
    extensions: &Extensions,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    if !is_cmp(headers) {
        let text = "send the message as Content-Type: application/pkixcmp\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let operation = match label.map(Operation::from_label) {
        None => None,
        Some(Some(operation)) => Some(operation),
        Some(None) => {
            let text = "there is no CMP operation of that name\n";
            return (StatusCode::NOT_FOUND, text).into_response();
        }
    };
    let endpoint = match verbs.cmp_endpoint(name).await {
        Ok(Some(endpoint)) => endpoint,
        Ok(None) => {
            let text = "there is no CMP endpoint of that name\n";
            return (StatusCode::NOT_FOUND, text).into_response();
        }
        Err(error) => {
            tracing::error!(error = %error, "request not answered");
            let text = "the store does not answer; try again later\n";
            let headers = [(RETRY_AFTER, "10")];
            return (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response();
        }
    };
    let received = Received {
        verbs,
        endpoint,
        operation,
        origin: Origin::of(extensions),
    };
    match received.answer(body).await {
        Answered::Message(der) => message(StatusCode::OK, der),
        Answered::Unreadable(der) => message(StatusCode::BAD_REQUEST, der),
        Answered::Nothing => {
            let text = "the answer could not be protected; try again later\n";
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

fn message(status: StatusCode, der: Vec<u8>) -> Response {
    let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
    (status, headers, der).into_response()
}

fn is_cmp(headers: &HeaderMap) -> bool {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(MEDIA_TYPE))
}
