//! Access to the REST API: who may do what, tokens, and the one-time link that makes the first.

pub mod grants;
pub mod owners;
pub(crate) mod rights;
pub mod roles;
pub mod teams;

use std::collections::HashMap;
use std::time::Duration;

use domain::access::granting::{GrantRefusal, check_grant, check_lifetime};
use domain::access::{Grant, HeldRole, Principal, Rights, Scope};
use domain::id::{GrantId, TokenId};
use domain::permission::Permission;
use domain::role::Role;
use domain::token::{ApiToken, TokenSecret};
use serde_json::json;
use store::{StoreError, Tx};

pub use rights::TeamChoiceError;

use crate::Lifecycle;
use crate::actor::Caller;
use grants::{NewGrant, is_administrator, keep_an_administrator};

/// Why a change of who may do what was not made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("{0}")]
    Refused(#[from] GrantRefusal),
    #[error("this needs the permission `{0}` for the team at hand, which you do not hold")]
    Forbidden(Permission),
    #[error("`{0}` is no name for this; use lower-case letters, digits and hyphens, 1 to 63")]
    BadName(String),
    #[error("the name is empty; say who or what the token is for")]
    NoName,
    #[error("there is no role `{0}`; `certwright role list` shows those there are")]
    NoSuchRole(String),
    #[error("there is no team `{0}`; `certwright team list` shows those there are")]
    NoSuchTeam(String),
    #[error("there is neither a user nor a token in force with the id {0}")]
    NoSuchPrincipal(Principal),
    #[error("there is no grant {0}")]
    NoSuchGrant(GrantId),
    #[error("there is no such thing")]
    Unknown,
    #[error("the role `{0}` is built in and stays as it is; make one of another name")]
    BuiltInRole(String),
    #[error("the role is held by {0} grants; withdraw them first")]
    RoleHeld(u64),
    #[error("the role is asked by {}; change them first", .0.join(", "))]
    RoleAsked(Vec<String>),
    #[error("it is granted already")]
    AlreadyGranted,
    #[error("the team still owns {}; transfer them first", .0.join(", "))]
    TeamOwns(Vec<&'static str>),
    #[error(
        "this would leave no administrator; give somebody else the role `administrator` everywhere first"
    )]
    LastAdministrator,
    #[error("it was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A token to be made, with the role that it begins with.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub grant: NewGrant,
    /// For ever without one.
    pub lifetime: Option<Duration>,
}

/// A token with its secret: the only time it is shown.
pub struct CreatedToken {
    pub token: ApiToken,
    pub roles: Vec<HeldRole>,
    pub secret: TokenSecret,
}

impl Lifecycle {
    /// Makes a token that holds a built-in role everywhere.
    pub async fn create_token(
        &self,
        name: String,
        role: Role,
        lifetime: Option<Duration>,
        caller: &Caller,
    ) -> Result<CreatedToken, AccessError> {
        let grant = NewGrant {
            role: role.to_string(),
            team: None,
        };
        let token = NewToken {
            name,
            grant,
            lifetime,
        };
        self.create_token_with(token, caller).await
    }

    /// Makes a token. It may do no more than whoever makes it, and a token's token ends no later.
    pub async fn create_token_with(
        &self,
        request: NewToken,
        caller: &Caller,
    ) -> Result<CreatedToken, AccessError> {
        if request.name.trim().is_empty() {
            return Err(AccessError::NoName);
        }
        let now = self.now();
        let secret = TokenSecret::generate(&*self.random);
        let token = ApiToken {
            id: TokenId::mint(now, &*self.random),
            name: request.name,
            hash: secret.hash(),
            expires_at: request.lifetime.map(|lifetime| now + lifetime),
            last_used_at: None,
            revoked_at: None,
            created_at: now,
            created_by: caller.principal(),
        };
        let (role, team) = (&request.grant.role, &request.grant.team);
        let event = self.event(
            caller,
            "token.created",
            token.id.as_str(),
            json!({ "name": token.name, "role": role, "team": team, "expires_at": token.expires_at }),
        );
        let grant_id = GrantId::mint(now, &*self.random);
        let (stored, rights) = (token.clone(), caller.rights.clone());
        let roles = self
            .store
            .write("token.create", move |tx| {
                Box::pin(async move {
                    if let Some(Principal::Token(maker)) = &stored.created_by {
                        let maker = tx.find_token(maker).await?;
                        check_lifetime(maker.and_then(|t| t.expires_at), stored.expires_at)?;
                    }
                    let checked = grants::check(tx, &rights, &request.grant).await?;
                    tx.insert_token(&stored).await?;
                    let grant = Grant {
                        id: grant_id,
                        principal: Principal::Token(stored.id),
                        role: checked.role,
                        scope: checked.scope,
                        created_at: now,
                    };
                    tx.insert_grant(&grant).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, AccessError>(tx.held_roles(&[grant]).await?)
                })
            })
            .await?;
        Ok(CreatedToken {
            token,
            roles,
            secret,
        })
    }

