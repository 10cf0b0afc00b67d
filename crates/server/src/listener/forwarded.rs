//! Who the client is when proxies stand between.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Whether `address` is one of the proxies that we believe.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// The client's address: the nearest in the chain that is no trusted proxy. Each proxy appends the
/// address it saw, so everything left of the first stranger may be made up.
pub(super) fn client(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> SocketAddr {
    let mut client = peer;
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        let Some(address) = hop_address(hop.trim()) else {
            break;
        };
        client = address;
        if !is_trusted(address.ip(), trusted) {
            break;
        }
    }
    client
}

fn hop_address(text: &str) -> Option<SocketAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip.to_canonical(), 0))
        .or_else(|_| text.parse())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let peer = "10.0.0.1:5000".parse().unwrap();
        client(&headers, peer, &trusted).ip().to_string()
    }

    #[test]
    fn the_client_is_the_nearest_address_that_is_no_trusted_proxy() {
        let cases: &[(&[&str], &str)] = &[
            (&[], "10.0.0.1"),
            (&["192.0.2.7"], "192.0.2.7"),
            (&["192.0.2.7, 10.0.0.9"], "192.0.2.7"),
            (&["198.51.100.1, 192.0.2.7, 10.0.0.9"], "192.0.2.7"),
            (&["192.0.2.7", "10.0.0.9"], "192.0.2.7"),
            (&["192.0.2.7:4711"], "192.0.2.7"),
            (&["[2001:db8::1]:4711, fd00::2"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
            (&["192.0.2.7, unknown"], "10.0.0.1"),
            (&["192.0.2.7, unknown, 10.0.0.9"], "10.0.0.9"),
            (&["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        ];
        for (lines, expected) in cases {
            assert_eq!(client_of(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn an_ipv4_proxy_is_known_on_an_ipv6_socket() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert!(is_trusted("::ffff:10.1.2.3".parse().unwrap(), &trusted));
        assert!(!is_trusted("::ffff:11.1.2.3".parse().unwrap(), &trusted));
    }
}
