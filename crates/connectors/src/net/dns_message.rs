//! One DNS message and its answer over TCP (RFC 7766), to a server that an operator named.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dial::{DialError, Dialer, Host};

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
pub struct NameServer {
    host: String,
    port: u16,
}

impl NameServer {
    /// Reads how an operator wrote it; the port is 53 unless said otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return Some(Self {
                host: address.to_string(),
                port: 53,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, 53),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
        (!host.is_empty() && host.bytes().all(is_name)).then(|| Self {
            host: host.to_owned(),
            port,
        })
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
                server: self.to_string(),
            }),
        }
    }

    async fn talk(&self, dialer: &Dialer, message: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        let lost = |_| ExchangeError::Lost {
            server: self.to_string(),
        };
        let length = u16::try_from(message.len()).map_err(|_| ExchangeError::TooLong)?;
        let host = match self.host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(&self.host),
        };
        let mut stream = dialer.connect(host, self.port).await?;
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
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NameServer;

    #[test]
    fn a_server_is_a_host_and_perhaps_a_port() {
        let shown = |text| NameServer::parse(text).map(|server| server.to_string());
        assert_eq!(shown("ns.example.com").unwrap(), "ns.example.com:53");
        assert_eq!(shown("ns.example.com:5353").unwrap(), "ns.example.com:5353");
        assert_eq!(shown("127.0.0.1:8053").unwrap(), "127.0.0.1:8053");
        assert_eq!(shown("2001:db8::1").unwrap(), "[2001:db8::1]:53");
        assert_eq!(shown("[2001:db8::1]:54").unwrap(), "[2001:db8::1]:54");
        for wrong in ["", "ns example", "ns:port", "http://ns/", ":53"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
