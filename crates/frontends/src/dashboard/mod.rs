//! The dashboard's place. Until it is built into the binary, a page that says where things are;
//! and the setup link's page, which hands out the first administrator's token.

mod approve;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::event::ActorKind;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;

use crate::origin::Origin;

/// `/`, `/setup/<secret>` and `/approve/<secret>`.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/setup/{secret}", get(ask).post(redeem))
        .route(
            "/approve/{secret}",
            get(approve::look).post(approve::answer),
        )
        .route("/style.css", get(style))
        .with_state(lifecycle)
}

async fn home(State(lifecycle): State<Arc<Lifecycle>>) -> Response {
    let public_url = escape(&lifecycle.settings().public_url);
    let directories = lifecycle.list_directories().await.unwrap_or_default();
    let list: String = directories
        .iter()
        .map(|directory| {
            let url = format!("{public_url}/acme/{}/directory", escape(&directory.name));
            format!("<li><a href=\"{url}\"><code>{url}</code></a></li>")
        })
        .collect();
    page(
        StatusCode::OK,
        "Certwright is running",
        &format!(
            "<p>Point any ACME client at a directory:</p><ul>{list}</ul>\
             <p>Trust the root certificate: <a href=\"/root.pem\"><code>{public_url}/root.pem</code></a></p>\
             <p>Work with it from a shell: <code>certwright --help</code></p>\
             <p class=\"note\">The dashboard is not built into this binary. \
             In a source checkout that has <code>ui/</code>, <code>make run</code> builds it in.</p>"
        ),
    )
}

/// A link that is only looked at (by a mail scanner, say) is not used up: that takes the button.
async fn ask(State(lifecycle): State<Arc<Lifecycle>>, Path(secret): Path<String>) -> Response {
    match lifecycle.is_setup_link(&secret).await {
        Ok(true) => page(
            StatusCode::OK,
            "Set up the first administrator",
            "<p>This link works once. It gives an API token with the role <b>administrator</b>, \
             which is shown on the next page and nowhere else.</p>\
             <form method=\"post\"><button>Create the token</button></form>",
        ),
        Ok(false) => spent(),
        Err(error) => unavailable(&error),
    }
}

async fn redeem(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(secret): Path<String>,
    request: axum::extract::Request,
) -> Response {
    if is_cross_site(request.headers()) {
        return page(
            StatusCode::FORBIDDEN,
            "Not from here",
            "<p>Open the setup link itself; another site sent you here.</p>",
        );
    }
    let caller = Origin::of(request.extensions()).caller(ActorKind::Anonymous, "setup link");
    match lifecycle.redeem_setup_link(&secret, &caller).await {
        Ok(Some(created)) => page(
            StatusCode::OK,
            "Your administrator token",
            &format!(
                "<p>Copy it now; it is not shown again.</p><pre>{}</pre>\
                 <p>Use it: <code>certwright login --url {} --ca root.pem</code></p>",
                escape(created.secret.expose()),
                escape(&lifecycle.settings().public_url)
            ),
        ),
        Ok(None) => spent(),
        Err(error) => unavailable(&error),
    }
}

/// Browsers say where a form was sent from (Fetch Metadata); the secret in the path is the
/// actual guard.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

fn spent() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "This link is used up",
        "<p>The setup link works once. For another token run, beside the data directory:</p>\
         <pre>certwright token create --data DIR --role administrator --name NAME</pre>",
    )
}

fn unavailable(error: &dyn std::error::Error) -> Response {
    tracing::error!(error = %error, "setup link not answered");
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available",
        "<p>The store does not answer. The server's log says why.</p>",
    )
}

async fn style() -> Response {
    let headers = [
        (http::header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("style.css")).into_response()
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} - Certwright</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let headers = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
