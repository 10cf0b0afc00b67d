//! A limit of requests per second and client address, before any work is done for them.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use frontends::throttled::Throttled;
use futures::future::Either;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{Request, StatusCode, header};
use tower::{Layer, Service};

/// After this many checks addresses that have not been seen lately are forgotten.
const CHECKS_PER_SWEEP: u32 = 16_384;

/// The counters, shared by all connections.
pub struct RateLimit {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl RateLimit {
    /// So many requests per second and address.
    pub fn per_second(requests: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(requests)),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts a request; `Err` holds the seconds after which another will be let in.
    fn check(&self, address: IpAddr) -> Result<(), u64> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&subscriber(address))
            .map_err(|early| {
                let wait = early.wait_time_from(self.clock.now());
                wait.as_secs() + 1
            })
    }
}

/// One customer of a provider: a whole /64 in IPv6 (RFC 6177 section 2).
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

/// Answers 429 with `Retry-After` beyond the limit; without a limit it lets everything through.
#[derive(Clone, Default)]
pub struct RateLimitLayer(Option<Arc<RateLimit>>);

impl RateLimitLayer {
    /// A layer with this limit, if there is one.
    pub fn new(requests_per_second: Option<NonZeroU32>) -> Self {
        Self(requests_per_second.map(|limit| Arc::new(RateLimit::per_second(limit))))
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        RateLimited {
            inner,
            limit: self.0.clone(),
        }
    }
}

/// The service that [`RateLimitLayer`] makes.
#[derive(Clone)]
pub struct RateLimited<S> {
    inner: S,
    limit: Option<Arc<RateLimit>>,
}

impl<S, B> Service<Request<B>> for RateLimited<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let refused = match (&self.limit, client) {
            (Some(limit), Some(ConnectInfo(client))) => limit.check(client.ip()).err(),
            _ => None,
        };
        match refused {
            Some(seconds) if Throttled::is_rendered_behind(request.uri().path()) => {
                let retry_after = Duration::from_secs(seconds);
                request.extensions_mut().insert(Throttled { retry_after });
                Either::Left(self.inner.call(request))
            }
            Some(seconds) => Either::Right(ready(Ok(too_many(seconds)))),
            None => Either::Left(self.inner.call(request)),
        }
    }
}

fn too_many(seconds: u64) -> Response {
    let problem = serde_json::json!({
        "type": "urn:certwright:problem:rate-limited",
        "title": "Too many requests",
        "status": 429,
        "detail": Throttled::DETAIL,
    });
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json".to_owned()),
        (header::RETRY_AFTER, seconds.to_string()),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, problem.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(requests: u32) -> RateLimit {
        RateLimit::per_second(NonZeroU32::new(requests).unwrap())
    }

    #[test]
    fn one_address_is_limited_and_another_is_not() {
        let limit = limit(1);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!(limit.check(one), Ok(()));
        assert_eq!(limit.check(one), Err(1));
        assert_eq!(limit.check(other), Ok(()));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let limit = limit(1);
        assert_eq!(limit.check("2001:db8::1".parse().unwrap()), Ok(()));
        assert_eq!(limit.check("2001:db8::2".parse().unwrap()), Err(1));
        assert_eq!(limit.check("2001:db8:0:1::1".parse().unwrap()), Ok(()));
    }
}
