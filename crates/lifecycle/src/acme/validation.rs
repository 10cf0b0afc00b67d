//! Validation: probes off the request path, their verdicts written by nobody else.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::acme::account::Account;
use domain::acme::authorization::{Authorization, Proof};
use domain::acme::challenge::{ChallengeKind, ChallengeState};
use domain::acme::directory::{Caa, Directory};
use domain::acme::validation::{
    CaaQuestion, FailureKind, ValidationFailure, ValidationRequest, Verdict,
};
use domain::attestation::AttestedKey;
use domain::event::Event;
use domain::id::AuthorizationId;
use domain::identifier::Identifier;
use parking_lot::Mutex;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use store::jobs::JobRow;
use tokio::sync::Semaphore;

use super::challenges::failure_limit_key;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::limits;

/// The probes that are under way in this process: bounded, and one at a time for an authorization.
pub(crate) struct Probes {
    permits: Semaphore,
    under_way: Arc<Mutex<HashSet<AuthorizationId>>>,
}

impl Probes {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            permits: Semaphore::new(concurrency.max(1)),
            under_way: Arc::default(),
        }
    }

    /// The right to probe for this authorization, unless somebody has it.
    pub(crate) fn turn(&self, id: &AuthorizationId) -> Option<Turn> {
        self.under_way.lock().insert(id.clone()).then(|| Turn {
            id: id.clone(),
            under_way: Arc::clone(&self.under_way),
        })
    }
}

/// The right to probe for one authorization; given back when dropped.
pub(crate) struct Turn {
    id: AuthorizationId,
    under_way: Arc<Mutex<HashSet<AuthorizationId>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.id);
    }
}

/// What becomes of an authorization after a probe.
pub(crate) enum Outcome {
    Valid {
        by: Proof,
        attested: Option<AttestedKey>,
        expires_at: Timestamp,
        caa_fresh_until: Option<Timestamp>,
    },
    Retry(ValidationFailure),
    Invalid(ValidationFailure),
}

