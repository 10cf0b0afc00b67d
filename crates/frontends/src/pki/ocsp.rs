//! OCSP over HTTP (RFC 6960 appendix A, RFC 9919).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use lifecycle::revocation::ocsp::OcspAnswer;

use super::{Fault, find_issuer};

/// POST: the request is the body.
pub(super) async fn post(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if content_type != "application/ocsp-request" {
        let text = "send the request as Content-Type: application/ocsp-request\n";
        return Ok((StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response());
    }
    let connected = find_issuer(&lifecycle, &issuer).await?;
    let answer = lifecycle.answer_ocsp(&connected, &body).await;
    Ok(respond(&lifecycle, &answer))
}

/// GET: the request is base64 in the path, percent-encoded or not.
pub(super) async fn get(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path((issuer, _)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Fault> {
    let connected = find_issuer(&lifecycle, &issuer).await?;
    let prefix = format!("/pki/{issuer}/ocsp/");
    let encoded = uri.path().strip_prefix(&prefix).unwrap_or_default();
    let decoded = percent_decode(encoded);
    // What is no base64 is no request either: the responder says so in its own terms.
    let request = STANDARD.decode(decoded).unwrap_or_default();
    let answer = lifecycle.answer_ocsp(&connected, &request).await;
    Ok(respond(&lifecycle, &answer))
}

fn respond(lifecycle: &Lifecycle, answer: &OcspAnswer) -> Response {
    let cache = match answer.next_update {
        None => "no-store".to_owned(),
        Some(next_update) => {
            let age = next_update.since(lifecycle.now()).as_secs().min(MAX_AGE);
            format!("public, max-age={age}, no-transform, must-revalidate")
        }
    };
    let headers = [
        (CONTENT_TYPE, "application/ocsp-response".to_owned()),
        (CACHE_CONTROL, cache),
    ];
    (headers, Bytes::from(answer.der.as_ref().clone())).into_response()
}

fn percent_decode(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// Seconds; a revocation is to be seen soon.
const MAX_AGE: u64 = 300;
