//! Requests to a service that an operator named: dialled through the guard, the server proven by its
//! certificate, redirects not followed, time and memory bounded, the answer read to its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::Url;

use super::dial::{DialError, Dialer};
use super::excerpt;
use super::exchange::{begun, beside, secured};
use super::http::{dialled, server_name};

const AGENT: &str = concat!("certwright/", env!("CARGO_PKG_VERSION"));

/// Talks to one service, a connection for each request.
#[derive(Clone)]
pub struct ServiceHttp {
    dialer: Dialer,
    tls: TlsConnector,
    deadline: Duration,
    reading: Reading,
    /// Whether plain http is spoken as well: for services on this machine's loopback.
    allows_plain: bool,
}

/// How much of an answer's body matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of it, of so many octets at most: a longer one is no answer.
    Whole(usize),
    /// Nothing but the status: so many octets are read, so that the connection ends in good order.
    Skim(usize),
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("{0}: only https is spoken to this service")]
    Plain(String),
    #[error("{host}: the TLS handshake failed: {reason}")]
    Tls { host: String, reason: String },
    #[error("{host}: the answer is not proper HTTP: {reason}")]
    Malformed { host: String, reason: String },
    #[error("{host}: the connection was lost before the answer was complete: {reason}")]
    Lost { host: String, reason: String },
    #[error("{host}: there was no complete answer within {seconds} s")]
    Timeout { host: String, seconds: u64 },
}

impl ServiceHttp {
    /// A client that dials through `dialer` and believes what `tls` believes.
    pub fn new(dialer: Dialer, tls: ClientConfig, allows_plain: bool) -> Self {
        Self {
            dialer,
            tls: TlsConnector::from(Arc::new(tls)),
            deadline: Duration::from_secs(10),
            reading: Reading::Whole(1024 * 1024),
            allows_plain,
        }
    }

    /// The same within another time and with another eye on bodies.
    pub(crate) fn bounded(self, deadline: Duration, reading: Reading) -> Self {
        Self {
            deadline,
            reading,
            ..self
        }
    }

    /// Sends a request, and reads its answer to the end.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ServiceError> {
        let host = host_of(request.uri());
        match tokio::time::timeout(self.deadline, self.talk(&host, request)).await {
            Ok(result) => result,
            Err(_) => Err(ServiceError::Timeout {
                host,
                seconds: self.deadline.as_secs().max(1),
            }),
        }
    }

    async fn talk(
        &self,
        shown: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ServiceError> {
        let malformed = |reason: &str| ServiceError::Malformed {
            host: shown.to_owned(),
            reason: reason.to_owned(),
        };
        let url: Url = request
            .uri()
            .to_string()
            .parse()
            .map_err(|_| malformed("the URL cannot be read"))?;
        let is_plain = match url.scheme() {
            "https" => false,
            "http" if self.allows_plain => true,
            _ => return Err(ServiceError::Plain(shown.to_owned())),
        };
        let host = url.host().ok_or_else(|| malformed("the URL has no host"))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let request = relative(&url, shown, request).ok_or_else(|| malformed("no such request"))?;
        let stream = self.dialer.connect(dialled(&host), port).await?;
        if is_plain {
            return self.exchange(shown, stream, request).await;
        }
        let failed = |reason: String| ServiceError::Tls {
            host: shown.to_owned(),
            reason,
        };
        let name = server_name(&host).map_err(|error| failed(error.to_string()))?;
        let stream = secured(&self.tls, name, stream).await.map_err(failed)?;
        self.exchange(shown, stream, request).await
    }

    async fn exchange<S>(
        &self,
        host: &str,
        stream: S,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Vec<u8>>, ServiceError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let broken = |error: hyper::Error| broken(host, &error);
        let (mut sender, connection) = begun(stream).await.map_err(broken)?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let (parts, body) = response.into_parts();
            let body = match self.reading {
                Reading::Whole(most) => whole(host, body, most).await?,
                Reading::Skim(most) => {
                    skim(body, most).await;
                    Vec::new()
                }
            };
            Ok(Response::from_parts(parts, body))
        };
        beside(connection, talk).await
    }
}

/// The host, with the port where one is named; never what may stand before it.
fn host_of(uri: &Uri) -> String {
    let named = match (uri.host(), uri.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    excerpt(named.as_bytes())
}

async fn whole(host: &str, body: Incoming, most: usize) -> Result<Vec<u8>, ServiceError> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) => Err(ServiceError::Lost {
            host: host.to_owned(),
            reason: excerpt(error.to_string().as_bytes()),
        }),
    }
}

/// The status has been said; what becomes of the body changes nothing.
async fn skim(mut body: Incoming, most: usize) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > most {
            return;
        }
    }
}

/// The request as HTTP/1.1 sends it to the server itself.
fn relative(url: &Url, host: &str, request: Request<Vec<u8>>) -> Option<Request<Full<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    parts.uri = path.parse().ok()?;
    let headers = &mut parts.headers;
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if !body.is_empty() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    Some(Request::from_parts(parts, Full::new(Bytes::from(body))))
}

fn broken(host: &str, error: &hyper::Error) -> ServiceError {
    let host = host.to_owned();
    let reason = excerpt(error.to_string().as_bytes());
    match error.is_parse() {
        true => ServiceError::Malformed { host, reason },
        false => ServiceError::Lost { host, reason },
    }
}
