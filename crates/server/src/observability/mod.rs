//! What an operator sees of the running program: log lines, request ids, metrics.

mod log;
pub mod metrics;
mod panic;
mod process;
mod request;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower::ServiceBuilder;

pub use log::{LogError, init_log};
pub use panic::log_panics;
pub use request::{RequestScope, RequestScopeLayer};

use crate::config::Limits;
use crate::listener::RateLimitLayer;

/// Puts around all routes what each of them needs: request id, span, metrics and an answer for a
/// handler that panics, the rate limit, and the limit of bodies (a route raises it with a
/// [`DefaultBodyLimit`] of its own). One stack, so that it costs one boxed service.
pub fn instrumented(router: Router, limits: &Limits) -> Router {
    router.layer(
        ServiceBuilder::new()
            .layer(RequestScopeLayer::new())
            .layer(RateLimitLayer::new(limits.requests_per_second_per_ip))
            .layer(DefaultBodyLimit::max(limits.max_body)),
    )
}
