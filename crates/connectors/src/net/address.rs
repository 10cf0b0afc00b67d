//! Where a server is that an operator named.

use std::net::IpAddr;

use tokio::net::TcpStream;

use super::dial::{DialError, Dialer, Host};

/// `host`, `host:port` or `[address]:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

impl ServerAddress {
    /// A host's port.
    pub fn new(host: String, port: u16) -> Self {
        Self { host, port }
    }

    /// Reads how an operator wrote it.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::new(address.to_string(), default_port));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
        (!host.is_empty() && host.bytes().all(is_name)).then(|| Self::new(host.to_owned(), port))
    }

    /// Connects, as far as the guard lets it. Bounded by the caller's deadline.
    pub async fn connect(&self, dialer: &Dialer) -> Result<TcpStream, DialError> {
        let host = match self.host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(&self.host),
        };
        dialer.connect(host, self.port).await
    }
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServerAddress;

    #[test]
    fn a_server_is_a_host_and_perhaps_a_port() {
        let shown = |text| ServerAddress::parse(text, 53).map(|server| server.to_string());
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
