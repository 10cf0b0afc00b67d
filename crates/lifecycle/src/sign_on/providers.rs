//! Sign-on providers: what operators say about them.

use domain::access::granting::check_grant;
use domain::access::{Grant, Rights};
use domain::id::ProviderId;
use domain::keystore::KeyStoreError;
use domain::sign_on::{GroupGrant, Provider, ProviderFault, ProviderSpec};
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::access::AccessError;
use crate::access::grants::{self, NewGrant};
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::operator::{Expected, version_after};

/// One group's role, by the names that people use.
#[derive(Clone, Debug)]
pub struct NewGroupGrant {
    pub group: String,
    pub grant: NewGrant,
}

/// What an operator sends: rules, group grants by name, and the client's secret where it changes.
pub struct NewProvider {
    pub name: String,
    /// Its `grants` are made of those below.
    pub spec: ProviderSpec,
    pub grants: Vec<NewGroupGrant>,
    pub secret: NewSecret,
}

/// What becomes of the client's secret.
pub enum NewSecret {
    Kept,
    Set(SecretString),
    /// The client is public: PKCE alone protects it.
    Removed,
}

/// Why a provider stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("`{0}` is no name for a provider; use lower-case letters, digits and hyphens, 1 to 63")]
    BadName(String),
    #[error("the settings cannot work")]
    Faults(Vec<ProviderFault>),
    #[error("there is no sign-on provider `{0}`")]
    Unknown(String),
    #[error("users sign in with this provider; delete them first, or disable the provider")]
    InUse,
    #[error("the provider was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// All providers by name.
    pub async fn list_providers(&self) -> Result<Vec<Provider>, StoreError> {
        self.store
            .read("provider.list", |tx| {
                Box::pin(async move { tx.list_providers().await })
            })
            .await
    }

    /// The provider of that name.
    pub async fn provider(&self, name: &str) -> Result<Option<Provider>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("provider.by_name", move |tx| {
                Box::pin(async move { tx.find_provider_by_name(&name).await })
            })
            .await
    }

    /// The client's secret, for whoever talks to the provider.
    pub(super) fn provider_secret(
        &self,
        provider: &Provider,
    ) -> Result<Option<SecretString>, KeyStoreError> {
        let Some(sealed) = &provider.sealed_secret else {
            return Ok(None);
        };
        let octets = self.sealer.open(&seal_context(&provider.id), sealed)?;
        let text = String::from_utf8_lossy(&octets).into_owned();
        Ok(Some(SecretString::from(text)))
    }

    /// Makes a provider, or changes the one of that name. Nobody maps a group to more than they hold.
    pub async fn put_provider(
        &self,
        request: NewProvider,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Provider, ProviderError> {
        let NewProvider {
            name,
            mut spec,
            grants,
            secret,
        } = request;
        if !is_slug(&name) || name == "callback" {
            return Err(ProviderError::BadName(name.chars().take(80).collect()));
        }
        let faults = spec.faults();
        if !faults.is_empty() {
            return Err(ProviderError::Faults(faults));
        }
        let now = self.now();
        let fresh_id = ProviderId::mint(now, &*self.random);
        let mut event = self.event(caller, "sign_on_provider.changed", &name, json!({}));
        let (rights, sealer) = (caller.rights.clone(), std::sync::Arc::clone(&self.sealer));
        let stored = self
            .store
            .write("provider.put", move |tx| {
                Box::pin(async move {
                    let known = tx.find_provider_by_name_for_update(&name).await?;
                    if !expected.agrees(known.as_ref().map(|known| &known.updated_at)) {
                        return Err(ProviderError::Changed);
                    }
                    // What is taken away from groups takes as much as what is given to them.
                    let before = known.as_ref().map(|known| known.spec.clone());
                    check_taken(tx, &rights, before.as_ref()).await?;
                    spec.grants = resolve(tx, &rights, grants).await?;
                    let id = known.as_ref().map_or(fresh_id, |known| known.id.clone());
                    let kept = known.as_ref().and_then(|known| known.sealed_secret.clone());
                    let provider = Provider {
                        sealed_secret: match secret {
                            NewSecret::Kept => kept,
                            NewSecret::Removed => None,
                            NewSecret::Set(secret) => {
                                let octets = secret.expose_secret().as_bytes();
                                Some(sealer.seal(&seal_context(&id), octets))
                            }
                        },
                        id,
                        name,
                        spec,
                        created_at: known.as_ref().map_or(now, |known| known.created_at),
                        updated_at: known
                            .as_ref()
                            .map_or(now, |known| version_after(known.updated_at, now)),
                    };
                    match known {
                        Some(_) => tx.update_provider(&provider).await.map(drop)?,
                        None => tx.insert_provider(&provider).await?,
                    }
                    event.data = json!({ "before": before, "after": provider.spec });
                    tx.insert_event(&event).await?;
                    Ok(provider)
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(stored)
    }

    /// Removes a provider that nobody signs in with.
    pub async fn delete_provider(&self, name: &str, caller: &Caller) -> Result<(), ProviderError> {
        let mut event = self.event(caller, "sign_on_provider.deleted", name, json!({}));
        let (name, rights) = (name.to_owned(), caller.rights.clone());
        self.store
            .write("provider.delete", move |tx| {
                Box::pin(async move {
                    let known = tx.find_provider_by_name_for_update(&name).await?;
                    let known = known
                        .ok_or_else(|| ProviderError::Unknown(name.chars().take(80).collect()))?;
                    check_taken(tx, &rights, Some(&known.spec)).await?;
                    if tx.has_users_of_provider(&known.id).await? {
                        return Err(ProviderError::InUse);
                    }
                    tx.delete_provider(&known.id).await?;
                    event.data = json!({ "before": known.spec });
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Names of roles and teams, checked against what the caller may give, as what they stand for.
async fn resolve(
    tx: &mut Tx<'_>,
    rights: &Rights,
    wanted: Vec<NewGroupGrant>,
) -> Result<Vec<GroupGrant>, ProviderError> {
    let mut resolved = Vec::with_capacity(wanted.len());
    for NewGroupGrant { group, grant } in wanted {
        if group.trim().is_empty() {
            return Err(ProviderError::Faults(vec![ProviderFault::NoGroup]));
        }
        let checked = grants::check(tx, rights, &grant).await?;
        resolved.push(GroupGrant {
            group,
            role: checked.role,
            team: checked.scope.team().cloned(),
        });
    }
    Ok(resolved)
}

async fn check_taken(
    tx: &mut Tx<'_>,
    rights: &Rights,
    before: Option<&ProviderSpec>,
) -> Result<(), ProviderError> {
    let given = before.map_or(&[][..], |spec| spec.grants.as_slice());
    let grants: Vec<Grant> = given.iter().map(GroupGrant::as_grant).collect();
    for held in tx.held_roles(&grants).await? {
        check_grant(rights, &held.permissions, &held.scope).map_err(AccessError::from)?;
    }
    Ok(())
}

fn seal_context(id: &ProviderId) -> String {
    format!("sign_on_providers/{id}")
}
