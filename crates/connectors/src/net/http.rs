//! A GET on behalf of somebody else (http-01): every hop is dialled through the guard, nothing is
//! decompressed, and redirects, time and memory are bounded.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::{Host as UrlHost, Url};

use super::dial::{DialError, Dialer, Host};
use super::excerpt;
use super::exchange::{begun, beside, secured};
use super::tls::unchained_client;

const AGENT: &str = concat!("certwright/", env!("CARGO_PKG_VERSION"));

/// What bounds a fetch.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Of the fetch as a whole, redirects included.
    pub deadline: Duration,
    pub redirects: usize,
    /// Of the body; what comes after it is not read.
    pub body: usize,
    /// A port besides 80 and 443 that redirects may lead to.
    pub extra_port: Option<u16>,
    /// What the other side's log is told that the fetch is for.
    pub purpose: &'static str,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            redirects: 10,
            body: 64 * 1024,
            extra_port: None,
            purpose: "domain validation",
        }
    }
}

/// A client without connections to reuse, cookies, or trust.
#[derive(Clone)]
pub struct GuardedHttp {
    dialer: Dialer,
    tls: TlsConnector,
    limits: HttpLimits,
}

/// What came back at the end of the redirects.
#[derive(Debug)]
pub struct Fetched {
    pub url: Url,
    /// The address that answered.
    pub address: IpAddr,
    pub status: StatusCode,
    /// Not more than the limit.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

/// Why nothing came back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The host could not be dialled.
    #[error("fetching {url}: {source}")]
    Dial { url: Url, source: DialError },
    /// A redirect to where redirects may not lead.
    #[error("{from} redirects to `{to}`: {reason}")]
    Redirect {
        from: Url,
        to: String,
        reason: RedirectFault,
    },
    /// TLS failed at the target of a redirect.
    #[error("fetching {url}: the TLS handshake failed: {reason}")]
    Tls { url: Url, reason: String },
    /// What came back is not HTTP, or more of it than is read.
    #[error("fetching {url}: the answer is not proper HTTP: {reason}")]
    Malformed { url: Url, reason: String },
    /// The connection ended before the answer did.
    #[error("fetching {url}: the connection was lost before the answer was complete: {reason}")]
    Lost { url: Url, reason: String },
    /// All the time was used up.
    #[error("fetching {url}: there was no complete answer within {seconds} s")]
    Timeout { url: Url, seconds: u64 },
}

/// What is wrong with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectFault {
    #[error("this is no URL")]
    NoUrl,
    #[error("only http and https are followed")]
    Scheme,
    #[error("only ports 80 and 443 are followed")]
    Port,
    #[error("URLs with a user name or password are not followed")]
    UserInfo,
    #[error("the redirects go in a circle")]
    Loop,
    #[error("there are too many redirects")]
    TooMany,
    #[error("status 303 is not followed")]
    SeeOther,
}

enum Step {
    Done(Fetched),
    Redirect { to: Vec<u8>, status: StatusCode },
}

impl GuardedHttp {
    /// A client that dials through `dialer`.
    pub fn new(dialer: Dialer, limits: HttpLimits) -> Self {
        Self {
            dialer,
            tls: TlsConnector::from(Arc::new(unchained_client(&[b"http/1.1"]))),
            limits,
        }
    }

