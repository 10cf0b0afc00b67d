//! CAA: whom the owner of a domain lets certify it (RFC 8659, RFC 8657).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::acme::challenge::ChallengeKind;
use domain::acme::validation::{CaaChecker, CaaQuestion, FailureKind, ValidationFailure};
use protocols::acme::caa::{CaaRecord, Query, evaluate, names_to_ask};

use crate::net::{CaaAnswer, DnsError, Resolver};

/// An answer may be relied on for its TTL or eight hours, whichever is longer (TLS BR section 3.2.2.8).
const FRESHNESS: Duration = Duration::from_secs(8 * 60 * 60);
/// Of a whole climb.
const DEADLINE: Duration = Duration::from_secs(20);

/// Looks CAA records up in DNS.
pub struct DnsCaaChecker {
    resolver: Arc<Resolver>,
}

impl DnsCaaChecker {
    /// A checker that asks `resolver`.
    pub fn new(resolver: Arc<Resolver>) -> Self {
        Self { resolver }
    }

    /// The records of the name, or of the nearest name above it that has some.
    async fn relevant(&self, name: &str) -> Result<Option<Relevant>, DnsError> {
        for holder in names_to_ask(name) {
            let answer = match self.resolver.lookup_caa(holder).await {
                // Once more: a failure forbids issuance, and name servers do stumble.
                CaaAnswer::Failed(_) => self.resolver.lookup_caa(holder).await,
                answer => answer,
            };
            match answer {
                CaaAnswer::Records { records, ttl } => {
                    return Ok(Some(Relevant {
                        holder: holder.to_owned(),
                        records,
                        ttl,
                    }));
                }
                CaaAnswer::None => (),
                CaaAnswer::Failed(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

struct Relevant {
    holder: String,
    records: Vec<CaaRecord>,
    ttl: Duration,
}

#[async_trait]
impl CaaChecker for DnsCaaChecker {
    async fn check(&self, question: &CaaQuestion) -> Result<Duration, ValidationFailure> {
        let name = &question.name;
        let unknown = |reason: String| {
            let detail = format!(
                "whether CAA records permit a certificate for {name} is not known, so none is issued: \
                 {reason}; let its name servers answer CAA queries, with no records if need be"
            );
            ValidationFailure::passing(FailureKind::Dns, detail)
        };
        let relevant = tokio::time::timeout(DEADLINE, self.relevant(name))
            .await
            .map_err(|_| unknown(format!("no answer within {} s", DEADLINE.as_secs())))?
            .map_err(|error| unknown(error.to_string()))?;
        let Some(relevant) = relevant else {
            return Ok(FRESHNESS);
        };
        let query = Query {
            wildcard: question.wildcard,
            issuer_domains: &question.issuer_domain_names,
            account_uri: Some(&question.account_url),
            method: question.method.map(ChallengeKind::as_str),
        };
        evaluate(&relevant.records, &query).map_err(|refusal| {
            let detail = format!(
                "the CAA records of {} do not permit this certificate for {name}: {refusal}; the owner \
                 of the domain can add `0 issue \"{}\"`",
                relevant.holder,
                question.issuer_domain_names.first().map_or("", String::as_str)
            );
            ValidationFailure::lasting(FailureKind::Caa, detail)
        })?;
        Ok(relevant.ttl.max(FRESHNESS))
    }
}

#[cfg(test)]
mod tests;