impl Lifecycle {
    /// Stores the verdict of a probe whose job is stored; what fails here, the job repeats.
    pub(crate) async fn conclude(
        &self,
        job: &JobRow,
        authorization: &Authorization,
        kind: ChallengeKind,
        outcome: Result<Outcome, StoreError>,
    ) {
        let recorded = match outcome {
            Ok(outcome) => {
                self.record_outcome(Some(job), authorization, kind, outcome)
                    .await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::error!(
                authorization.id = %authorization.id,
                error = %error,
                "verdict of a probe not stored; the probe is repeated when its lease ends"
            );
        }
    }

    /// Probes for a job that was found in the store: after a retry's wait, or a crash.
    pub(crate) async fn resume_validation(
        &self,
        job: &JobRow,
        id: &AuthorizationId,
        kind: ChallengeKind,
    ) -> Result<(), StoreError> {
        let wanted = id.clone();
        let found = self
            .store
            .read("validation.resume", |tx| {
                Box::pin(async move {
                    let Some(authorization) = tx.find_authorization(&wanted).await? else {
                        return Ok::<_, StoreError>(None);
                    };
                    let account = tx.find_account(&authorization.account_id).await?;
                    Ok(account.map(|account| (account, authorization)))
                })
            })
            .await?;
        let is_open = found.as_ref().is_some_and(|(_, authorization)| {
            authorization
                .challenge(kind)
                .is_some_and(|c| matches!(c.state, ChallengeState::Processing { .. }))
        });
        match found {
            Some((account, authorization)) if is_open => {
                self.probe_and_record(job, &account, &authorization, kind)
                    .await
            }
            _ => self.complete_job(job).await,
        }
    }

    async fn probe_and_record(
        &self,
        job: &JobRow,
        account: &Account,
        authorization: &Authorization,
        kind: ChallengeKind,
    ) -> Result<(), StoreError> {
        let Some(directory) = self.directory_by_id(&authorization.directory_id).await? else {
            return self.complete_job(job).await;
        };
        let outcome = self
            .timed_probe(&directory, account, authorization, kind)
            .await?;
        self.record_outcome(Some(job), authorization, kind, outcome)
            .await
            .map(drop)
    }

    /// A probe, and how long it took for whoever watches the figures.
    pub(crate) async fn timed_probe(
        &self,
        directory: &Directory,
        account: &Account,
        authorization: &Authorization,
        kind: ChallengeKind,
    ) -> Result<Outcome, StoreError> {
        let started = std::time::Instant::now();
        let outcome = self.probe(directory, account, authorization, kind).await?;
        let label = match &outcome {
            Outcome::Valid { .. } => "valid",
            Outcome::Retry(_) => "retry",
            Outcome::Invalid(_) => "invalid",
        };
        metrics::histogram!("certwright_validation_duration_seconds",
            "challenge" => kind.as_str(), "outcome" => label)
        .record(started.elapsed().as_secs_f64());
        if let Outcome::Retry(failure) | Outcome::Invalid(failure) = &outcome {
            tracing::debug!(
                authorization.id = %authorization.id, challenge.kind = kind.as_str(), outcome = label,
                error = failure.detail, "the probe found no proof"
            );
        }
        Ok(outcome)
    }

    async fn probe(
        &self,
        directory: &Directory,
        account: &Account,
        authorization: &Authorization,
        kind: ChallengeKind,
    ) -> Result<Outcome, StoreError> {
        if let Some(test) = &directory.spec.test_mode {
            let delay = self.draw() * test.validation_delay_millis as f64;
            tokio::time::sleep(Duration::from_millis(delay as u64)).await;
            if test.skip_validation {
                let proof = (Proof::Unchecked(kind), None);
                return Ok(self.valid(directory, proof, None, None));
            }
        }
        let request = self
            .validation_request(directory, account, authorization, kind)
            .await?;
        let Some(validator) = self.validators.get(&kind) else {
            return Ok(Outcome::Invalid(ValidationFailure::lasting(
                FailureKind::ServerInternal,
                format!("no validator for {kind} is at work here"),
            )));
        };
        // The permit bounds the probes of the whole process; it never closes.
        let _permit = self.probes.permits.acquire().await;
        let (until, attested) = match validator.validate(&request).await {
            Verdict::Valid { until } => (until, None),
            Verdict::Attested(key) => (None, Some(key)),
            Verdict::Invalid(failure) => {
                let tried = authorization
                    .challenge(kind)
                    .map_or(0, |challenge| challenge.state.attempts());
                let again = failure.can_retry && tried + 1 < self.settings.validation.attempts;
                return Ok(match again {
                    true => Outcome::Retry(failure),
                    false => Outcome::Invalid(failure),
                });
            }
        };
        let checked = self
            .check_caa(
                directory,
                &authorization.identifier,
                authorization.wildcard,
                &request.account_url,
                Some(kind),
            )
            .await;
        Ok(match checked {
            Ok(caa_fresh_until) => {
                let proof = (Proof::Challenge(kind), attested);
                self.valid(directory, proof, until, caa_fresh_until)
            }
            Err(failure) => Outcome::Invalid(failure),
        })
    }

    fn valid(
        &self,
        directory: &Directory,
        (by, attested): (Proof, Option<AttestedKey>),
        until: Option<Timestamp>,
        caa_fresh_until: Option<Timestamp>,
    ) -> Outcome {
        let expires_at = self.now() + directory.spec.valid_authorization_lifetime();
        Outcome::Valid {
            by,
            attested,
            // dns-persist-01: the proof itself may name an earlier end.
            expires_at: until.map_or(expires_at, |until| until.min(expires_at)),
            caa_fresh_until,
        }
    }

    async fn validation_request(
        &self,
        directory: &Directory,
        account: &Account,
        authorization: &Authorization,
        kind: ChallengeKind,
    ) -> Result<ValidationRequest, StoreError> {
        let mut thumbprints = vec![account.thumbprint.clone()];
        if kind == ChallengeKind::DnsPersist01 {
            let id = account.id.clone();
            let past = self
                .store
                .read("account.past_thumbprints", |tx| {
                    Box::pin(async move { tx.list_past_thumbprints(&id).await })
                })
                .await?;
            thumbprints.extend(past);
        }
        let answer = authorization
            .challenge(kind)
            .and_then(|challenge| challenge.response.clone())
            .map(|answer| answer.0);
        let makers = match answer {
            Some(_) => self.makers_of(directory).await?,
            None => Vec::new(),
        };
        Ok(ValidationRequest {
            identifier: authorization.identifier.clone(),
            wildcard: authorization.wildcard,
            kind,
            token: authorization.token.clone(),
            key_authorization: format!("{}.{}", authorization.token, account.thumbprint),
            account_url: self.account_url(&directory.name, &account.id),
            thumbprints,
            issuer_domain_names: self.issuer_domain_names(directory),
            account_hash_prefix: self.settings.account_hash_prefix.clone(),
            answer,
            makers,
            now: self.now(),
        })
    }

    /// Our names in CAA and dns-persist-01 records: what the directory says, else our own host.
    pub fn issuer_domain_names(&self, directory: &Directory) -> Vec<String> {
        if !directory.spec.caa_identities.is_empty() {
            return directory.spec.caa_identities.clone();
        }
        let host = self
            .settings
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest)
            .split([':', '/'])
            .next()
            .unwrap_or_default();
        vec![host.to_owned()]
    }

