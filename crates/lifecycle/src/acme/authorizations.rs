//! Authorizations: looked at, made ahead of an order, answered, given up (RFC 8555 section 7.5).

use std::sync::Arc;
use std::time::Duration;

use domain::acme::account::{Account, AccountStatus};
use domain::acme::authorization::{Authorization, AuthorizationState, Proof, TransitionError};
use domain::acme::directory::Directory;
use domain::id::AuthorizationId;
use domain::identifier::{Identifier, IdentifierError};
use domain::policy::{self, Violation};
use domain::profile::Profile;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::attestation;
use super::email::insert_outgoing;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::limits::{self, RateLimited};

/// Why there is no authorization ahead of an order.
#[derive(Debug, thiserror::Error)]
pub enum NewAuthorizationError {
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    #[error("an authorization ahead of an order cannot be for a wildcard; name the base domain")]
    Wildcard,
    #[error("{}", .0.text())]
    Policy(Violation),
    #[error("no challenge that this directory offers can prove control of {0}")]
    NoChallenge(Identifier),
    #[error("the directory has no profile under which anything could be certified")]
    NoProfile,
    #[error("the account is deactivated")]
    AccountNotValid,
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an authorization is not given up.
#[derive(Debug, thiserror::Error)]
pub enum DeactivateError {
    #[error("there is no such authorization")]
    NotFound,
    #[error(transparent)]
    Transition(#[from] TransitionError),
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
        let identifier = self.parse_identifier(kind, value)?;
        if identifier.is_wildcard() {
            return Err(NewAuthorizationError::Wildcard);
        }
        let profiles = self.profiles_for(directory, &identifier).await?;
        let now = self.now();
        // Which of them the order will be for is not known yet.
        let accepts = |kind| {
            let mut specs = profiles.iter().map(|profile| &profile.spec);
            specs.any(|spec| spec.accepts_challenge(kind))
        };
        let authorization =
            self.pending_authorization(directory, account, &identifier, &accepts, now);
        if authorization.challenges.is_empty() {
            return Err(NewAuthorizationError::NoChallenge(identifier));
        }
        let stored = authorization.clone();
        let mails = self.outgoing_mails(std::slice::from_ref(&authorization));
        let limit = self.settings.limits.new_orders_per_account;
        self.store
            .write("authorization.create", move |tx| {
                Box::pin(async move {
                    let account = tx.find_account(&stored.account_id).await?;
                    if account.is_none_or(|account| account.status != AccountStatus::Valid) {
                        return Err(NewAuthorizationError::AccountNotValid);
                    }
                    // It costs what an order costs, and is no way around the limit of those.
                    let key = format!("order:{}", stored.account_id);
                    limits::take(tx, &key, limit, now).await??;
                    tx.insert_authorization(&stored).await?;
                    for mail in &mails {
                        insert_outgoing(tx, mail).await?;
                    }
                    Ok::<_, NewAuthorizationError>(())
                })
            })
            .await?;
        Ok(authorization)
    }

    /// The profiles of the directory that certify a name; where there is none, the name needs no
    /// authorization.
    async fn profiles_for(
        &self,
        directory: &Directory,
        identifier: &Identifier,
    ) -> Result<Vec<Arc<Profile>>, NewAuthorizationError> {
        let mut fit = Vec::new();
        let mut refusal = None;
        for name in &directory.spec.profiles {
            let Some(profile) = self.profile(name).await? else {
                continue;
            };
            let broken = policy::decide_names(std::slice::from_ref(identifier), &profile);
            // How many names there must be, an order says and not a single name.
            match broken.into_iter().find(|one| one.identifier.is_some()) {
                None => fit.push(profile),
                Some(violation) => refusal = refusal.or(Some(violation)),
            }
        }
        match (fit.is_empty(), refusal) {
            (false, _) => Ok(fit),
            (true, Some(violation)) => Err(NewAuthorizationError::Policy(violation)),
            (true, None) => Err(NewAuthorizationError::NoProfile),
        }
    }

    /// Gives an authorization up (RFC 8555 section 7.5.2).
    pub async fn deactivate_authorization(
        &self,
        account: &Account,
        id: &AuthorizationId,
        caller: &Caller,
    ) -> Result<Authorization, DeactivateError> {
        let now = self.now();
        let (wanted, account_id) = (id.clone(), account.id.clone());
        let mut event = self.event(caller, "authorization.deactivated", id.as_str(), json!({}));
        self.store
            .write("authorization.deactivate", move |tx| {
                Box::pin(async move {
                    let mut authorization = tx
                        .find_authorization_for_update(&wanted)
                        .await?
                        .filter(|authorization| authorization.account_id == account_id)
                        .ok_or(DeactivateError::NotFound)?;
                    event.note("identifier", &authorization.identifier);
                    event.note("before", &authorization.state);
                    authorization.deactivate(now)?;
                    event.note("after", &authorization.state);
                    tx.update_authorization(&authorization).await?;
                    tx.insert_event(&event).await?;
                    Ok(authorization)
                })
            })
            .await
    }
}

/// Whether a valid authorization stands on a proof that the directory takes by its present rules,
/// which may have become stricter since, and that is good enough for the profile.
pub(crate) fn proof_is_accepted(
    authorization: &Authorization,
    directory: &Directory,
    profile: &Profile,
) -> bool {
    match &authorization.state {
        AuthorizationState::Valid { by, .. } => match by {
            Proof::Challenge(kind) => {
                directory.spec.challenges.contains(kind)
                    && profile.spec.accepts_challenge(*kind)
                    && attestation::is_trusted(authorization, profile)
            }
            Proof::Unchecked(kind) => {
                directory.spec.skips_validation() && profile.spec.accepts_challenge(*kind)
            }
            Proof::TrustedBinding => directory.spec.trusted && profile.spec.challenges.is_empty(),
        },
        AuthorizationState::Pending
        | AuthorizationState::Invalid
        | AuthorizationState::Deactivated
        | AuthorizationState::Revoked => false,
    }
}

/// Whether the proof was given within the time that the directory lets orders reuse it.
pub(crate) fn proof_is_recent(
    authorization: &Authorization,
    directory: &Directory,
    now: Timestamp,
) -> bool {
    match &authorization.state {
        AuthorizationState::Valid { validated_at, .. } => {
            now.since(*validated_at)
                <= Duration::from_secs(directory.spec.authorization_reuse_seconds)
        }
        AuthorizationState::Pending
        | AuthorizationState::Invalid
        | AuthorizationState::Deactivated
        | AuthorizationState::Revoked => false,
    }
}
