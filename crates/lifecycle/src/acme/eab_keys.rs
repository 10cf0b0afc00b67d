//! External account binding keys: made, shown once, used, revoked.

use std::time::Duration;

use domain::access::Visibility;
use domain::acme::account::AccountStatus;
use domain::acme::eab::{EabKey, EabUsage};
use domain::id::{DirectoryId, EabKeyId, TeamId};
use domain::keystore::KeyStoreError;
use domain::metadata::{Circumstance, Values};
use domain::permission::Permission;
use domain::policy::Violation;
use domain::profile::NamePattern;
use serde_json::json;
use store::StoreError;
use zeroize::Zeroizing;

use crate::Lifecycle;
use crate::actor::Caller;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewEabKey {
    pub name: String,
    pub directory: Option<String>,
    /// The team that owns it, and what is ordered with it.
    pub team: Option<TeamId>,
    pub allowed_names: Vec<NamePattern>,
    pub usage: EabUsage,
    /// Values of custom metadata that orders of its accounts inherit.
    pub metadata: Values,
    pub lifetime: Option<Duration>,
}

/// A key that was made, with its secret: the only time it is shown.
pub struct CreatedEabKey {
    pub key: EabKey,
    /// The HMAC key, base64url.
    pub hmac: Zeroizing<String>,
}

/// Why a key is not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum EabKeyError {
    #[error("there is no ACME directory `{0}`")]
    NoSuchDirectory(String),
    #[error("a name is needed: say who the key is for")]
    NoName,
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes a key.
    pub async fn create_eab_key(
        &self,
        request: NewEabKey,
        caller: &Caller,
    ) -> Result<CreatedEabKey, EabKeyError> {
        if request.name.trim().is_empty() {
            return Err(EabKeyError::NoName);
        }
        let visible = caller.rights.visible(Permission::AcmeRead);
        let directory_id: Option<DirectoryId> = match &request.directory {
            None => None,
            Some(name) => match self.directory(name).await? {
                Some(directory) if visible.shows_shared(directory.team_id.as_ref()) => {
                    Some(directory.id.clone())
                }
                Some(_) | None => return Err(EabKeyError::NoSuchDirectory(name.clone())),
            },
        };
        let metadata = self
            .fields()
            .await?
            .check_passed_on(&request.metadata, Circumstance::EabKey)
            .map_err(EabKeyError::Metadata)?;
        let now = self.now();
        let id = EabKeyId::mint(now, &*self.random);
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.random.octets());
        let key = EabKey {
            sealed_hmac: self.sealer.seal(&seal_context(&id), &*secret),
            id,
            name: request.name,
            directory_id,
            allowed_names: request.allowed_names,
            usage: request.usage,
            metadata,
            uses: 0,
            expires_at: request.lifetime.map(|lifetime| now + lifetime),
            revoked_at: None,
            last_used_at: None,
            team_id: request.team,
            created_at: now,
        };
        let event = self.event(
            caller,
            "eab_key.created",
            key.id.as_str(),
            json!({
                "name": key.name,
                "directory": request.directory,
                "team": key.team_id,
                "allowed_names": key.allowed_names,
                "expires_at": key.expires_at,
                "metadata": key.metadata,
            }),
        );
        let stored = key.clone();
        self.store
            .write("eab_key.create", move |tx| {
                Box::pin(async move {
                    tx.insert_eab_key(&stored).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        let hmac = Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&*secret));
        Ok(CreatedEabKey { key, hmac })
    }

    /// The HMAC key behind a `kid`, for whoever checks a binding; `None` for an unknown kid.
    pub async fn eab_hmac(
        &self,
        kid: &str,
    ) -> Result<Option<(EabKeyId, Zeroizing<Vec<u8>>)>, EabKeyError> {
        let Ok(id) = kid.parse::<EabKeyId>() else {
            return Ok(None);
        };
        let Some(key) = self.eab_key(&id).await? else {
            return Ok(None);
        };
        let hmac = self.sealer.open(&seal_context(&id), &key.sealed_hmac)?;
        Ok(Some((id, hmac)))
    }

    /// The key with that id.
    pub async fn eab_key(&self, id: &EabKeyId) -> Result<Option<EabKey>, StoreError> {
        let id = id.clone();
        self.store
            .read("eab_key.find", |tx| {
                Box::pin(async move { tx.find_eab_key(&id).await })
            })
            .await
    }

    /// The keys of the teams that are seen, newest first.
    pub async fn list_eab_keys(
        &self,
        visible: Visibility,
        after: Option<EabKeyId>,
        limit: u32,
    ) -> Result<Vec<EabKey>, StoreError> {
        self.store
            .scan("eab_key.list", move |tx| {
                Box::pin(async move { tx.list_eab_keys(&visible, after.as_ref(), limit).await })
            })
            .await
    }

    /// Revokes a key, and with `cascade` the accounts it bound. Gives the number of accounts
    /// that ended, or `None` for an unknown key.
    pub async fn revoke_eab_key(
        &self,
        id: &EabKeyId,
        cascade: bool,
        caller: &Caller,
    ) -> Result<Option<u64>, StoreError> {
        let now = self.now();
        let event = self.event(
            caller,
            "eab_key.revoked",
            id.as_str(),
            json!({ "cascade": cascade, "before": "usable", "after": "revoked" }),
        );
        let wanted = id.clone();
        let known = self
            .store
            .write("eab_key.revoke", move |tx| {
                Box::pin(async move {
                    if tx.find_eab_key(&wanted).await?.is_none() {
                        return Ok::<_, StoreError>(false);
                    }
                    if tx.revoke_eab_key(&wanted, now).await? {
                        tx.insert_event(&event).await?;
                    }
                    Ok(true)
                })
            })
            .await?;
        if !known {
            return Ok(None);
        }
        if !cascade {
            return Ok(Some(0));
        }
        self.end_accounts_of_key(id, caller).await.map(Some)
    }

    async fn end_accounts_of_key(&self, id: &EabKeyId, caller: &Caller) -> Result<u64, StoreError> {
        let mut ended = 0;
        let mut after = None;
        loop {
            let (key, cursor) = (id.clone(), after.take());
            let page = self
                .store
                .scan("account.of_eab_key", move |tx| {
                    Box::pin(async move {
                        tx.list_accounts_of_eab_key(&key, cursor.as_ref(), PAGE)
                            .await
                    })
                })
                .await?;
            for account in &page {
                if account.status == AccountStatus::Valid {
                    self.end_account(&account.id, AccountStatus::Revoked, caller)
                        .await?;
                    ended += 1;
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.id.clone()),
                _ => return Ok(ended),
            }
        }
    }
}

fn seal_context(id: &EabKeyId) -> String {
    format!("eab_keys/{id}")
}

const PAGE: u32 = 500;
