//! dns-account-01: a TXT record under a label that is the account's own
//! (draft-ietf-acme-dns-account-label), so that several clients can hold a name.

use std::sync::Arc;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{ChallengeValidator, ValidationRequest, Verdict};
use protocols::acme::dns_account;

use super::txt::look_for_digest;
use crate::net::Resolver;

/// Looks for the digest of the key authorization under the account's label.
pub struct DnsAccount01Validator {
    resolver: Arc<Resolver>,
}

impl DnsAccount01Validator {
    /// A validator that asks `resolver`.
    pub fn new(resolver: Arc<Resolver>) -> Self {
        Self { resolver }
    }
}

#[async_trait]
impl ChallengeValidator for DnsAccount01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::DnsAccount01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        let name = dns_account::record_name(&request.account_url, &request.identifier.value());
        match look_for_digest(&self.resolver, &name, &request.key_authorization).await {
            Ok(()) => Verdict::Valid { until: None },
            Err(failure) => Verdict::Invalid(failure),
        }
    }
}