    /// The account's URL: the one form in which clients, CAA records and DNS labels know it.
    pub fn account_url(&self, directory: &str, account: &domain::id::AccountId) -> String {
        format!(
            "{}/acme/{directory}/account/{account}",
            self.settings.public_url
        )
    }

    /// Looks at CAA where the directory wants it; gives how long the answer may be relied on.
    pub(crate) async fn check_caa(
        &self,
        directory: &Directory,
        identifier: &Identifier,
        wildcard: bool,
        account_url: &str,
        method: Option<ChallengeKind>,
    ) -> Result<Option<Timestamp>, ValidationFailure> {
        let (Caa::Enforced, Identifier::Dns(name)) = (directory.spec.caa, identifier) else {
            return Ok(None);
        };
        let question = CaaQuestion {
            name: name.to_string(),
            wildcard,
            issuer_domain_names: self.issuer_domain_names(directory),
            account_url: account_url.to_owned(),
            method,
        };
        let fresh = self.caa.check(&question).await?;
        Ok(Some(self.now() + fresh))
    }

    /// Stores a verdict, or what it takes to probe again. Without a job, the response itself was not
    /// stored yet. Gives the authorization as it is then, if it still is.
    pub(crate) async fn record_outcome(
        &self,
        stored_job: Option<&JobRow>,
        probed: &Authorization,
        kind: ChallengeKind,
        outcome: Outcome,
    ) -> Result<Option<Authorization>, StoreError> {
        let now = self.now();
        let id = probed.id.clone();
        let retry_at = now + self.settings.validation.interval;
        let failed = self.failure_event(probed, kind, &outcome);
        let limit = self.settings.limits.failed_validations_per_account;
        let limit_key = failure_limit_key(&probed.account_id);
        let is_stored = stored_job.is_some();
        let job = stored_job.cloned().unwrap_or_else(|| {
            let job = Job::ValidateChallenge {
                authorization: id.clone(),
                challenge: kind,
            };
            self.new_job(&job, retry_at)
        });
        self.store
            .write("validation.record", move |tx| {
                Box::pin(async move {
                    let found = tx.find_authorization_for_update(&id).await?;
                    let Some(mut authorization) = found else {
                        settle(tx, &job, is_stored).await?;
                        return Ok(None);
                    };
                    // Another node may have begun meanwhile; then it sees to further probes.
                    let is_ours = is_stored || authorization.begin(kind, now) == Ok(true);
                    // Deactivated or expired meanwhile: the verdict has nothing to decide.
                    let changed = match outcome {
                        Outcome::Valid {
                            by,
                            attested,
                            expires_at,
                            caa_fresh_until,
                        } => {
                            authorization.note_attested(kind, attested);
                            authorization.succeed(by, now, expires_at, caa_fresh_until)
                        }
                        Outcome::Invalid(failure) => authorization.fail(kind, failure, now),
                        Outcome::Retry(failure) => {
                            if is_ours && authorization.note_failure(kind, failure, now).is_ok() {
                                tx.update_authorization(&authorization).await?;
                                match is_stored {
                                    true => tx.reschedule_job(&job, retry_at).await?,
                                    false => tx.enqueue(&job).await?,
                                };
                                return Ok(Some(authorization));
                            }
                            settle(tx, &job, is_stored).await?;
                            return Ok(Some(authorization));
                        }
                    };
                    if changed.is_ok() {
                        tx.update_authorization(&authorization).await?;
                        if let Some(event) = &failed {
                            tx.insert_event(event).await?;
                            // Beyond the allowance there is nothing left to take.
                            let _ = limits::take(tx, &limit_key, limit, now).await?;
                        }
                    }
                    settle(tx, &job, is_stored).await?;
                    Ok(Some(authorization))
                })
            })
            .await
    }

    fn failure_event(
        &self,
        probed: &Authorization,
        kind: ChallengeKind,
        outcome: &Outcome,
    ) -> Option<Event> {
        match outcome {
            Outcome::Invalid(failure) => Some(self.event(
                &Caller::system(),
                "authorization.failed",
                probed.id.as_str(),
                json!({
                    "account": probed.account_id,
                    "identifier": probed.identifier,
                    "challenge": kind,
                    "error": failure,
                }),
            )),
            Outcome::Valid { .. } | Outcome::Retry(_) => None,
        }
    }
}

/// Takes a job off the list, if it is on it.
async fn settle(tx: &mut store::Tx<'_>, job: &JobRow, is_stored: bool) -> Result<(), StoreError> {
    match is_stored {
        true => tx.complete_job(job).await.map(drop),
        false => Ok(()),
    }
}
