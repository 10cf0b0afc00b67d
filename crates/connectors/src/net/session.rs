//! Several requests over one connection, for servers that authenticate connections and not requests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use url::Url;

use super::dial::Dialer;
use super::excerpt;
use super::exchange::{begun, secured};
use super::http::{dialled, server_name};
use super::service::ServiceError;

const AGENT: &str = concat!("certwright/", env!("CARGO_PKG_VERSION"));
const DEADLINE: Duration = Duration::from_secs(30);
const MAX_BODY: usize = 1024 * 1024;

/// A connection to one service. It ends with this value.
pub struct Session {
    host: String,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    server_certificate: Option<Vec<u8>>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Session {
    /// Connects; the server's certificate has to be one that `tls` believes.
    pub async fn open(
        dialer: &Dialer,
        tls: Arc<ClientConfig>,
        url: &Url,
    ) -> Result<Self, ServiceError> {
        let host = shown(url);
        match tokio::time::timeout(DEADLINE, Self::connect(dialer, tls, url, &host)).await {
            Ok(opened) => opened,
            Err(_) => Err(timeout(host)),
        }
    }

    async fn connect(
        dialer: &Dialer,
        tls: Arc<ClientConfig>,
        url: &Url,
        host: &str,
    ) -> Result<Self, ServiceError> {
        let malformed = |reason: &str| ServiceError::Malformed {
            host: host.to_owned(),
            reason: reason.to_owned(),
        };
        let named = url.host().ok_or_else(|| malformed("the URL has no host"))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = dialer.connect(dialled(&named), port).await?;
        let mut server_certificate = None;
        let stream: Box<dyn Stream> = match url.scheme() {
            "https" => {
                let failed = |reason: String| ServiceError::Tls {
                    host: host.to_owned(),
                    reason,
                };
                let name = server_name(&named).map_err(|error| failed(error.to_string()))?;
                let stream = secured(&TlsConnector::from(tls), name, stream).await;
                let stream = stream.map_err(failed)?;
                let certificates = stream.get_ref().1.peer_certificates();
                server_certificate = certificates
                    .and_then(|chain| chain.first())
                    .map(|leaf| leaf.to_vec());
                Box::new(stream)
            }
            _ => Box::new(stream),
        };
        let (sender, connection) = begun(stream).await.map_err(|error| lost(host, &error))?;
        let driver = tokio::spawn(async move {
            // What becomes of the connection is told by the request that needed it.
            let _ = connection.await;
        });
        Ok(Self {
            host: host.to_owned(),
            sender,
            driver,
            server_certificate,
        })
    }

    /// The certificate that the server proved itself with; `None` without TLS.
    pub fn server_certificate(&self) -> Option<&[u8]> {
        self.server_certificate.as_deref()
    }

    /// Sends a request whose URI is a path with its query, and reads its answer to the end.
    pub async fn send(
        &mut self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ServiceError> {
        let host = self.host.clone();
        match tokio::time::timeout(DEADLINE, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(timeout(host)),
        }
    }

    async fn exchange(
        &mut self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ServiceError> {
        let (mut parts, body) = request.into_parts();
        if let Ok(host) = HeaderValue::from_str(&self.host) {
            parts.headers.insert(HOST, host);
        }
        let headers = &mut parts.headers;
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if !body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let ready = self.sender.ready().await;
        ready.map_err(|error| lost(&self.host, &error))?;
        let sent = self.sender.send_request(request).await;
        let response = sent.map_err(|error| lost(&self.host, &error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body = body.map_err(|error| ServiceError::Lost {
            host: self.host.clone(),
            reason: excerpt(error.to_string().as_bytes()),
        })?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The host, with the port where it is not the scheme's own.
fn shown(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

fn timeout(host: String) -> ServiceError {
    ServiceError::Timeout {
        host,
        seconds: DEADLINE.as_secs(),
    }
}

fn lost(host: &str, error: &hyper::Error) -> ServiceError {
    let (host, reason) = (host.to_owned(), excerpt(error.to_string().as_bytes()));
    match error.is_parse() {
        true => ServiceError::Malformed { host, reason },
        false => ServiceError::Lost { host, reason },
    }
}
