//! The http-01 responder (RFC 8555 section 8.3): answers every token that the driver has told it about.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PREFIX: &str = "/.well-known/acme-challenge/";
/// No validator has more to say than this; a longer head ends the connection.
const MAX_HEAD: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// The tokens that are being validated now, each with its key authorization.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl Tokens {
    /// From now on `token` is answered with `token.thumbprint` (RFC 8555 section 8.1).
    pub fn add(&self, token: &str, thumbprint: &str) {
        let authorization = format!("{token}.{thumbprint}");
        self.lock().insert(token.to_owned(), authorization);
    }

    /// The token has served.
    pub fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    fn get(&self, token: &str) -> Option<String> {
        self.lock().get(token).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds `address` and answers there until the program ends.
pub async fn start(address: SocketAddr, tokens: Tokens) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let tokens = tokens.clone();
                    tokio::spawn(tokio::time::timeout(PATIENCE, serve(stream, tokens)));
                }
                // Out of descriptors: wait for connections to end rather than spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    Ok(())
}

/// One request, one answer; closing first keeps the ports of finished connections on this side.
async fn serve(mut stream: TcpStream, tokens: Tokens) -> io::Result<()> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let authorization = requested_token(&head).and_then(|token| tokens.get(token));
    stream.write_all(response(authorization).as_bytes()).await?;
    stream.shutdown().await
}

fn requested_token(head: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    line.strip_prefix("GET ")?
        .split(' ')
        .next()?
        .strip_prefix(PREFIX)
}

fn response(authorization: Option<String>) -> String {
    let (status, body) = match authorization {
        Some(authorization) => ("200 OK", authorization),
        None => ("404 Not Found", String::new()),
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_below_the_well_known_path_names_a_token() {
        let token = |head: &str| requested_token(head.as_bytes()).map(str::to_owned);
        let get = "GET /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(token(get).as_deref(), Some("abc"));
        assert_eq!(token(&get.replace("GET", "POST")), None);
        assert_eq!(token("GET / HTTP/1.1\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_known_token_is_answered_and_forgotten_when_it_has_served() {
        let tokens = Tokens::default();
        tokens.add("abc", "thumb");
        assert_eq!(tokens.get("abc").as_deref(), Some("abc.thumb"));
        tokens.remove("abc");
        assert_eq!(tokens.get("abc"), None);
        assert!(response(None).starts_with("HTTP/1.1 404"));
    }
}
