//! A POST to a place that an operator named: dialled through the guard, the server proven by its
//! certificate, redirects not followed, time and memory bounded.
//!
//! URLs of chat services are secrets, so errors name the host alone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::Url;

use super::dial::{DialError, Dialer};
use super::excerpt;
use super::http::{dialled, server_name};

const AGENT: &str = concat!("certwright/", env!("CARGO_PKG_VERSION"));
const MAX_HEADERS: usize = 64;
const MAX_HEAD_OCTETS: usize = 16 * 1024;
/// Of an answer nothing is looked at but its status; this much is read so that the connection ends
/// in good order.
const MAX_BODY: usize = 16 * 1024;

/// Posts to one place, a connection for each request.
#[derive(Clone)]
pub struct GuardedPost {
    dialer: Dialer,
    tls: TlsConnector,
    deadline: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub status: StatusCode,
    /// What `Retry-After` asks for, where it is a number of seconds.
    pub retry_after: Option<Duration>,
}

/// Why nothing came back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("{host}: the TLS handshake failed: {reason}")]
    Tls { host: String, reason: String },
    #[error("{host}: the answer is not proper HTTP: {reason}")]
    Malformed { host: String, reason: String },
    #[error("{host}: the connection was lost before there was an answer: {reason}")]
    Lost { host: String, reason: String },
    #[error("{host}: there was no answer within {seconds} s")]
    Timeout { host: String, seconds: u64 },
}

impl GuardedPost {
    /// A client that dials through `dialer` and believes what `tls` believes.
    pub fn new(dialer: Dialer, tls: ClientConfig, deadline: Duration) -> Self {
        Self {
            dialer,
            tls: TlsConnector::from(Arc::new(tls)),
            deadline,
        }
    }

    /// Posts `body` to `url`.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Posted, PostError> {
        let talk = self.talk(url, headers, body);
        match tokio::time::timeout(self.deadline, talk).await {
            Ok(result) => result,
            Err(_) => Err(PostError::Timeout {
                host: host_of(url),
                seconds: self.deadline.as_secs().max(1),
            }),
        }
    }

    async fn talk(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Posted, PostError> {
        let shown = host_of(url);
        let malformed = |reason: String| PostError::Malformed {
            host: shown.clone(),
            reason,
        };
        let host = url
            .host()
            .ok_or_else(|| malformed("the URL has no host".to_owned()))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let request = request(url, headers, body).map_err(|error| malformed(error.to_string()))?;
        let stream = self.dialer.connect(dialled(&host), port).await?;
        if url.scheme() != "https" {
            return exchange(&shown, stream, request).await;
        }
        let failed = |reason: String| PostError::Tls {
            host: shown.clone(),
            reason: excerpt(reason.as_bytes()),
        };
        let name = server_name(&host).map_err(|error| failed(error.to_string()))?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .map_err(|error| failed(error.to_string()))?;
        exchange(&shown, stream, request).await
    }
}

async fn exchange<S>(
    host: &str,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Posted, PostError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| broken(host, &error);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_OCTETS)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let posted = Posted {
            status: response.status(),
            retry_after: retry_after(response.headers()),
        };
        skim(response.into_body()).await;
        Ok(posted)
    };
    // The connection is driven beside the exchange and dies with it.
    tokio::pin!(talk);
    tokio::select! {
        biased;
        posted = &mut talk => posted,
        _ = connection => talk.await,
    }
}

/// The status has been said; what becomes of the body changes nothing.
async fn skim(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_BODY {
            return;
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn broken(host: &str, error: &hyper::Error) -> PostError {
    let host = host.to_owned();
    let reason = excerpt(error.to_string().as_bytes());
    match error.is_parse() {
        true => PostError::Malformed { host, reason },
        false => PostError::Lost { host, reason },
    }
}

fn request(
    url: &Url,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::post(path)
        .header(HOST, host_of(url))
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .header(CONTENT_LENGTH, HeaderValue::from(body.len()))
        .body(Full::new(body))?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// The host, with the port where it is not the scheme's own.
fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}
