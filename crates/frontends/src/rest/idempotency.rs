//! `Idempotency-Key`: a creation that is asked for again by the same name is answered again, and not
//! done again (draft-ietf-httpapi-idempotency-key-header).
//!
//! One layer for every route that creates something. It stands behind the gate, since a name is its
//! caller's own.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::idempotency::IdempotencyKey;
use http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use lifecycle::Lifecycle;
use lifecycle::actor::Caller;
use lifecycle::idempotency::Begun;
use pki::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use zeroize::Zeroizing;

use super::Verbs;
use super::access::Operator;
use super::extract::octets;
use super::failure::Failure;

/// The header that names a request.
const HEADER: &str = "idempotency-key";
/// Says that an answer is an earlier one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Whether a route creates something.
pub(crate) fn is_creation(item: &PathItem) -> bool {
    item.post.as_ref().is_some_and(is_creation_of)
}

/// Whether an operation creates something: it says so by the statuses it answers with.
pub(crate) fn is_creation_of(operation: &Operation) -> bool {
    let answers = &operation.responses.responses;
    answers.contains_key("201") || answers.contains_key("202")
}

/// How the description tells of the header.
pub(crate) fn parameter() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A random UUID of your own for this request: sent again with the same key, it is \
             answered as before and not done again. Answers are kept for a day",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(SchemaType::Type(Type::String))
                .min_length(Some(1))
                .max_length(Some(255))
                .pattern(Some("^[!-~]+$")),
        ))
        .build()
}

/// The handler behind this layer.
pub(crate) fn once(lifecycle: Verbs, handler: MethodRouter<Verbs>) -> MethodRouter<Verbs> {
    handler.route_layer(from_fn_with_state(lifecycle, pass))
}

async fn pass(
    State(lifecycle): State<Verbs>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(text) = request.headers().get(HEADER) else {
        return Ok(next.run(request).await);
    };
    let key: IdempotencyKey = text.to_str().unwrap_or_default().parse().map_err(
        |error: domain::idempotency::ParseIdempotencyKeyError| Failure::invalid(error.to_string()),
    )?;
    let (mut parts, body) = request.into_parts();
    let caller = Operator::from_request_parts(&mut parts, &lifecycle)
        .await?
        .caller();
    let body = octets(Request::from_parts(parts.clone(), body), &lifecycle).await?;
    let fingerprint = fingerprint(parts.method.as_str(), &parts.uri.to_string(), &body);
    match lifecycle.begin_attempt(&caller, &key, fingerprint).await? {
        Begun::Answered(answer) => replay(&answer),
        Begun::First => {
            let request = Request::from_parts(parts, Body::from(body));
            let work = work(Arc::clone(&lifecycle), caller, key, request, next);
            // A caller who hangs up does not leave it half done.
            lifecycle
                .detach(work)
                .await
                .map_err(|error| Failure::internal(&error))
        }
    }
}

async fn work(
    lifecycle: Arc<Lifecycle>,
    caller: Caller,
    key: IdempotencyKey,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let (response, answer) = record(response).await;
    let kept = lifecycle
        .end_attempt(
            &caller,
            &key,
            answer.as_ref().map(|answer| answer.as_slice()),
        )
        .await;
    if let Err(error) = kept {
        tracing::error!(error = %error, "the answer to a named request was not kept");
    }
    response
}

/// What of an answer is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base64.
    body: String,
}

/// The headers that belong to an answer; the others are made anew each time.
const KEPT: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, RETRY_AFTER, ETAG];

/// Reads an answer that is to be kept. One that is no success is not: the request may be sent again.
async fn record(response: Response) -> (Response, Option<Zeroizing<Vec<u8>>>) {
    if !response.status().is_success() {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let body: Bytes = match to_bytes(body, MAX_ANSWER).await {
        Ok(body) => body,
        Err(error) => return (Failure::internal(&error).into_response(), None),
    };
    let headers = KEPT.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: STANDARD.encode(&body),
    };
    let octets = serde_json::to_vec(&answer).ok().map(Zeroizing::new);
    (Response::from_parts(parts, Body::from(body)), octets)
}

fn replay(octets: &[u8]) -> Result<Response, Failure> {
    let broken = || Failure::broken("a kept answer cannot be read");
    let answer: Answer = serde_json::from_slice(octets).map_err(|_| broken())?;
    let body = STANDARD.decode(&answer.body).map_err(|_| broken())?;
    let status = StatusCode::from_u16(answer.status).map_err(|_| broken())?;
    let mut response = (status, body).into_response();
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken())?;
        let value = HeaderValue::from_str(value).map_err(|_| broken())?;
        response.headers_mut().insert(name, value);
    }
    let yes = HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, yes);
    Ok(response)
}

fn fingerprint(method: &str, uri: &str, body: &[u8]) -> Fingerprint {
    let mut input = Vec::with_capacity(method.len() + uri.len() + body.len() + 2);
    for part in [method.as_bytes(), uri.as_bytes()] {
        input.extend_from_slice(part);
        input.push(0);
    }
    input.extend_from_slice(body);
    Fingerprint::of(&input)
}

/// Creations answer with what was created.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
