//! A loopback address of a test's own, so that tests running side by side can all use the same ports.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// An address in 127.0.0.0/8 that no other test uses while this one holds it.
pub struct Host {
    pub ip: IpAddr,
    /// Whoever holds this socket holds the address.
    _claim: TcpListener,
}

impl Host {
    /// Claims an address.
    pub fn claim() -> Self {
        (0..100)
            .find_map(|attempt| Self::try_claim(RandomState::new().hash_one(attempt)))
            .expect("one of a hundred random loopback addresses is free")
    }

    fn try_claim(number: u64) -> Option<Self> {
        let [first, second, third, ..] = number.to_le_bytes();
        // 127.0.x.x is left to everything else on the machine, 0 and 255 to custom.
        let ip = Ipv4Addr::new(127, first.max(1), second, third.clamp(1, 254));
        let claim = TcpListener::bind((ip, CLAIMED_PORT)).ok()?;
        Some(Self {
            ip: ip.into(),
            _claim: claim,
        })
    }

    /// A port here.
    pub fn at(&self, port: u16) -> SocketAddr {
        (self.ip, port).into()
    }
}

const CLAIMED_PORT: u16 = 4999;
/// Where http-01 is validated.
pub const HTTP01_PORT: u16 = 5002;
/// Where tls-alpn-01 is validated.
pub const TLSALPN01_PORT: u16 = 5001;
/// Where the resolver answers.
pub const DNS_PORT: u16 = 8053;
/// Where the challenge server is told what to answer.
pub const MANAGEMENT_PORT: u16 = 8055;
/// Where CRLs, OCSP and CA certificates are served.
pub const PKI_PORT: u16 = 8080;
