//! The scope of a request: its id, the span its log lines stand in, and its figures.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, Request};
use pki::random::{Random, SystemRandom};
use tower::{Layer, Service};
use tower_http::request_id::RequestId;
use tracing::{Instrument, Span};

use super::panic;
use crate::listener::Peer;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Crockford's alphabet in lower case: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Gives each request an id, a span and its metrics.
#[derive(Clone)]
pub struct RequestScopeLayer {
    ids: Arc<Ids>,
}

impl RequestScopeLayer {
    /// A layer whose ids begin at a random place.
    pub fn new() -> Self {
        let random: &dyn Random = &SystemRandom::new();
        let start = u64::from_le_bytes(random.octets());
        Self {
            ids: Arc::new(Ids(AtomicU64::new(start))),
        }
    }
}

impl Default for RequestScopeLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestScopeLayer {
    type Service = RequestScope<S>;

    fn layer(&self, inner: S) -> RequestScope<S> {
        RequestScope {
            inner,
            ids: Arc::clone(&self.ids),
        }
    }
}

/// The service that [`RequestScopeLayer`] makes.
#[derive(Clone)]
pub struct RequestScope<S> {
    inner: S,
    ids: Arc<Ids>,
}

impl<S> Service<Request<Body>> for RequestScope<S>
where
    S: Service<Request<Body>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let started = Instant::now();
        let id = inherited_id(&request).unwrap_or_else(|| self.ids.next());
        request.extensions_mut().insert(RequestId::new(id.clone()));
        let route = Route::of(&request);
        let span = span(&id, &route);
        let answer = panic::caught(self.inner.call(request));
        let scoped = async move {
            let mut answer = answer.await;
            if let Ok(response) = &mut answer {
                route.record(response.status().as_u16(), started.elapsed());
                response.headers_mut().insert(HEADER, id);
            }
            answer
        };
        Box::pin(scoped.instrument(span))
    }
}

/// The route, never the raw path: paths hold ids and one-time links, which belong neither into
/// labels nor into logs.
struct Route {
    pattern: Option<MatchedPath>,
    method: Method,
}

impl Route {
    fn of(request: &Request<Body>) -> Self {
        Self {
            pattern: request.extensions().get::<MatchedPath>().cloned(),
            method: request.method().clone(),
        }
    }

    fn pattern(&self) -> &str {
        self.pattern
            .as_ref()
            .map_or("unmatched", MatchedPath::as_str)
    }

    fn record(&self, status: u16, elapsed: Duration) {
        let route = metrics::SharedString::from(self.pattern().to_owned());
        let method = method_label(&self.method);
        metrics::counter!(
            "certwright_http_requests_total",
            "route" => route.clone(), "method" => method, "status" => status.to_string()
        )
        .increment(1);
        metrics::histogram!(
            "certwright_http_request_duration_seconds",
            "route" => route, "method" => method
        )
        .record(elapsed);
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        match status {
            500.. => tracing::warn!(status, milliseconds, "answered with a server error"),
            _ => tracing::debug!(status, milliseconds, "answered"),
        }
    }
}

fn span(id: &HeaderValue, route: &Route) -> Span {
    tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        method = method_label(&route.method),
        route = route.pattern()
    )
}

/// A fixed set of labels: a client must not make new time series by inventing methods.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The id that a trusted proxy gave, if it is fit for a log.
fn inherited_id(request: &Request<Body>) -> Option<HeaderValue> {
    let peer = request.extensions().get::<Peer>()?;
    let id = request.headers().get(HEADER)?;
    let sane = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet);
    let fits = (8..=64).contains(&id.len()) && id.as_bytes().iter().all(sane);
    (peer.is_trusted_proxy && fits).then(|| id.clone())
}

/// Ids that look random, never repeat in a process and cost no system call.
struct Ids(AtomicU64);

impl Ids {
    fn next(&self) -> HeaderValue {
        let text = spelled(mixed(self.0.fetch_add(1, Ordering::Relaxed)));
        // Unwrap safety: a header's value may hold any letter and digit.
        HeaderValue::from_bytes(&text).expect("letters and digits make a header value")
    }
}

/// SplitMix64's finalizer, a permutation of the 64-bit numbers.
fn mixed(count: u64) -> u64 {
    let mut mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// `req_` and thirteen digits of five bits.
fn spelled(mut number: u64) -> [u8; 17] {
    let mut text = *b"req_0000000000000";
    for digit in text.iter_mut().skip(4) {
        *digit = ALPHABET[(number & 31) as usize];
        number >>= 5;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn id_answered(trusted: bool, sent: Option<&str>) -> String {
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .layer(RequestScopeLayer::new());
        let mut request = Request::builder().uri("/");
        if let Some(sent) = sent {
            request = request.header(HEADER, sent);
        }
        let request = request.extension(Peer {
            address: "192.0.2.1:1".parse().unwrap(),
            is_trusted_proxy: trusted,
        });
        let response = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        response.headers()[HEADER].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn only_a_trusted_proxy_chooses_the_request_id() {
        assert_eq!(
            id_answered(true, Some("edge-12345678")).await,
            "edge-12345678"
        );
        for (trusted, sent) in [
            (false, Some("edge-12345678")),
            (true, Some("short")),
            (true, Some("has a space in it")),
            (true, None),
        ] {
            let id = id_answered(trusted, sent).await;
            assert!(id.starts_with("req_") && id.len() == 17, "{sent:?}: {id}");
        }
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids = Ids(AtomicU64::new(u64::MAX - 500));
        let distinct: HashSet<_> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(distinct.len(), 1000);
    }
}
