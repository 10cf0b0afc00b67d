//! A web server that answers what it is told to, in plain and, on the same port, over TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use super::tls::{acceptor, self_signed};

/// What is sent.
pub(crate) enum Reply {
    /// These octets, then the end.
    Octets(Vec<u8>),
    /// These octets, then nothing more, but no end either.
    Hang(Vec<u8>),
    /// These octets, and then zeros without an end.
    Endless(Vec<u8>),
    /// One octet at a time.
    Drip,
}

pub(crate) fn ok(body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    Reply::Octets([head.as_bytes(), body].concat())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Octets(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n").into_bytes())
}

pub(crate) fn redirect(status: u16, to: &str) -> Reply {
    let text =
        format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    Reply::Octets(text.into_bytes())
}

/// Starts a server; the handler gets the head of the request.
pub(crate) async fn serve(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(handler);
    let tls = acceptor(&self_signed(&["secure.test"], &[]), &[]);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (handler, tls) = (handler.clone(), tls.clone());
            tokio::spawn(async move {
                let mut first = [0];
                stream.peek(&mut first).await.ok()?;
                if first == [0x16] {
                    answer(tls.accept(stream).await.ok()?, &*handler).await
                } else {
                    answer(stream, &*handler).await
                }
            });
        }
    });
    address
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    handler: &(dyn Fn(&str) -> Reply + Send + Sync),
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    match handler(&String::from_utf8_lossy(&head)) {
        Reply::Octets(octets) => stream.write_all(&octets).await.ok()?,
        Reply::Hang(octets) => {
            stream.write_all(&octets).await.ok()?;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Reply::Endless(octets) => {
            stream.write_all(&octets).await.ok()?;
            loop {
                stream.write_all(&[0; 4096]).await.ok()?;
            }
        }
        Reply::Drip => loop {
            stream.write_all(b"H").await.ok()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        },
    }
    stream.shutdown().await.ok()
}
