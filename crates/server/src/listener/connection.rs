//! One connection: handshake, protocol, requests, end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::response::Response;
use frontends::origin::{ClientCertificate, TlsExporter};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tower::Service;

use super::activity::{Activity, Watched};
use super::body::TimedBody;
use super::{ConnectionLimits, Peer, Serving};
use super::{client_certificate, forwarded};

/// An idle connection is noticed within the limit and a quarter of it.
const TICKS_PER_IDLE_LIMIT: u32 = 4;

/// HTTP/2 streams that a client opened and reset before we looked at them (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// HTTP/2 streams that we had to reset for a client's errors.
const MAX_ERROR_RESETS: usize = 128;

/// What all connections of a listener share.
pub(super) struct Connections {
    serving: Serving,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

/// What a TLS handshake left to be looked at with each request.
#[derive(Default)]
struct Shown {
    certificate: Option<ClientCertificate>,
    exporter: Option<TlsExporter>,
}

#[derive(Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

impl Connections {
    pub(super) fn new(mut serving: Serving) -> Self {
        // Resolves the routes once instead of once per clone.
        serving.router = serving.router.with_state(());
        Self {
            http1: http1(&serving.limits),
            http2: http2(&serving.limits),
            serving,
        }
    }

    /// Serves one connection to its end. Whatever ends it early is the client's affair.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        metrics::gauge!("certwright_connections_open").increment(1);
        let open = OpenConnection;
        if let Err(error) = self.connection(stream, peer).await {
            tracing::debug!(%peer, %error, "connection ended early");
        }
        drop(open);
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let limits = &self.serving.limits;
        match &self.serving.tls {
            Some(tls) => {
                let accept = tls.acceptor().accept(stream);
                let Some(stream) = self.opening(limits.handshake, accept).await? else {
                    return Ok(());
                };
                let protocol = match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Protocol::Http2,
                    _ => Protocol::Http1,
                };
                let shown = stream.get_ref().1.peer_certificates();
                let shown = shown.and_then(|chain| chain.first());
                let certificate = shown.map(|leaf| ClientCertificate {
                    der: Arc::from(leaf.as_ref()),
                });
                let exporter = exporter(stream.get_ref().1);
                let shown = Shown {
                    certificate,
                    exporter,
                };
                self.requests(stream, protocol, peer, shown).await;
            }
            None => {
                let guess = preface(&stream);
                let Some(protocol) = self.opening(limits.header, guess).await? else {
                    return Ok(());
                };
                self.requests(stream, protocol, peer, Shown::default())
                    .await;
            }
        }
        Ok(())
    }

    /// A step before the first request: limited in time, and given up at shutdown.
    async fn opening<T>(
        &self,
        limit: Duration,
        step: impl Future<Output = io::Result<T>>,
    ) -> io::Result<Option<T>> {
        let limited = timeout(limit, step);
        match self.serving.shutdown.run_until_cancelled(limited).await {
            None => Ok(None),
            Some(Ok(done)) => done.map(Some),
            Some(Err(_)) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn requests<S>(&self, stream: S, protocol: Protocol, peer: SocketAddr, shown: Shown)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let answers = Arc::clone(&activity);
        let service = service_fn(move |request| self.answer(request, peer, &shown, &answers));
        match protocol {
            Protocol::Http1 => {
                let connection = self.http1.serve_connection(io, service);
                self.supervise(connection, &activity).await;
            }
            Protocol::Http2 => {
                let connection = self.http2.serve_connection(io, service);
                self.supervise(connection, &activity).await;
            }
        }
    }

    /// Hands a request to the router. The future owns all it needs: HTTP/2 runs it as a task.
    fn answer(
        &self,
        mut request: Request<Incoming>,
        address: SocketAddr,
        shown: &Shown,
        activity: &Arc<Activity>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        let working = activity.work();
        let trusted = &self.serving.trusted_proxies;
        let is_trusted_proxy = forwarded::is_trusted(address.ip(), trusted);
        let client = match is_trusted_proxy {
            true => forwarded::client(request.headers(), address, trusted),
            false => address,
        };
        let header = self.serving.certificate_header.as_ref();
        let certificate = client_certificate::of_request(
            request.headers(),
            header,
            is_trusted_proxy,
            shown.certificate.as_ref(),
        );
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        if let Some(exporter) = shown.exporter.filter(|_| !is_trusted_proxy) {
            request.extensions_mut().insert(exporter);
        }
        request.extensions_mut().insert(ConnectInfo(client));
        request.extensions_mut().insert(Peer {
            address,
            is_trusted_proxy,
        });
        let limit = self.serving.limits.body;
        let request = request.map(|body| TimedBody::new(body, limit));
        let answer = self.serving.router.clone().call(request);
        async move {
            let response = answer.await;
            drop(working);
            response
        }
    }

    /// Drives a connection to its end, begins its drain at shutdown, and leaves it when it is idle.
    async fn supervise<C: GracefulConnection>(&self, connection: C, activity: &Activity) {
        let mut connection = pin!(connection);
        // A token of its own: connections do not contend for one lock each time they are polled.
        let shutdown = self.serving.shutdown.child_token();
        let tick = self.serving.limits.idle / TICKS_PER_IDLE_LIMIT;
        let mut timer = pin!(tokio::time::sleep(tick));
        let mut quiet = 0;
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                _ended = connection.as_mut() => return,
                () = shutdown.cancelled(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = timer.as_mut() => {
                    quiet = if activity.happened() { 0 } else { quiet + 1 };
                    if quiet >= TICKS_PER_IDLE_LIMIT {
                        return;
                    }
                    timer.as_mut().reset(Instant::now() + tick);
                }
            }
        }
    }
}

/// The exporter for channel bindings, RFC 9266 section 2. TLS 1.2 has one that says who is there only with an
/// extended master secret (section 4.2), and the library does not tell whether it was agreed on.
fn exporter(tls: &rustls::ServerConnection) -> Option<TlsExporter> {
    if tls.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
        return None;
    }
    let made = tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]));
    made.ok().map(TlsExporter)
}

/// Counts a connection until it is dropped, however it ends.
struct OpenConnection;

impl Drop for OpenConnection {
    fn drop(&mut self) {
        metrics::gauge!("certwright_connections_open").decrement(1);
    }
}

fn http1(limits: &ConnectionLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // Without a timer hyper's header limit does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(limits.max_header)
        .max_buf_size(limits.max_header.max(64 * 1024));
    builder
}

fn http2(limits: &ConnectionLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_header).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS);
    builder
}

/// The protocol of a connection without TLS, told by its first octets: no HTTP/1 method begins like
/// the preface of HTTP/2 (RFC 9113 section 3.4).
async fn preface(stream: &TcpStream) -> io::Result<Protocol> {
    let mut octets = [0; 4];
    let read = stream.peek(&mut octets).await?;
    Ok(match octets.get(..read) {
        Some(b"PRI ") => Protocol::Http2,
        _ => Protocol::Http1,
    })
}
