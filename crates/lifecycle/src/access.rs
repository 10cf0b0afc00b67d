//! Access to the REST API: tokens, and the one-time link that makes the first of them.

use std::time::Duration;

use domain::id::TokenId;
use domain::role::Role;
use domain::token::{ApiToken, TokenSecret};
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// A token with its secret: the only time it is shown.
pub struct CreatedToken {
    pub token: ApiToken,
    pub secret: TokenSecret,
}

impl Lifecycle {
    /// Makes a token.
    pub async fn create_token(
        &self,
        name: String,
        role: Role,
        lifetime: Option<Duration>,
        caller: &Caller,
    ) -> Result<CreatedToken, StoreError> {
        let now = self.now();
        let secret = TokenSecret::generate(&*self.random);
        let token = ApiToken {
            id: TokenId::mint(now, &*self.random),
            name,
            role,
            hash: secret.hash(),
            expires_at: lifetime.map(|lifetime| now + lifetime),
            last_used_at: None,
            revoked_at: None,
            created_at: now,
        };
        let event = self.event(
            caller,
            "token.created",
            token.id.as_str(),
            json!({ "name": token.name, "role": role, "expires_at": token.expires_at }),
        );
        let stored = token.clone();
        self.store
            .write("token.create", move |tx| {
                Box::pin(async move {
                    tx.insert_token(&stored).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        Ok(CreatedToken { token, secret })
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

    /// Tokens, newest first.
    pub async fn list_tokens(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<ApiToken>, StoreError> {
        self.store
            .scan("token.list", move |tx| {
                Box::pin(async move { tx.list_tokens(after.as_ref(), limit).await })
            })
            .await
    }

    /// Revokes a token. Says whether there was one to revoke.
    pub async fn revoke_token(&self, id: &TokenId, caller: &Caller) -> Result<bool, StoreError> {
        let now = self.now();
        let event = self.event(caller, "token.revoked", id.as_str(), json!({}));
        let id = id.clone();
        self.store
            .write("token.revoke", move |tx| {
                Box::pin(async move {
                    let revoked = tx.revoke_token(&id, now).await?;
                    if revoked {
                        tx.insert_event(&event).await?;
                    }
                    Ok(revoked)
                })
            })
            .await
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

    /// Uses the setup link up: gives the administrator's token, to exactly one caller.
    pub async fn redeem_setup_link(
        &self,
        presented: &str,
        caller: &Caller,
    ) -> Result<Option<CreatedToken>, StoreError> {
        if !self.is_setup_link(presented).await? {
            return Ok(None);
        }
        let redeemed = self
            .store
            .write("setup.redeem", |tx| {
                Box::pin(async move { tx.delete_setting(SETUP).await })
            })
            .await?;
        if !redeemed {
            return Ok(None);
        }
        self.create_token(
            "first administrator".to_owned(),
            Role::Administrator,
            None,
            caller,
        )
        .await
        .map(Some)
    }
}

const SETUP: &str = "setup-link";
