//! One exchange over a connection that is there already: the handshake of TLS, a request, its answer.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::excerpt;

const MAX_HEADERS: usize = 64;
const MAX_HEAD_OCTETS: usize = 16 * 1024;

/// TLS over a connection; or else why not, in words that are fit to be shown.
pub(crate) async fn secured<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &TlsConnector,
    name: ServerName<'static>,
    stream: S,
) -> Result<TlsStream<S>, String> {
    let secured = tls.connect(name, stream).await;
    secured.map_err(|error| excerpt(error.to_string().as_bytes()))
}

/// Begins to speak HTTP/1.1. Nothing moves unless the connection is driven.
pub(super) async fn begun<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> hyper::Result<(
    SendRequest<Full<Bytes>>,
    Connection<TokioIo<S>, Full<Bytes>>,
)> {
    http1::Builder::new()
        .max_buf_size(MAX_HEAD_OCTETS)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
}

/// Drives a connection beside what is said over it; it dies with that.
pub(super) async fn beside<T>(
    connection: impl Future<Output = hyper::Result<()>>,
    talk: impl Future<Output = T>,
) -> T {
    tokio::pin!(talk);
    tokio::select! {
        biased;
        said = &mut talk => said,
        _ = connection => talk.await,
    }
}