    /// Fetches `url` and follows redirects.
    pub async fn get(&self, url: Url) -> Result<Fetched, HttpError> {
        // Kept outside of the fetch, to know where it was when the time ran out.
        let mut at = url;
        let fetch = self.follow(&mut at);
        match tokio::time::timeout(self.limits.deadline, fetch).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::Timeout {
                url: at,
                seconds: self.limits.deadline.as_secs().max(1),
            }),
        }
    }

    async fn follow(&self, at: &mut Url) -> Result<Fetched, HttpError> {
        let mut visited = Vec::new();
        loop {
            let (to, status) = match self.fetch(at).await? {
                Step::Done(fetched) => return Ok(fetched),
                Step::Redirect { to, status } => (to, status),
            };
            visited.push(at.clone());
            let next = self.next(at, &to, status, &visited);
            *at = next.map_err(|reason| HttpError::Redirect {
                from: at.clone(),
                to: excerpt(&to),
                reason,
            })?;
        }
    }

    fn next(
        &self,
        at: &Url,
        to: &[u8],
        status: StatusCode,
        visited: &[Url],
    ) -> Result<Url, RedirectFault> {
        if status == StatusCode::SEE_OTHER {
            return Err(RedirectFault::SeeOther);
        }
        let text = std::str::from_utf8(to).map_err(|_| RedirectFault::NoUrl)?;
        let mut next = at.join(text).map_err(|_| RedirectFault::NoUrl)?;
        next.set_fragment(None);
        if !matches!(next.scheme(), "http" | "https") {
            return Err(RedirectFault::Scheme);
        }
        if !next.username().is_empty() || next.password().is_some() {
            return Err(RedirectFault::UserInfo);
        }
        let port = next.port_or_known_default();
        if !matches!(port, Some(80 | 443)) && port != self.limits.extra_port {
            return Err(RedirectFault::Port);
        }
        if visited.contains(&next) {
            return Err(RedirectFault::Loop);
        }
        if visited.len() > self.limits.redirects {
            return Err(RedirectFault::TooMany);
        }
        Ok(next)
    }

    async fn fetch(&self, url: &Url) -> Result<Step, HttpError> {
        let host = url.host().ok_or_else(|| HttpError::Malformed {
            url: url.clone(),
            reason: "the URL has no host".to_owned(),
        })?;
        let port = url.port_or_known_default().unwrap_or(80);
        let dialled = self.dialer.connect(dialled(&host), port).await;
        let stream = dialled.map_err(|source| HttpError::Dial {
            url: url.clone(),
            source,
        })?;
        let peer = stream.peer_addr().map_err(|error| HttpError::Lost {
            url: url.clone(),
            reason: error.kind().to_string(),
        })?;
        let address = peer.ip();
        if url.scheme() != "https" {
            return self.exchange(url, address, stream).await;
        }
        let failed = |reason: String| HttpError::Tls {
            url: url.clone(),
            reason,
        };
        let name = server_name(&host).map_err(|error| failed(error.to_string()))?;
        let stream = secured(&self.tls, name, stream).await.map_err(failed)?;
        self.exchange(url, address, stream).await
    }

    /// One request and its response on a connection of its own.
    async fn exchange<S>(&self, url: &Url, address: IpAddr, stream: S) -> Result<Step, HttpError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let broken = |error: hyper::Error| broken(url, &error);
        let (mut sender, connection) = begun(stream).await.map_err(broken)?;
        let request = request(url, self.limits.purpose).map_err(|error| HttpError::Malformed {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            self.read(url, address, response).await.map_err(broken)
        };
        beside(connection, talk).await
    }

    async fn read(
        &self,
        url: &Url,
        address: IpAddr,
        response: Response<Incoming>,
    ) -> Result<Step, hyper::Error> {
        let status = response.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
            && let Some(location) = response.headers().get(LOCATION)
        {
            return Ok(Step::Redirect {
                to: location.as_bytes().to_vec(),
                status,
            });
        }
        let mut incoming = response.into_body();
        let mut body = Vec::new();
        let mut truncated = false;
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let room = self.limits.body - body.len();
            body.extend(data.iter().take(room));
            if data.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Step::Done(Fetched {
            url: url.clone(),
            address,
            status,
            body,
            truncated,
        }))
    }
}

fn broken(url: &Url, error: &hyper::Error) -> HttpError {
    let url = url.clone();
    let reason = excerpt(error.to_string().as_bytes());
    if error.is_parse() {
        HttpError::Malformed { url, reason }
    } else {
        HttpError::Lost { url, reason }
    }
}

fn request(url: &Url, purpose: &str) -> Result<Request<Full<Bytes>>, http::Error> {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, format!("{AGENT} ({purpose})"))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Full::default())
}

pub(super) fn dialled<'a>(host: &UrlHost<&'a str>) -> Host<'a> {
    match *host {
        UrlHost::Domain(name) => Host::Name(name),
        UrlHost::Ipv4(address) => Host::Address(IpAddr::V4(address)),
        UrlHost::Ipv6(address) => Host::Address(IpAddr::V6(address)),
    }
}

pub(super) fn server_name(
    host: &UrlHost<&str>,
) -> Result<ServerName<'static>, rustls::pki_types::InvalidDnsNameError> {
    match *host {
        UrlHost::Domain(name) => ServerName::try_from(name.to_owned()),
        UrlHost::Ipv4(address) => Ok(ServerName::IpAddress(IpAddr::V4(address).into())),
        UrlHost::Ipv6(address) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
    }
}
