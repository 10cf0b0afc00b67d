//! Counterparts on loopback that behave as badly as a test wants.

pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{ValidationFailure, ValidationRequest, Verdict};
use domain::identifier::Identifier;
use pki::time::Timestamp;

use crate::net::{Dialer, NetworkPolicy, Resolver, ResolverConfig};

pub(crate) const ACCOUNT_URL: &str = "https://ca.test/acme/default/account/1";
pub(crate) const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
pub(crate) const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/// A resolver that asks one server, briefly.
pub(crate) fn resolver(server: SocketAddr) -> Arc<Resolver> {
    let config = ResolverConfig {
        servers: vec![server],
        timeout: Duration::from_millis(500),
        attempts: 1,
        ..ResolverConfig::default()
    };
    Arc::new(Resolver::new(&config).unwrap())
}

/// A dialer that may reach 127.0.0.1 and nothing else on loopback.
pub(crate) fn dialer(dns: SocketAddr) -> Dialer {
    let policy = NetworkPolicy {
        allow: vec!["127.0.0.1/32".parse().unwrap()],
        ..NetworkPolicy::default()
    };
    Dialer::new(resolver(dns), policy)
}

pub(crate) fn request(kind: ChallengeKind, identifier: &str) -> ValidationRequest {
    let identifier = match identifier.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::parse("dns", identifier).unwrap(),
    };
    ValidationRequest {
        identifier,
        wildcard: false,
        kind,
        token: TOKEN.to_owned(),
        key_authorization: format!("{TOKEN}.{THUMBPRINT}"),
        account_url: ACCOUNT_URL.to_owned(),
        thumbprints: vec![THUMBPRINT.to_owned()],
        issuer_domain_names: vec!["ca.test".to_owned()],
        account_hash_prefix: "https://ca.test/account-hash/".to_owned(),
        now: Timestamp::from_seconds(1_800_000_000),
    }
}

#[track_caller]
pub(crate) fn failure(verdict: Verdict) -> ValidationFailure {
    match verdict {
        Verdict::Invalid(failure) => failure,
        Verdict::Valid { .. } => panic!("the probe succeeded"),
    }
}
