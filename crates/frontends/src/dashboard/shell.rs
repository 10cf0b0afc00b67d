//! The dashboard's pages: one document for all of them, which then talks to the REST API.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use lifecycle::Lifecycle;

use super::{assets, welcome};

/// Where the dashboard has pages. What is not here is nobody's: a path that is misspelt stays a 404.
pub(super) const PAGES: [&str; 21] = [
    "/",
    "/sign-in",
    "/certificates",
    "/certificates/{id}",
    "/bulk",
    "/bulk/{id}",
    "/requests",
    "/requests/{id}",
    "/approvals",
    "/approvals/{id}",
    "/automation",
    "/automation/{id}",
    "/orders/{id}",
    "/issuers",
    "/issuers/{name}",
    "/migrations/{id}",
    "/policy",
    "/policy/{*rest}",
    "/administration",
    "/administration/{*rest}",
    "/profile",
];

/// Stands in the built document where the nonce goes.
const PLACEHOLDER: &str = "%CSP_NONCE%";

pub(super) async fn page(State(lifecycle): State<Arc<Lifecycle>>) -> Response {
    let Some(document) = assets::index() else {
        return welcome::page(&lifecycle).await;
    };
    let nonce = lifecycle.page_nonce();
    let policy = policy(&nonce);
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        ),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    let document = document.replace(PLACEHOLDER, &nonce);
    (StatusCode::OK, headers, Html(document)).into_response()
}

/// Nothing from elsewhere, nothing inline: style sheets that the program itself makes carry the nonce.
fn policy(nonce: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    // A nonce is of letters, digits, `-` and `_`.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
