//! Which addresses may be dialled on behalf of somebody else.
//!
//! An address is judged when it is dialled: after DNS, so that a name cannot be bound anew between
//! check and use, and again for every redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The networks a fetch may reach. Private networks are permitted, because that is where most of
/// our clients live; what only this host or its cloud should reach is not.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    /// Reachable although denied by default.
    pub allow: Vec<IpNet>,
    /// Never reachable; wins over `allow`.
    pub deny: Vec<IpNet>,
    /// Set while the server itself listens only on loopback, as on a developer's machine.
    pub allow_loopback: bool,
    /// Our own sockets, which no setting opens. An unspecified address stands for any of the host's.
    pub own_listeners: Vec<SocketAddr>,
}

/// An address that is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} {reason}, and this server does not connect there")]
pub struct Denied {
    /// The address as it would have been dialled.
    pub address: IpAddr,
    /// What speaks against it.
    pub reason: DenyReason,
}

/// What speaks against an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DenyReason {
    /// 127.0.0.0/8, ::1
    #[error("is a loopback address")]
    Loopback,
    /// 169.254.0.0/16, fe80::/10
    #[error("is a link-local address")]
    LinkLocal,
    /// Where clouds hand out credentials.
    #[error("is the address of a cloud's metadata service")]
    Metadata,
    /// 0.0.0.0/8, ::
    #[error("is an unspecified address")]
    Unspecified,
    /// 224.0.0.0/4, ff00::/8
    #[error("is a multicast address")]
    Multicast,
    /// 240.0.0.0/4, with the limited broadcast at its end
    #[error("is a broadcast or reserved address")]
    Reserved,
    /// An IPv4 address in the clothes of IPv6, which no name server has a reason to hand out.
    #[error("is an IPv4 address written as IPv6")]
    Ipv4AsIpv6,
    /// Listed by the operator.
    #[error("is in a network the operator denies")]
    Operator,
    /// One of our own sockets.
    #[error("is where this server itself listens")]
    OwnListener,
}

impl NetworkPolicy {
    /// Whether `target` may be dialled.
    pub fn check(&self, target: SocketAddr) -> Result<(), Denied> {
        self.reason(target).map_or(Ok(()), |reason| {
            Err(Denied {
                address: target.ip(),
                reason,
            })
        })
    }

    /// Whether a connection ended at one of our own sockets. A listener on the unspecified address
    /// is reached by any address of the host; the kernel then chooses that address on both ends.
    pub fn check_connected(&self, local: SocketAddr, peer: SocketAddr) -> Result<(), Denied> {
        let to_itself = local.ip() == peer.ip()
            && self
                .own_listeners
                .iter()
                .any(|own| own.ip().is_unspecified() && own.port() == peer.port());
        if to_itself {
            return Err(Denied {
                address: peer.ip(),
                reason: DenyReason::OwnListener,
            });
        }
        self.check(peer)
    }

    fn reason(&self, target: SocketAddr) -> Option<DenyReason> {
        let address = target.ip();
        let embedded = embedded_v4(address);
        let listed = |networks: &[IpNet], address: IpAddr| {
            networks.iter().any(|network| network.contains(&address))
        };
        if listed(&self.deny, address)
            || embedded.is_some_and(|v4| listed(&self.deny, IpAddr::V4(v4)))
        {
            return Some(DenyReason::Operator);
        }
        let dialled = SocketAddr::new(address.to_canonical(), target.port());
        if self.is_own_listener(dialled) {
            return Some(DenyReason::OwnListener);
        }
        // Literally: who opens an IPv4 address has not opened its disguises.
        if listed(&self.allow, address) {
            return None;
        }
        match default_reason(address) {
            Some(DenyReason::Loopback) if self.allow_loopback => None,
            reason => reason,
        }
    }

    fn is_own_listener(&self, target: SocketAddr) -> bool {
        self.own_listeners.iter().any(|own| {
            own.port() == target.port()
                && (own.ip() == target.ip()
                    || (own.ip().is_unspecified() && target.ip().is_loopback()))
        })
    }
}

fn default_reason(address: IpAddr) -> Option<DenyReason> {
    match address {
        IpAddr::V4(v4) => reason_v4(v4),
        IpAddr::V6(v6) => reason_v6(v6),
    }
}

fn reason_v4(address: Ipv4Addr) -> Option<DenyReason> {
    const METADATA: [[u8; 4]; 4] = [
        [169, 254, 169, 254],
        [100, 100, 100, 200],
        [168, 63, 129, 16],
        [192, 0, 0, 192],
    ];
    match address.octets() {
        octets if METADATA.contains(&octets) => Some(DenyReason::Metadata),
        [0, ..] => Some(DenyReason::Unspecified),
        [127, ..] => Some(DenyReason::Loopback),
        [169, 254, ..] => Some(DenyReason::LinkLocal),
        [224..=239, ..] => Some(DenyReason::Multicast),
        [240..=255, ..] => Some(DenyReason::Reserved),
        _ => None,
    }
}

fn reason_v6(address: Ipv6Addr) -> Option<DenyReason> {
    const METADATA: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    if METADATA.contains(&address) {
        return Some(DenyReason::Metadata);
    }
    if address.is_loopback() {
        return Some(DenyReason::Loopback);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(DenyReason::Unspecified),
        // ::/96 is IPv4-compatible (RFC 4291 section 2.5.5.1), ::ffff:0:0/96 mapped (2.5.5.2) and
        // ::ffff:0:0:0/96 translated (RFC 2765 section 2.1).
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => {
            Some(DenyReason::Ipv4AsIpv6)
        }
        // fe80::/10, and fec0::/10, which was site-local.
        [0xfe80..=0xfeff, ..] => Some(DenyReason::LinkLocal),
        [0xff00..=0xffff, ..] => Some(DenyReason::Multicast),
        _ => embedded_v4(IpAddr::V6(address)).and_then(reason_v4),
    }
}

