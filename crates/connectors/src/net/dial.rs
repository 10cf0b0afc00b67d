//! Connections to addresses that a name chose: each address is judged in the moment it is dialled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};

use super::guard::{Denied, NetworkPolicy};
use super::resolver::{DnsError, Resolver};

/// How long one address may take to answer while there is another one to try.
const PATIENCE_WITH_OTHERS_LEFT: Duration = Duration::from_secs(2);
/// Enough for one broken address of each family.
const MAX_DIALLED: usize = 4;

/// Resolves names and dials what the policy lets through. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    resolver: Arc<Resolver>,
    policy: Arc<NetworkPolicy>,
}

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DialError {
    /// The name gave no address.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Not one of the addresses may be dialled.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No address answered; this is the last one that was tried.
    #[error("cannot connect to {address}: {}", reason(*.kind))]
    Connect {
        address: SocketAddr,
        kind: io::ErrorKind,
    },
}

/// Whom to dial.
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl Dialer {
    /// A dialer that resolves with `resolver` and obeys `policy`.
    pub fn new(resolver: Arc<Resolver>, policy: NetworkPolicy) -> Self {
        Self {
            resolver,
            policy: Arc::new(policy),
        }
    }

    /// The resolver that names are looked up with.
    pub fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }

    /// Connects to one of the host's addresses: IPv6 first, then IPv4. Bounded by the caller's deadline.
    pub async fn connect(&self, host: Host<'_>, port: u16) -> Result<TcpStream, DialError> {
        let addresses = match host {
            Host::Name(name) => in_order(self.resolver.lookup_ip(name).await?),
            Host::Address(address) => vec![address],
        };
        let mut failure = None;
        let mut left = addresses.len().min(MAX_DIALLED);
        for address in addresses.into_iter().take(MAX_DIALLED) {
            left -= 1;
            match self.dial(SocketAddr::new(address, port), left > 0).await {
                Ok(stream) => return Ok(stream),
                // A refusal by policy says less than a connection that failed.
                Err(DialError::Denied(denied)) => {
                    failure = failure.or(Some(DialError::Denied(denied)));
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or(DialError::Connect {
            address: SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port),
            kind: io::ErrorKind::AddrNotAvailable,
        }))
    }

    /// A socket for datagrams to one of the host's addresses: the first that may be reached.
    pub async fn udp(&self, host: Host<'_>, port: u16) -> Result<UdpSocket, DialError> {
        let addresses = match host {
            Host::Name(name) => in_order(self.resolver.lookup_ip(name).await?),
            Host::Address(address) => vec![address],
        };
        let mut failure = None;
        for address in addresses.into_iter().take(MAX_DIALLED) {
            let target = SocketAddr::new(address, port);
            match self.policy.check(target) {
                Ok(()) => return self.udp_to(target).await,
                Err(denied) => failure = Some(DialError::Denied(denied)),
            }
        }
        Err(failure.unwrap_or(DialError::Connect {
            address: SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port),
            kind: io::ErrorKind::AddrNotAvailable,
        }))
    }

    async fn udp_to(&self, target: SocketAddr) -> Result<UdpSocket, DialError> {
        let any: IpAddr = match target.is_ipv6() {
            true => std::net::Ipv6Addr::UNSPECIFIED.into(),
            false => std::net::Ipv4Addr::UNSPECIFIED.into(),
        };
        let failed = |error: io::Error| DialError::Connect {
            address: target,
            kind: error.kind(),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
        socket.connect(target).await.map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        self.policy.check_connected(local, target)?;
        Ok(socket)
    }

    async fn dial(&self, target: SocketAddr, others_left: bool) -> Result<TcpStream, DialError> {
        self.policy.check(target)?;
        let failed = |kind| DialError::Connect {
            address: target,
            kind,
        };
        let connecting = TcpStream::connect(target);
        let connected = if others_left {
            tokio::time::timeout(PATIENCE_WITH_OTHERS_LEFT, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        } else {
            connecting.await
        };
        let stream = connected.map_err(|error| failed(error.kind()))?;
        let ends = stream
            .local_addr()
            .and_then(|local| Ok((local, stream.peer_addr()?)));
        let (local, peer) = ends.map_err(|error| failed(error.kind()))?;
        self.policy.check_connected(local, peer)?;
        // A few small writes, and each is waited for.
        stream
            .set_nodelay(true)
            .map_err(|error| failed(error.kind()))?;
        Ok(stream)
    }
}

/// IPv6 and IPv4 in turns, so that one broken family costs one attempt.
fn in_order(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut v6, mut v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    v6.dedup();
    v4.dedup();
    let mut ordered = Vec::with_capacity(v6.len() + v4.len());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    loop {
        let before = ordered.len();
        ordered.extend(v6.next());
        ordered.extend(v4.next());
        if ordered.len() == before {
            return ordered;
        }
    }
}

fn reason(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "the connection was refused, nothing listens there",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "the connection was reset"
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no route to it"
        }
        io::ErrorKind::TimedOut => "it did not answer in time; is a firewall in the way?",
        io::ErrorKind::AddrNotAvailable => "the address cannot be dialled",
        _ => "the connection failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_beginning_with_ipv6() {
        let addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|text| text.parse().unwrap());
        let ordered: Vec<String> = in_order(addresses.to_vec())
            .iter()
            .map(IpAddr::to_string)
            .collect();
        assert_eq!(ordered, ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
    }
}
