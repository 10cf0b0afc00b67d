//! Section `[validation]`.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::reader::{Reader, resolver};

/// How control over names and addresses is checked.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Port of http-01 (RFC 8555 section 8.3).
    pub http01_port: u16,
    /// Port of tls-alpn-01 (RFC 8737 section 3).
    pub tlsalpn01_port: u16,
    /// DNS resolvers; empty means the system's.
    pub resolvers: Vec<SocketAddr>,
    /// Reachable although denied by default.
    pub allow_networks: Vec<IpNet>,
    /// Never reachable; wins over `allow_networks`.
    pub deny_networks: Vec<IpNet>,
    /// Limit of one attempt as a whole.
    pub timeout: Duration,
    /// Attempts at the same time on this node.
    pub concurrency: usize,
    /// Further attempts after one that could not reach the client.
    pub retries: u32,
    /// Pause before the next attempt.
    pub retry_interval: Duration,
    /// Whether CAA records are asked for (RFC 8659).
    pub caa: bool,
}

impl Validation {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            http01_port: reader.number("validation.http01_port", 1..=65_535),
            tlsalpn01_port: reader.number("validation.tlsalpn01_port", 1..=65_535),
            resolvers: reader.list("validation.resolvers", resolver),
            allow_networks: reader.networks("validation.allow_networks"),
            deny_networks: reader.networks("validation.deny_networks"),
            timeout: reader.duration("validation.timeout_seconds", 1, 1..=120),
            concurrency: reader.number("validation.concurrency", 1..=10_000),
            retries: reader.number("validation.retries", 0..=100),
            retry_interval: reader.duration("validation.retry_interval_seconds", 1, 0..=3600),
            caa: reader.choice("validation.caa", &[("off", false), ("on", true)]),
        }
    }
}