/// The IPv4 address a packet to `address` would end up at.
fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else {
        return None;
    };
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, mapped, translated.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low]
        // NAT64: the well-known prefix (RFC 6052) and the local one (RFC 8215).
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        // 6to4 (RFC 3056).
        | [0x2002, high, low, ..] => Some(from(high, low)),
        // Teredo keeps the client's address inverted (RFC 4380 section 4).
        [0x2001, 0, .., high, low] => Some(from(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(policy: &NetworkPolicy, address: &str) -> Option<DenyReason> {
        let target = SocketAddr::new(address.parse().unwrap(), 80);
        policy.check(target).err().map(|denied| denied.reason)
    }

    #[test]
    fn n01_addresses_that_only_this_host_should_reach_are_denied() {
        let policy = NetworkPolicy::default();
        for (address, reason) in [
            ("127.0.0.1", DenyReason::Loopback),
            ("127.255.255.254", DenyReason::Loopback),
            ("::1", DenyReason::Loopback),
            ("0.0.0.0", DenyReason::Unspecified),
            ("0.1.2.3", DenyReason::Unspecified),
            ("::", DenyReason::Unspecified),
            ("169.254.1.1", DenyReason::LinkLocal),
            ("fe80::1", DenyReason::LinkLocal),
            ("febf::1", DenyReason::LinkLocal),
            ("fec0::1", DenyReason::LinkLocal),
            ("169.254.169.254", DenyReason::Metadata),
            ("100.100.100.200", DenyReason::Metadata),
            ("168.63.129.16", DenyReason::Metadata),
            ("fd00:ec2::254", DenyReason::Metadata),
            ("fd20:ce::254", DenyReason::Metadata),
            ("224.0.0.1", DenyReason::Multicast),
            ("ff02::1", DenyReason::Multicast),
            ("255.255.255.255", DenyReason::Reserved),
            ("240.0.0.1", DenyReason::Reserved),
            ("::ffff:93.184.216.34", DenyReason::Ipv4AsIpv6),
            ("::ffff:127.0.0.1", DenyReason::Ipv4AsIpv6),
            ("::93.184.216.34", DenyReason::Ipv4AsIpv6),
            ("::ffff:0:10.0.0.1", DenyReason::Ipv4AsIpv6),
            ("64:ff9b::127.0.0.1", DenyReason::Loopback),
            ("64:ff9b::169.254.169.254", DenyReason::Metadata),
            ("64:ff9b:1::127.0.0.1", DenyReason::Loopback),
            ("2002:7f00:1::1", DenyReason::Loopback),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", DenyReason::Loopback),
        ] {
            assert_eq!(judge(&policy, address), Some(reason), "{address}");
        }
    }

    #[test]
    fn private_and_public_networks_are_reachable() {
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd12:3456::1",
            "93.184.216.34",
            "2606:2800:220:1::1",
            "64:ff9b::93.184.216.34",
            "2002:5db8:d822::1",
        ] {
            assert_eq!(judge(&NetworkPolicy::default(), address), None, "{address}");
        }
    }

    #[test]
    fn n01_allow_opens_what_is_closed_by_default_and_deny_wins() {
        let policy = NetworkPolicy {
            allow: vec!["127.0.0.0/8".parse().unwrap(), "fe80::/10".parse().unwrap()],
            deny: vec![
                "127.0.0.2/32".parse().unwrap(),
                "10.0.0.0/8".parse().unwrap(),
            ],
            ..NetworkPolicy::default()
        };
        assert_eq!(judge(&policy, "127.0.0.1"), None);
        assert_eq!(judge(&policy, "fe80::1"), None);
        for denied in [
            "127.0.0.2",
            "10.1.2.3",
            "64:ff9b::10.1.2.3",
            "::ffff:10.1.2.3",
            "2002:a01:203::1",
        ] {
            assert_eq!(
                judge(&policy, denied),
                Some(DenyReason::Operator),
                "{denied}"
            );
        }
    }

    #[test]
    fn n01_own_listeners_are_closed_even_where_their_network_is_open() {
        let policy = NetworkPolicy {
            allow: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
            allow_loopback: true,
            own_listeners: vec![
                "127.0.0.1:80".parse().unwrap(),
                "[::]:8443".parse().unwrap(),
            ],
            ..NetworkPolicy::default()
        };
        assert_eq!(judge(&policy, "127.0.0.1"), Some(DenyReason::OwnListener));
        assert_eq!(
            judge(&policy, "::ffff:127.0.0.1"),
            Some(DenyReason::OwnListener)
        );
        assert_eq!(judge(&policy, "127.0.0.2"), None);
        assert!(policy.check("[::1]:8443".parse().unwrap()).is_err());
        let own = "192.0.2.7:8443".parse().unwrap();
        assert!(policy.check(own).is_ok());
        assert!(
            policy
                .check_connected("192.0.2.7:40000".parse().unwrap(), own)
                .is_err()
        );
        assert!(
            policy
                .check_connected("192.0.2.8:40000".parse().unwrap(), own)
                .is_ok()
        );
    }

    #[test]
    fn loopback_opens_when_the_server_listens_nowhere_else() {
        let policy = NetworkPolicy {
            allow_loopback: true,
            ..NetworkPolicy::default()
        };
        assert_eq!(judge(&policy, "127.0.0.1"), None);
        assert_eq!(judge(&policy, "::1"), None);
        assert_eq!(judge(&policy, "169.254.1.1"), Some(DenyReason::LinkLocal));
    }
}
