//! One DNS message and its answer over TCP (RFC 7766), to a server that an operator named.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::address::ServerAddress;
use super::dial::{DialError, Dialer};

const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the message is too long")]
    TooLong,
    #[error("{server}: the connection was lost before the answer was complete")]
    Lost { server: String },
    #[error("{server}: there was no answer within {} s", DEADLINE.as_secs())]
    Timeout { server: String },
}

/// A name server: `host`, `host:port` or `[address]:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer(ServerAddress);

impl NameServer {
    /// Reads how an operator wrote it; the port is 53 unless said otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        ServerAddress::parse(text, 53).map(Self)
    }

    /// Sends a message, and reads one.
    pub async fn exchange(
        &self,
        dialer: &Dialer,
        message: &[u8],
    ) -> Result<Vec<u8>, ExchangeError> {
        let talk = self.talk(dialer, message);
        match tokio::time::timeout(DEADLINE, talk).await {
            Ok(answer) => answer,
            Err(_) => Err(ExchangeError::Timeout {
                server: self.0.to_string(),
            }),
        }
    }

    async fn talk(&self, dialer: &Dialer, message: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        let lost = |_| ExchangeError::Lost {
            server: self.0.to_string(),
        };
        let length = u16::try_from(message.len()).map_err(|_| ExchangeError::TooLong)?;
        let mut stream = self.0.connect(dialer).await?;
        let framed = [&length.to_be_bytes(), message].concat();
        stream.write_all(&framed).await.map_err(lost)?;
        let length = stream.read_u16().await.map_err(lost)?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.map_err(lost)?;
        Ok(answer)
    }
}

impl std::fmt::Display for NameServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
