//! What every answer carries: index link, nonce, CORS (RFC 8555 sections 6.1, 6.5, 7.1).

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, LINK,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use protocols::acme::problem::ProblemType;

use super::AcmeState;
use super::failure::Failure;
use super::urls::Urls;
use crate::throttled::Throttled;

pub(crate) const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// Adds to an answer what all answers have.
pub(crate) async fn complete(
    State(state): State<AcmeState>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let mut parts = request.uri().path().split('/').skip(1);
    let directory = parts.next().unwrap_or_default().to_owned();
    let resource = parts.next().unwrap_or_default().to_owned();
    if method == Method::OPTIONS {
        return preflight();
    }
    let mut response = match request.extensions().get::<Throttled>() {
        Some(early) => too_early(*early),
        None => next.run(request).await,
    };
    let is_fresh_anyway = resource == "renewal-info" || resource == "directory";
    let wants_nonce = method == Method::POST || resource == "new-nonce";
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Link, Location, Replay-Nonce, Retry-After"),
    );
    if !is_fresh_anyway {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if resource != "directory" {
        let urls = Urls::new(&state.lifecycle.settings().public_url, &directory);
        let link = format!("<{}>;rel=\"index\"", urls.directory());
        if let Ok(link) = HeaderValue::from_str(&link) {
            headers.append(LINK, link);
        }
    }
    if wants_nonce && let Some(nonce) = fresh_nonce(&state).await {
        response.headers_mut().insert(REPLAY_NONCE, nonce);
    }
    response
}

/// A store that is down gives no nonce; the client hears of it from the answer itself.
async fn fresh_nonce(state: &AcmeState) -> Option<HeaderValue> {
    let nonce = state.lifecycle.issue_nonce().await.ok()?;
    HeaderValue::from_str(&nonce).ok()
}

fn too_early(early: Throttled) -> Response {
    Failure::new(ProblemType::RateLimited, Throttled::DETAIL)
        .retry_after(early.retry_after)
        .into_response()
}

/// What a browser asks before it posts JOSE to us.
fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
