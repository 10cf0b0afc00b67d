//! Authorizations: looked at, made ahead of an order, answered, given up (RFC 8555 section 7.5).

use domain::acme::account::Account;
use domain::acme::authorization::{Authorization, TransitionError};
use domain::acme::challenge::ChallengeKind;
use domain::acme::directory::Directory;
use domain::id::AuthorizationId;
use domain::identifier::{Identifier, IdentifierError};
use domain::policy::{self, Violation};
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::jobs::Job;
use crate::limits::{self, RateLimited};

/// Why there is no authorization ahead of an order.
#[derive(Debug, thiserror::Error)]
pub enum NewAuthorizationError {
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    #[error("an authorization ahead of an order cannot be for a wildcard; name the base domain")]
    Wildcard,
    #[error("{}", .0.message)]
    Policy(Violation),
    #[error("no challenge that this directory offers can prove control of {0}")]
    NoChallenge(Identifier),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a challenge is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    #[error("there is no such challenge")]
    NotFound,
    #[error(transparent)]
    Transition(#[from] TransitionError),
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The authorization with that id, if it is of that account.
    pub async fn authorization(
        &self,
        account: &Account,
        id: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        let (account, id) = (account.id.clone(), id.clone());
        let found = self
            .store
            .read("authorization.find", |tx| {
                Box::pin(async move { tx.find_authorization(&id).await })
            })
            .await?;
        Ok(found.filter(|authorization| authorization.account_id == account))
    }

    /// Pre-authorization (RFC 8555 section 7.4.1).
    pub async fn new_authorization(
        &self,
        directory: &Directory,
        account: &Account,
        kind: &str,
        value: &str,
    ) -> Result<Authorization, NewAuthorizationError> {
        let identifier = Identifier::parse(kind, value)?;
        if identifier.is_wildcard() {
            return Err(NewAuthorizationError::Wildcard);
        }
        for name in &directory.spec.profiles {
            if let Some(profile) = self.profile(name).await? {
                let broken = policy::decide_names(std::slice::from_ref(&identifier), &profile);
                if let Some(violation) = broken.into_iter().next() {
                    return Err(NewAuthorizationError::Policy(violation));
                }
            }
        }
        let now = self.now();
        let authorization = self.pending_authorization(directory, account, &identifier, now);
        if authorization.challenges.is_empty() {
            return Err(NewAuthorizationError::NoChallenge(identifier));
        }
        let stored = authorization.clone();
        self.store
            .write("authorization.create", move |tx| {
                Box::pin(async move { tx.insert_authorization(&stored).await })
            })
            .await?;
        Ok(authorization)
    }

    /// The client's response is in place: the probe begins, off this request's path.
    pub async fn respond_to_challenge(
        self: &std::sync::Arc<Self>,
        account: &Account,
        id: &AuthorizationId,
        kind: ChallengeKind,
    ) -> Result<Authorization, RespondError> {
        let now = self.now();
        let job = self.new_job(
            &Job::ValidateChallenge {
                authorization: id.clone(),
                challenge: kind,
            },
            now,
        );
        let claimed = job.clone();
        let (wanted, account_id) = (id.clone(), account.id.clone());
        let limit = self.settings.limits.failed_validations_per_account;
        let limit_key = format!("challenge:{account_id}");
        let lease = self.lease(now);
        let (authorization, begun) = self
            .store
            .write("challenge.respond", move |tx| {
                Box::pin(async move {
                    let mut authorization = tx
                        .find_authorization_for_update(&wanted)
                        .await?
                        .filter(|authorization| authorization.account_id == account_id)
                        .ok_or(RespondError::NotFound)?;
                    if authorization.challenge(kind).is_none() {
                        return Err(RespondError::NotFound);
                    }
                    // Asking again about what is decided is a question, not a request.
                    let begun = match authorization.begin(kind, now) {
                        Ok(begun) => begun,
                        Err(TransitionError::NotPending) => false,
                        Err(error) => return Err(error.into()),
                    };
                    if begun {
                        limits::take(tx, &limit_key, limit, now).await??;
                        tx.update_authorization(&authorization).await?;
                        tx.enqueue_claimed(&job, &lease).await?;
                    }
                    Ok((authorization, begun))
                })
            })
            .await?;
        if begun {
            self.spawn_validation(claimed, account.clone(), authorization.clone(), kind);
        }
        Ok(authorization)
    }

    /// Gives an authorization up (RFC 8555 section 7.5.2).
    pub async fn deactivate_authorization(
        &self,
        account: &Account,
        id: &AuthorizationId,
        caller: &Caller,
    ) -> Result<Authorization, RespondError> {
        let now = self.now();
        let (wanted, account_id) = (id.clone(), account.id.clone());
        let event = self.event(caller, "authorization.deactivated", id.as_str(), json!({}));
        self.store
            .write("authorization.deactivate", move |tx| {
                Box::pin(async move {
                    let mut authorization = tx
                        .find_authorization_for_update(&wanted)
                        .await?
                        .filter(|authorization| authorization.account_id == account_id)
                        .ok_or(RespondError::NotFound)?;
                    authorization.deactivate(now)?;
                    tx.update_authorization(&authorization).await?;
                    tx.insert_event(&event).await?;
                    Ok(authorization)
                })
            })
            .await
    }
}
