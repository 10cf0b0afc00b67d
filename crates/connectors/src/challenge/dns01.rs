//! dns-01: a TXT record at `_acme-challenge` (RFC 8555 section 8.4).

use std::sync::Arc;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{ChallengeValidator, ValidationRequest, Verdict};

use super::txt::look_for_digest;
use crate::net::Resolver;

/// Looks for the digest of the key authorization in DNS.
pub struct Dns01Validator {
    resolver: Arc<Resolver>,
}

impl Dns01Validator {
    /// A validator that asks `resolver`.
    pub fn new(resolver: Arc<Resolver>) -> Self {
        Self { resolver }
    }
}

#[async_trait]
impl ChallengeValidator for Dns01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Dns01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        let name = format!("_acme-challenge.{}", request.identifier);
        match look_for_digest(&self.resolver, &name, &request.key_authorization).await {
            Ok(()) => Verdict::Valid { until: None },
            Err(failure) => Verdict::Invalid(failure),
        }
    }
}

#[cfg(test)]
mod tests;
