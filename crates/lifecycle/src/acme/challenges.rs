//! Responses to challenges (RFC 8555 section 7.5.1): probed at once, and answered with the verdict
//! where it comes soon, so that most clients need not ask again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::acme::account::Account;
use domain::acme::authorization::{Authorization, TransitionError};
use domain::acme::challenge::{ChallengeAnswer, ChallengeKind};
use domain::id::{AccountId, AuthorizationId};
use pki::time::Timestamp;
use store::StoreError;
use store::jobs::JobRow;
use tokio::sync::oneshot;

use super::validation::Turn;
use crate::Lifecycle;
use crate::jobs::Job;
use crate::limits::{self, RateLimited};

/// Why a challenge is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    #[error("there is no such challenge")]
    NotFound,
    #[error(transparent)]
    Transition(#[from] TransitionError),
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error(
        "the response to this challenge is `{{\"attObj\": …}}`, the attestation object in base64url"
    )]
    NoAttestation,
    #[error("the directory of the challenge is gone")]
    NoDirectory,
    #[error("the probe ended without a verdict; respond again")]
    Unfinished,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Answer = oneshot::Sender<Result<Authorization, RespondError>>;

impl Lifecycle {
    /// The client's response is in place: the probe begins. Comes back with its verdict, or as
    /// `processing` when it takes longer; what comes back is durable either way.
    pub async fn respond_to_challenge(
        self: &Arc<Self>,
        account: &Account,
        id: &AuthorizationId,
        kind: ChallengeKind,
        answer: Option<ChallengeAnswer>,
    ) -> Result<Authorization, RespondError> {
        let now = self.now();
        let authorization = self.challenged(&account.id, id, kind, now).await?;
        let mut begun = authorization.clone();
        match begun.begin(kind, now) {
            Ok(true) => {}
            // Asking again about what is under way or decided is a question, not a request.
            Ok(false) | Err(TransitionError::NotPending) => return Ok(authorization),
            Err(error) => return Err(error.into()),
        }
        // Nothing to look at: the reply comes, or has come, by mail.
        if kind == ChallengeKind::EmailReply00 {
            return self.await_reply(id).await;
        }
        if kind == ChallengeKind::DeviceAttest01 {
            // Without one there is nothing to judge: the client may still bring it.
            let answer = answer.ok_or(RespondError::NoAttestation)?;
            begun.keep_answer(kind, Some(answer));
        }
        // The same request again while its probe is under way.
        let Some(turn) = self.probes.turn(id) else {
            return Ok(begun);
        };
        let (answer, told) = oneshot::channel();
        let (lifecycle, account) = (Arc::clone(self), account.clone());
        // A task of its own: a client that hangs up stops no probe.
        self.detach(async move {
            lifecycle
                .take_up(&account, &begun, kind, turn, answer)
                .await;
        });
        told.await.unwrap_or(Err(RespondError::Unfinished))
    }

    /// The authorization, if the account may still fail: the allowance is only taken from when a
    /// validation has failed, so that success costs nothing.
    async fn challenged(
        &self,
        account: &AccountId,
        id: &AuthorizationId,
        kind: ChallengeKind,
        now: Timestamp,
    ) -> Result<Authorization, RespondError> {
        let limit = self.settings.limits.failed_validations_per_account;
        let key = failure_limit_key(account);
        let (account, id) = (account.clone(), id.clone());
        self.store
            .read("challenge.find", move |tx| {
                Box::pin(async move {
                    limits::look(tx, &key, limit, now).await??;
                    tx.find_authorization(&id)
                        .await?
                        .filter(|authorization| authorization.account_id == account)
                        .filter(|authorization| authorization.challenge(kind).is_some())
                        .ok_or(RespondError::NotFound)
                })
            })
            .await
    }

    /// Probes and tells. A verdict that comes soon is one write; before a longer wait the response
    /// becomes durable with a job, so that another process can go on with it.
    async fn take_up(
        &self,
        account: &Account,
        authorization: &Authorization,
        kind: ChallengeKind,
        turn: Turn,
        answer: Answer,
    ) {
        let told = match self.directory_by_id(&authorization.directory_id).await {
            Ok(Some(directory)) => {
                let is_slow = directory.spec.test_mode.is_some();
                let patience = match is_slow {
                    // A test directory shows its clients what `processing` looks like.
                    true => Duration::ZERO,
                    false => self.settings.validation.patience,
                };
                let mut probe = pin!(self.timed_probe(&directory, account, authorization, kind));
                match tokio::time::timeout(patience, &mut probe).await {
                    Ok(Ok(outcome)) => self
                        .record_outcome(None, authorization, kind, outcome)
                        .await
                        .map_err(RespondError::from)
                        .and_then(|recorded| recorded.ok_or(RespondError::NotFound)),
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => {
                        let begun = self.begin_challenge(authorization, kind).await;
                        let (told, job) = match begun {
                            Ok((authorization, job)) => (Ok(authorization), job),
                            Err(error) => (Err(error), None),
                        };
                        // Whether the client still listens changes nothing.
                        let _ = answer.send(told);
                        let Some(job) = job else { return };
                        let outcome = probe.await;
                        drop(turn);
                        return self.conclude(&job, authorization, kind, outcome).await;
                    }
                }
            }
            Ok(None) => Err(RespondError::NoDirectory),
            Err(error) => Err(error.into()),
        };
        let _ = answer.send(told);
    }

    /// Makes the response durable. With the job that now is this process's, unless another was first.
    async fn begin_challenge(
        &self,
        authorization: &Authorization,
        kind: ChallengeKind,
    ) -> Result<(Authorization, Option<JobRow>), RespondError> {
        let now = self.now();
        let id = authorization.id.clone();
        let begun = authorization.challenge(kind);
        let response = begun.and_then(|challenge| challenge.response.clone());
        let job = self.new_job(
            &Job::ValidateChallenge {
                authorization: id.clone(),
                challenge: kind,
            },
            now,
        );
        let lease = self.lease(now);
        self.store
            .write("challenge.respond", move |tx| {
                Box::pin(async move {
                    let mut authorization = tx
                        .find_authorization_for_update(&id)
                        .await?
                        .ok_or(RespondError::NotFound)?;
                    if authorization.begin(kind, now) != Ok(true) {
                        return Ok((authorization, None));
                    }
                    authorization.keep_answer(kind, response);
                    tx.update_authorization(&authorization).await?;
                    tx.enqueue_claimed(&job, &lease).await?;
                    Ok((authorization, Some(job)))
                })
            })
            .await
    }
}

/// The allowance that failed validations of an account are taken from.
pub(crate) fn failure_limit_key(account: &AccountId) -> String {
    format!("challenge:{account}")
}
