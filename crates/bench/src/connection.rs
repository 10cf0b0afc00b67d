//! One kept-alive HTTP/1.1 connection (RFC 9112), written by hand: a general client spends more on a request than
//! everything else in this driver together, on processors that it shares with the server it measures.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::message::{self, Answer, MAX_ANSWER};
use crate::target::Target;

/// Connecting included; a server that is slower than that is not worth measuring.
const PATIENCE: Duration = Duration::from_secs(30);

/// The request did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is no answer.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Timeout,
    /// The server closed the connection instead of answering.
    #[error("the server closed the connection")]
    Closed,
    /// What came is not an HTTP answer.
    #[error(transparent)]
    Message(#[from] message::Malformed),
    /// The answer is longer than anything expected here.
    #[error("the answer is longer than {MAX_ANSWER} octets")]
    Long,
}

/// What the driver asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read the headers only.
    Head,
    /// Send a body.
    Post,
}

impl Method {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection that is opened at the first request and again after it broke.
pub struct Connection {
    target: Arc<Target>,
    stream: Option<Box<dyn Stream>>,
    outgoing: String,
    incoming: Vec<u8>,
}

impl Connection {
    /// Nothing is opened yet.
    pub fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            stream: None,
            outgoing: String::new(),
            incoming: Vec::new(),
        }
    }

    /// The server at the other end.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Forgets the connection, whose state is unknown after an interrupted request.
    pub fn reset(&mut self) {
        self.stream = None;
    }

    /// One request and its answer; `path` begins with a slash.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer, TransportError> {
        self.write_head(method, path, content_type, body.len());
        let reused = self.stream.is_some();
        let mut answer = self.exchange_in_time(method, body).await;
        // A server may close an idle connection at any time (RFC 9112 section 9.3.1): that is no failure.
        if reused && matches!(answer, Err(TransportError::Closed)) {
            answer = self.exchange_in_time(method, body).await;
        }
        answer
    }

    fn write_head(&mut self, method: Method, path: &str, content_type: &str, length: usize) {
        self.outgoing.clear();
        let (name, host) = (method.name(), &self.target.host);
        // Writing into a string cannot fail. RFC 8555 section 6.1 requires the user agent.
        let _ = write!(
            self.outgoing,
            "{name} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certwright-bench\r\n"
        );
        let _ = match method {
            Method::Get | Method::Head => write!(self.outgoing, "\r\n"),
            Method::Post => write!(
                self.outgoing,
                "Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
            ),
        };
    }

    /// The stream is kept only after a whole answer.
    async fn exchange_in_time(
        &mut self,
        method: Method,
        body: &[u8],
    ) -> Result<Answer, TransportError> {
        let stream = self.stream.take();
        let exchange = async {
            let mut stream = match stream {
                Some(stream) => stream,
                None => open(&self.target).await?,
            };
            // One write, hence one TLS record and one segment.
            self.incoming.clear();
            self.incoming.extend_from_slice(self.outgoing.as_bytes());
            self.incoming.extend_from_slice(body);
            stream.write_all(&self.incoming).await.map_err(closed)?;
            stream.flush().await.map_err(closed)?;
            let answer = read(&mut stream, &mut self.incoming, method).await?;
            Ok((stream, answer))
        };
        let (stream, answer) = timeout(PATIENCE, exchange)
            .await
            .unwrap_or(Err(TransportError::Timeout))?;
        if answer.keeps_connection() {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

async fn read(
    stream: &mut Box<dyn Stream>,
    incoming: &mut Vec<u8>,
    method: Method,
) -> Result<Answer, TransportError> {
    incoming.clear();
    loop {
        if stream.read_buf(incoming).await.map_err(closed)? == 0 {
            return Err(TransportError::Closed);
        }
        if let Some(answer) = message::parse(incoming, method == Method::Head)? {
            return Ok(answer);
        }
        if incoming.len() > MAX_ANSWER {
            return Err(TransportError::Long);
        }
    }
}

/// The ways in which a connection says that its other end has gone.
fn closed(error: io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => TransportError::Closed,
        _ => TransportError::Io(error),
    }
}

async fn open(target: &Target) -> Result<Box<dyn Stream>, TransportError> {
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    Ok(match &target.tls {
        Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
        None => Box::new(stream),
    })
}