    /// The token behind a presented secret, if it opens anything now.
    pub async fn authenticate(&self, presented: &str) -> Result<Option<ApiToken>, StoreError> {
        let hash = TokenSecret::from_presented(presented).hash();
        let now = self.now();
        let found = self
            .store
            .read("token.by_hash", |tx| {
                Box::pin(async move { tx.find_token_by_hash(&hash).await })
            })
            .await?;
        let Some(token) = found.filter(|token| token.is_usable(now)) else {
            return Ok(None);
        };
        // Once a minute is enough to tell a used token from a forgotten one.
        let stale = token
            .last_used_at
            .is_none_or(|at| now.since(at) > Duration::from_secs(60));
        if stale {
            let id = token.id.clone();
            self.store
                .write("token.touch", move |tx| {
                    Box::pin(async move { tx.touch_token(&id, now).await.map(drop) })
                })
                .await?;
        }
        Ok(Some(token))
    }

    /// Tokens that the caller sees, newest first, each with the roles that it sees of it.
    pub async fn list_tokens(
        &self,
        rights: &Rights,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<(ApiToken, Vec<HeldRole>)>, StoreError> {
        let visible = rights.visible(Permission::AccessRead);
        self.store
            .scan("token.list", move |tx| {
                Box::pin(async move {
                    let tokens = tx.list_tokens(&visible, after.as_ref(), limit).await?;
                    let ids = tokens
                        .iter()
                        .map(|token| Principal::Token(token.id.clone()));
                    let ids: Vec<_> = ids.collect();
                    let mut grants = tx.list_grants_of(&ids).await?;
                    grants.retain(|grant| visible.shows(grant.scope.team()));
                    with_roles(tx, tokens, grants).await
                })
            })
            .await
    }

    /// Revokes a token. Takes what it would take to withdraw each of its roles; the last
    /// administrator's stays.
    pub async fn revoke_token(&self, id: &TokenId, caller: &Caller) -> Result<(), AccessError> {
        let now = self.now();
        let data = json!({ "before": "usable", "after": "revoked" });
        let event = self.event(caller, "token.revoked", id.as_str(), data);
        let (id, rights) = (id.clone(), caller.rights.clone());
        self.store
            .write("token.revoke", move |tx| {
                Box::pin(async move {
                    tx.lock_administrators().await?;
                    let principal = Principal::Token(id.clone());
                    let held = tx.list_grants_of(std::slice::from_ref(&principal)).await?;
                    require_revocable(tx, &rights, &held).await?;
                    if !tx.revoke_token(&id, now).await? {
                        return Err(AccessError::Unknown);
                    }
                    if held.iter().any(is_administrator) {
                        keep_an_administrator(tx, now).await?;
                    }
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(())
    }

    /// Makes the secret of the one-time setup link, in place of an earlier one.
    pub async fn create_setup_link(&self) -> Result<TokenSecret, StoreError> {
        let secret = TokenSecret::generate(&*self.random);
        let (hash, now) = (secret.hash().to_string(), self.now());
        self.store
            .write("setup.link", move |tx| {
                Box::pin(async move { tx.put_setting(SETUP, &hash, now).await })
            })
            .await?;
        Ok(secret)
    }

    /// Whether a setup link is open and this is it.
    pub async fn is_setup_link(&self, presented: &str) -> Result<bool, StoreError> {
        let hash = TokenSecret::from_presented(presented).hash().to_string();
        let stored = self
            .store
            .read("setup.find", |tx| {
                Box::pin(async move { tx.find_setting(SETUP).await })
            })
            .await?;
        Ok(stored.is_some_and(|stored| stored == hash))
    }

    /// Whether nobody has used the setup link yet.
    pub async fn awaits_setup(&self) -> Result<bool, StoreError> {
        let stored = self
            .store
            .read("setup.find", |tx| {
                Box::pin(async move { tx.find_setting(SETUP).await })
            })
            .await?;
        Ok(stored.is_some())
    }
}

/// A token that the caller does not see is not there.
async fn require_revocable(
    tx: &mut Tx<'_>,
    rights: &Rights,
    held: &[Grant],
) -> Result<(), AccessError> {
    let sees = |scope: &Scope| rights.visible(Permission::AccessRead).shows(scope.team());
    let administers = |scope: &Scope| rights.allows(Permission::AccessAdminister, scope.team());
    let everywhere = rights.allows(Permission::AccessAdminister, None);
    let mut scopes = held.iter().map(|grant| &grant.scope);
    if !everywhere && !scopes.any(|scope| sees(scope) || administers(scope)) {
        return Err(AccessError::Unknown);
    }
    for held in tx.held_roles(held).await? {
        check_grant(rights, &held.permissions, &held.scope)?;
    }
    Ok(())
}

async fn with_roles(
    tx: &mut Tx<'_>,
    tokens: Vec<ApiToken>,
    grants: Vec<Grant>,
) -> Result<Vec<(ApiToken, Vec<HeldRole>)>, StoreError> {
    let mut by_principal: HashMap<Principal, Vec<Grant>> = HashMap::new();
    for grant in grants {
        let of_one = by_principal.entry(grant.principal.clone());
        of_one.or_default().push(grant);
    }
    let mut listed = Vec::with_capacity(tokens.len());
    for token in tokens {
        let grants = by_principal.remove(&Principal::Token(token.id.clone()));
        let roles = tx.held_roles(&grants.unwrap_or_default()).await?;
        listed.push((token, roles));
    }
    Ok(listed)
}

pub(crate) const SETUP: &str = "setup-link";
