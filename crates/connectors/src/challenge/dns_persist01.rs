//! dns-persist-01: a lasting TXT record that names issuer and account (draft-ietf-acme-dns-persist).

use std::sync::Arc;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{
    ChallengeValidator, FailureKind, ValidationFailure, ValidationRequest, Verdict,
};
use protocols::acme::dns_persist::{AccountUri, Expectation, NoRecord, Record, find, record_name};
use protocols::acme::jwk::Thumbprint;

use super::dns_failure;
use super::txt::shown;
use crate::net::{DnsError, Resolver};

/// A record with `policy=wildcard` also speaks for what is below it; this far up one is looked for.
const MAX_ANCESTORS: usize = 5;

/// Looks for a record of the account, at the name and above it.
pub struct DnsPersist01Validator {
    resolver: Arc<Resolver>,
}

impl DnsPersist01Validator {
    /// A validator that asks `resolver`.
    pub fn new(resolver: Arc<Resolver>) -> Self {
        Self { resolver }
    }

    async fn probe(&self, request: &ValidationRequest) -> Result<Record, ValidationFailure> {
        let domain = request.identifier.value();
        let advice = advice(request, &domain);
        let mut failure = None;
        for holder in holders(&domain) {
            let name = record_name(holder);
            match self.resolver.lookup_txt(&name).await {
                Ok(texts) => match matching(request, &domain, holder, &texts) {
                    Ok(record) => return Ok(record),
                    Err(none) => {
                        let seen = shown(&texts);
                        let detail = format!(
                            "{name} does not authorize this: {none}; it has {seen}; {advice}"
                        );
                        let kind = FailureKind::IncorrectResponse;
                        failure.get_or_insert(ValidationFailure::passing(kind, detail));
                    }
                },
                // Absence is only worth a message where there is nothing else to tell.
                Err(DnsError::NoSuchName { .. } | DnsError::NoRecords { .. }) => (),
                Err(error) => {
                    failure.get_or_insert(dns_failure(&error, &advice));
                }
            }
        }
        Err(failure.unwrap_or_else(|| {
            let detail = format!("{} has no TXT record; {advice}", record_name(&domain));
            ValidationFailure::passing(FailureKind::Dns, detail)
        }))
    }
}

#[async_trait]
impl ChallengeValidator for DnsPersist01Validator {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::DnsPersist01
    }

    async fn validate(&self, request: &ValidationRequest) -> Verdict {
        match self.probe(request).await {
            Ok(record) => Verdict::Valid {
                until: record.persist_until,
            },
            Err(failure) => Verdict::Invalid(failure),
        }
    }
}

fn matching(
    request: &ValidationRequest,
    domain: &str,
    holder: &str,
    texts: &[Vec<u8>],
) -> Result<Record, NoRecord> {
    // Ours are always thumbprints; one that is not could match nothing anyway.
    let thumbprints: Vec<Thumbprint> = request
        .thumbprints
        .iter()
        .filter_map(|thumbprint| thumbprint.parse().ok())
        .collect();
    let prefix = request.account_hash_prefix.as_str();
    let expectation = Expectation {
        issuer_domain_names: &request.issuer_domain_names,
        account: AccountUri {
            url: &request.account_url,
            thumbprints: &thumbprints,
            plain: true,
            hash_prefix: (!prefix.is_empty()).then_some(prefix),
        },
        domain,
        wildcard: request.wildcard,
        record_domain: holder,
        now: request.now,
    };
    find(texts, &expectation)
}

/// The name and those above it, down to two labels: above that, no single owner speaks for it.
fn holders(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| {
        name.split_once('.')
            .map(|(_, parent)| parent)
            .filter(|parent| parent.contains('.'))
    })
    .take(1 + MAX_ANCESTORS)
}

fn advice(request: &ValidationRequest, domain: &str) -> String {
    let issuer = request
        .issuer_domain_names
        .first()
        .map_or("", String::as_str);
    let policy = if request.wildcard {
        "; policy=wildcard"
    } else {
        ""
    };
    format!(
        "publish a TXT record at {} with the content \"{issuer}; accounturi={}{policy}\"",
        record_name(domain),
        request.account_url
    )
}

#[cfg(test)]
mod tests;
