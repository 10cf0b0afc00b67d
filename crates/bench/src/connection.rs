//! One kept-alive HTTP/1.1 connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::target::Target;

/// Nothing an ACME server or an OCSP responder answers is longer.
const MAX_BODY: usize = 1 << 20;
/// Connecting included; a server that is slower than that is not worth measuring.
const PATIENCE: Duration = Duration::from_secs(30);

/// The request did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    /// The connection broke, or what came over it is not HTTP.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The request's own parts are not valid in HTTP.
    #[error(transparent)]
    Request(#[from] http::Error),
    /// There is no answer.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Timeout,
    /// The body broke off or is longer than anything expected here.
    #[error("the body cannot be read: {0}")]
    Body(String),
}

/// A complete answer.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// A header's text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A connection that is opened at the first request and again after it broke.
pub struct Connection {
    target: Arc<Target>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Nothing is opened yet.
    pub fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            sender: None,
        }
    }

    /// The server at the other end.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Forgets the connection, whose state is unknown after an interrupted request.
    pub fn reset(&mut self) {
        self.sender = None;
    }

    /// One request and its answer; `path` begins with a slash.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Answer, TransportError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.target.host.as_str())
            .body(Full::new(body))?;
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
        }
        let answer = timeout(PATIENCE, self.exchange(request))
            .await
            .unwrap_or(Err(TransportError::Timeout));
        if answer.is_err() {
            self.reset();
        }
        answer
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, TransportError> {
        let response = self.ready().await?.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY)
            .collect()
            .await
            .map_err(|error| TransportError::Body(error.to_string()))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// The open connection, or a new one where the server has closed it between two requests.
    async fn ready(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, TransportError> {
        let usable = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let sender = match usable {
            Some(sender) => sender,
            None => open(&self.target).await?,
        };
        Ok(self.sender.insert(sender))
    }
}

async fn open(target: &Target) -> Result<SendRequest<Full<Bytes>>, TransportError> {
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    match &target.tls {
        Some((connector, name)) => speak_http(connector.connect(name.clone(), stream).await?).await,
        None => speak_http(stream).await,
    }
}

async fn speak_http<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its error also reaches whoever waits for an answer, so it is not lost here.
    tokio::spawn(connection);
    Ok(sender)
}
