//! A panic is one log line, and in a handler one 500: it never ends the process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, PanicHookInfo};

use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{StatusCode, header};

/// From now on panics go to the log.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string);
    tracing::error!(
        panic = one_line(text(info.payload())),
        location = location.as_deref().unwrap_or("unknown"),
        thread = std::thread::current().name().unwrap_or("unnamed"),
        "panicked; this is a bug in Certwright, please report this line"
    );
}

/// The answer of a handler, or the one for a panic. A handler's state after a panic is not looked at
/// again: its future is dropped, and locks are `parking_lot`'s, which know no poison.
pub(super) async fn caught<E>(
    handler: impl Future<Output = Result<Response, E>>,
) -> Result<Response, E> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(answer) => answer,
        Err(_logged_by_the_hook) => Ok(answer()),
    }
}

/// What a client sees of a panic: nothing but that it happened.
fn answer() -> Response {
    let problem = r#"{"type":"urn:ietf:params:acme:error:serverInternal","title":"Internal error","status":500,"detail":"The server failed to answer; its log tells more under the id in X-Request-Id."}"#;
    let headers = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::INTERNAL_SERVER_ERROR, headers, problem).into_response()
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" | ")
}
