//! What all answers have in common.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use protocols::rest::problem::Problem;

use super::failure;
use crate::origin::Origin;

/// Problems get the request's id; nothing is kept by caches or guessed at by browsers.
pub(crate) async fn complete(request: Request, next: Next) -> Response {
    let origin = Origin::of(request.extensions());
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = origin.request_id;
        let headers = std::mem::take(response.headers_mut());
        response = failure::respond(&problem);
        response.headers_mut().extend(headers);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
