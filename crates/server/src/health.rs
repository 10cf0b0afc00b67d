//! Liveness, readiness and metrics, for whatever watches the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Metrics;
use crate::observability::metrics::Page;

/// Whether this process should get requests.
#[derive(Clone)]
pub struct Health {
    lifecycle: Arc<Lifecycle>,
    is_ending: Arc<AtomicBool>,
}

impl Health {
    /// Of a process that has just started.
    pub fn new(lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            lifecycle,
            is_ending: Arc::default(),
        }
    }

    /// From now on readiness says no, so that a load balancer looks elsewhere.
    pub fn begin_shutdown(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }
}

/// `/healthz`, `/readyz` and, unless switched off, `/metrics`.
pub fn router(health: Health, metrics: &Metrics, page: Page) -> Router {
    let lifecycle = Arc::clone(&health.lifecycle);
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(health);
    if !metrics.enabled {
        return router;
    }
    let state = Arc::new(Figures {
        page,
        token: metrics.token.clone(),
        lifecycle,
    });
    router.merge(
        Router::new()
            .route("/metrics", get(show_metrics))
            .with_state(state),
    )
}

async fn ready(State(health): State<Health>) -> Response {
    let not_ready = |text: &'static str| {
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], text).into_response()
    };
    if health.is_ending.load(Ordering::Relaxed) {
        return not_ready("shutting down\n");
    }
    match health.lifecycle.check_store().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            not_ready("the database does not answer; the log says why\n")
        }
    }
}

/// What `/metrics` needs.
struct Figures {
    page: Page,
    token: Option<SecretString>,
    lifecycle: Arc<Lifecycle>,
}

async fn show_metrics(State(figures): State<Arc<Figures>>, headers: HeaderMap) -> Response {
    if figures
        .token
        .as_ref()
        .is_some_and(|token| !presents(&headers, token))
    {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        let text = "send the token of metrics.token as bearer token\n";
        return (StatusCode::UNAUTHORIZED, challenge, text).into_response();
    }
    // A database that does not answer is no reason to hide the other figures; this one stays as it was.
    let looked = tokio::time::timeout(STORE_PATIENCE, figures.lifecycle.show_crl_ends()).await;
    if let Ok(Err(error)) = looked {
        tracing::warn!(error = %error, "how long the CRLs last is not known");
    }
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, figures.page.render()).into_response()
}

fn presents(headers: &HeaderMap, token: &SecretString) -> bool {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|sent| {
            constant_time::verify_slices_are_equal(
                sent.as_bytes(),
                token.expose_secret().as_bytes(),
            )
            .is_ok()
        })
}

/// Prometheus gives up after ten seconds, unless told otherwise.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
