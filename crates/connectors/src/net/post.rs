//! A POST to a place that an operator named, of whose answer the status alone matters.
//!
//! URLs of chat services are secrets, so errors name the host alone.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use hyper::Request;
use hyper::header::RETRY_AFTER;
use rustls::ClientConfig;
use url::Url;

use super::dial::Dialer;
use super::service::{Reading, ServiceError, ServiceHttp};

const MAX_BODY: usize = 16 * 1024;

/// Posts to one place, a connection for each request.
#[derive(Clone)]
pub struct GuardedPost(ServiceHttp);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub status: StatusCode,
    /// What `Retry-After` asks for, where it is a number of seconds.
    pub retry_after: Option<Duration>,
}

impl GuardedPost {
    /// A client that dials through `dialer` and believes what `tls` believes.
    pub fn new(dialer: Dialer, tls: ClientConfig, deadline: Duration) -> Self {
        let client = ServiceHttp::new(dialer, tls, true);
        Self(client.bounded(deadline, Reading::Skim(MAX_BODY)))
    }

    /// Posts `body` to `url`.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Posted, ServiceError> {
        let request = Request::post(url.as_str()).body(body.to_vec());
        let mut request = request.map_err(|error| ServiceError::Malformed {
            host: url.host_str().unwrap_or_default().to_owned(),
            reason: error.to_string(),
        })?;
        request.headers_mut().extend(headers);
        let answer = self.0.send(request).await?;
        Ok(Posted {
            status: answer.status(),
            retry_after: retry_after(answer.headers()),
        })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
