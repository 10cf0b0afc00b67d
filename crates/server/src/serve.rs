//! Runs the server: binds, serves, drains.

use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listener::{Listener, Serving};
use crate::observability;

/// Serves until the process is asked to end.
pub async fn run(config: Config) -> anyhow::Result<()> {
    observability::init_log(&config.log)?;
    observability::log_panics();
    let page = observability::metrics::install();
    let listener = Listener::bind(config.server.listen)?;
    let shutdown = CancellationToken::new();
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/metrics", get(move || async move { page.render() }));
    let serving = Serving {
        router: observability::instrumented(router, &config.limits),
        tls: None,
        limits: (&config).into(),
        trusted_proxies: config.server.trusted_proxies.clone().into(),
        shutdown: shutdown.clone(),
    };
    let server = tokio::spawn(listener.serve(serving));
    tokio::signal::ctrl_c().await?;
    shutdown.cancel();
    Ok(server.await?)
}
