//! The accept loop: TCP, TLS and HTTP with a limit on everything a client can hold open.
//!
//! hyper, rustls and tokio do the work; this module owns what a framework's `serve` would hide:
//! certificates that change while connections live, a limit for each phase of a connection, and a
//! drain that ends.

mod accept;
mod activity;
mod body;
mod client_certificate;
mod connection;
mod descriptors;
mod forwarded;
mod rate;
pub mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::HeaderName;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

pub use descriptors::raise_descriptor_limit;
pub use rate::{RateLimit, RateLimitLayer};
pub use tls::ReloadableTls;

/// Connections that the kernel may hold before we accept them.
const BACKLOG: u32 = 4096;

/// A bound listener that does not serve yet: its port is known before anything answers on it.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A listener could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; is the port taken, or may this user not bind it?")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// What a listener serves, and how.
pub struct Serving {
    /// Answers the requests.
    pub router: Router,
    /// TLS, or plain HTTP.
    pub tls: Option<ReloadableTls>,
    /// What a connection may take.
    pub limits: ConnectionLimits,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The header in which they pass a client's certificate on.
    pub certificate_header: Option<HeaderName>,
    /// Ends the accept loop and begins the drain.
    pub shutdown: CancellationToken,
}

/// What a connection may take.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Connections at the same time; more wait in the kernel's queue.
    pub max_connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's header. HTTP/1 counts from the end of the last answer, so this also is what
    /// an idle HTTP/1 connection may wait.
    pub header: Duration,
    /// For a request's body, from its header to its last octet.
    pub body: Duration,
    /// For a connection on which no octet moves and no handler works.
    pub idle: Duration,
    /// Octets of a request's header.
    pub max_header: usize,
    /// Requests at the same time on one HTTP/2 connection.
    pub max_streams: u32,
    /// For requests in flight at shutdown.
    pub grace: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(30),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            max_header: 16 * 1024,
            max_streams: 100,
            grace: Duration::from_secs(20),
        }
    }
}

impl From<&crate::config::Config> for ConnectionLimits {
    fn from(config: &crate::config::Config) -> Self {
        Self {
            max_connections: config.limits.max_connections,
            handshake: config.limits.handshake_timeout,
            header: config.limits.header_timeout,
            body: config.limits.body_timeout,
            idle: config.limits.idle_timeout,
            grace: config.server.shutdown_grace,
            ..Self::default()
        }
    }
}

/// The other end of a connection, in the extensions of each request beside axum's
/// [`ConnectInfo`](axum::extract::ConnectInfo), which holds the client behind trusted proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The socket's other end.
    pub address: SocketAddr,
    /// Whether that is a proxy whose headers are believed.
    pub is_trusted_proxy: bool,
}

impl Listener {
    /// Binds `address`; must run inside a tokio runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bind = || {
            let socket = match address.ip() {
                IpAddr::V4(_) => TcpSocket::new_v4()?,
                IpAddr::V6(_) => TcpSocket::new_v6()?,
            };
            // A restart must not wait for the last run's connections to time out.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind().map_err(|source| BindError { address, source })
    }

    /// The address that was bound, with the real port where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until [`Serving::shutdown`], then drains: finishes what is in flight, at most for
    /// [`ConnectionLimits::grace`].
    pub async fn serve(self, serving: Serving) {
        accept::run(self.socket, serving).await;
    }
}
