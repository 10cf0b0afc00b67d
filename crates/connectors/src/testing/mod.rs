//! Counterparts on loopback that behave as badly as a test wants.

pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{ValidationFailure, ValidationRequest, Verdict};
use domain::clock::SystemClock;
use domain::id::IssuerId;
use domain::identifier::Identifier;
use domain::issuer::response::{ChallengeResponse, ChallengeResponses, ResponsesError};
use domain::issuer::{ConnectorState, StateError};
use pki::random::SystemRandom;
use pki::time::Timestamp;

use crate::issuer::Environment;
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

/// What connectors to CAs work with: nothing they remember outlives them, and no name resolves.
pub(crate) fn environment() -> Environment {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    Environment {
        dialer: dialer(nobody),
        resolver: resolver(nobody),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom::new()),
        state: Arc::new(Memory::default()),
        responses: Arc::new(Memory::default()),
        commands: None,
    }
}

/// What connectors remember, for the life of a test.
#[derive(Default)]
pub(crate) struct Memory(parking_lot::Mutex<BTreeMap<(String, String), String>>);

#[async_trait]
impl ConnectorState for Memory {
    async fn get(&self, issuer: &IssuerId, name: &str) -> Result<Option<String>, StateError> {
        let place = (issuer.to_string(), name.to_owned());
        Ok(self.0.lock().get(&place).cloned())
    }

    async fn put(&self, issuer: &IssuerId, name: &str, text: &str) -> Result<(), StateError> {
        let place = (issuer.to_string(), name.to_owned());
        self.0.lock().insert(place, text.to_owned());
        Ok(())
    }

    async fn put_if_absent(
        &self,
        issuer: &IssuerId,
        name: &str,
        text: &str,
    ) -> Result<String, StateError> {
        let place = (issuer.to_string(), name.to_owned());
        let mut held = self.0.lock();
        Ok(held.entry(place).or_insert(text.to_owned()).clone())
    }

    async fn delete(&self, issuer: &IssuerId, name: &str) -> Result<(), StateError> {
        self.0.lock().remove(&(issuer.to_string(), name.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl ChallengeResponses for Memory {
    async fn note(&self, _: &ChallengeResponse) -> Result<(), ResponsesError> {
        Ok(())
    }

    async fn of_order(
        &self,
        _: &IssuerId,
        _: &str,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError> {
        Ok(Vec::new())
    }

    async fn placed_before(
        &self,
        _: &IssuerId,
        _: Timestamp,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError> {
        Ok(Vec::new())
    }

    async fn forget(&self, _: &ChallengeResponse) -> Result<(), ResponsesError> {
        Ok(())
    }
}

pub(crate) fn request(kind: ChallengeKind, identifier: &str) -> ValidationRequest {
    let identifier = match identifier.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::parse("dns", identifier).unwrap(),
    };
    ValidationRequest {
        answer: None,
        makers: Vec::new(),
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
        Verdict::Valid { .. } | Verdict::Attested(_) => panic!("the probe succeeded"),
    }
}
