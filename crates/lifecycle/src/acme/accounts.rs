//! Accounts: create, find, change, roll the key over, deactivate (RFC 8555 section 7.3).

use std::sync::Arc;

use domain::acme::account::{Account, AccountStatus};
use domain::acme::directory::Directory;
use domain::acme::eab::EabRefusal;
use domain::id::{AccountId, EabKeyId};
use domain::metadata::Values;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::limits::{self, RateLimited};
use crate::remembered::Remembered;

/// Accounts by id, remembered for a second: long enough for a flow, short enough that a
/// deactivation on another node takes effect at once. Every change re-reads under lock.
pub(crate) type AccountCache = Remembered<AccountId, Arc<Account>>;

/// A new account as asked for, everything about its signature already checked.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Canonical JWK JSON.
    pub jwk: String,
    pub thumbprint: String,
    pub contacts: Vec<String>,
    pub terms_agreed: bool,
    pub only_return_existing: bool,
    /// The binding key whose MAC was verified, and the binding as sent.
    pub binding: Option<(EabKeyId, String)>,
}

/// The account of a key, and whether it is new.
#[derive(Clone, Debug)]
pub struct FoundAccount {
    pub account: Arc<Account>,
    pub is_new: bool,
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub enum NewAccountError {
    #[error("no account has this key, and the request asks for an existing one only")]
    DoesNotExist,
    #[error("the account of this key is deactivated; use a new key")]
    Deactivated,
    #[error(
        "this directory takes accounts with an external account binding only; ask its operator for a key"
    )]
    BindingRequired,
    #[error("the terms of service are not agreed to; read them and set termsOfServiceAgreed")]
    TermsNotAgreed,
    #[error("{0}")]
    Binding(#[from] EabRefusal),
    #[error("the external account binding key is unknown")]
    UnknownBinding,
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key is not rolled over (RFC 8555 section 7.3.5).
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The account that has the key already, whose URL the answer carries.
    #[error("the new key belongs to another account")]
    KeyInUse(AccountId),
    #[error("the account's key is no longer the one in `oldKey`")]
    OldKeyMismatch,
    #[error("the account is not valid")]
    NotValid,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// The account with that id.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        let read = self.store.read("account.find", |tx| {
            let wanted = id.clone();
            Box::pin(async move { tx.find_account(&wanted).await })
        });
        let found = async { Ok(read.await?.map(Arc::new)) };
        self.accounts.get_or_read(id, found).await
    }

    /// The account that a key has already.
    pub async fn existing_account(
        &self,
        directory: &Directory,
        thumbprint: &str,
    ) -> Result<Option<Arc<Account>>, NewAccountError> {
        match self.account_of_key(directory, thumbprint).await? {
            Some(account) => Ok(Some(found_account(account)?.account)),
            None => Ok(None),
        }
    }

    /// A new account for a key that has none; should another request have made one meanwhile,
    /// that one.
    pub async fn new_account(
        &self,
        directory: &Directory,
        request: NewAccount,
        caller: &Caller,
    ) -> Result<FoundAccount, NewAccountError> {
        if request.only_return_existing {
            return Err(NewAccountError::DoesNotExist);
        }
        if directory.spec.external_account_required && request.binding.is_none() {
            return Err(NewAccountError::BindingRequired);
        }
        if directory.spec.terms_of_service.is_some() && !request.terms_agreed {
            return Err(NewAccountError::TermsNotAgreed);
        }
        let thumbprint = request.thumbprint.clone();
        let error = match self.insert_account(directory, request, caller).await {
            Ok(account) => return Ok(account),
            Err(error) => error,
        };
        let may_be_beaten = match &error {
            NewAccountError::Store(error) => error.is_duplicate(),
            NewAccountError::Binding(refusal) => *refusal == EabRefusal::Used,
            _ => false,
        };
        // Another request with the same key was faster: its account is this one's, too.
        match may_be_beaten {
            true => match self.account_of_key(directory, &thumbprint).await? {
                Some(found) => found_account(found),
                None => Err(error),
            },
            false => Err(error),
        }
    }

    async fn account_of_key(
        &self,
        directory: &Directory,
        thumbprint: &str,
    ) -> Result<Option<Account>, StoreError> {
        let (directory, thumbprint) = (directory.id.clone(), thumbprint.to_owned());
        self.store
            .read("account.by_key", |tx| {
                Box::pin(
                    async move { tx.find_account_by_thumbprint(&directory, &thumbprint).await },
                )
            })
            .await
    }

    async fn insert_account(
        &self,
        directory: &Directory,
        request: NewAccount,
        caller: &Caller,
    ) -> Result<FoundAccount, NewAccountError> {
        let now = self.now();
        let (eab_key_id, eab_jws) = request.binding.unzip();
        let mut account = Account {
            id: AccountId::mint(now, &*self.random),
            directory_id: directory.id.clone(),
            jwk: request.jwk,
            thumbprint: request.thumbprint,
            status: AccountStatus::Valid,
            contacts: request.contacts,
            terms_agreed: request.terms_agreed,
            eab_key_id,
            eab_jws,
            metadata: Values::new(),
            created_from: caller.actor.address.clone(),
            team_id: directory.team_id.clone(),
            created_at: now,
            updated_at: now,
        };
        let event = self.event(
            &Caller::acme_account(
                account.id.as_str(),
                caller.actor.address.clone(),
                caller.request_id.clone(),
            ),
            "account.created",
            account.id.as_str(),
            json!({
                "directory": directory.name,
                "contacts": account.contacts,
                "thumbprint": account.thumbprint,
                "eab_key": account.eab_key_id,
            }),
        );
        let limit = self.settings.limits.new_accounts_per_address;
        let limit_key = caller
            .actor
            .address
            .as_ref()
            .map(|address| format!("account:{address}"));
        let account = self
            .store
            .write("account.create", move |tx| {
                Box::pin(async move {
                    if let Some(key) = limit_key {
                        limits::take(tx, &key, limit, now).await??;
                    }
                    if let Some(id) = &account.eab_key_id {
                        let key = tx
                            .find_eab_key_for_update(id)
                            .await?
                            .ok_or(NewAccountError::UnknownBinding)?;
                        key.check_usable(&account.directory_id, now)?;
                        // Whose key it is says whose account it is, before the directory does.
                        account.team_id = key.team_id.or(account.team_id);
                        tx.note_eab_key_use(id, now).await?;
                    }
                    tx.insert_account(&account).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, NewAccountError>(account)
                })
            })
            .await?;
        Ok(FoundAccount {
            account: Arc::new(account),
            is_new: true,
        })
    }

    /// Replaces the contacts.
    pub async fn update_contacts(
        &self,
        id: &AccountId,
        contacts: Vec<String>,
        caller: &Caller,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        self.change_account(id, "account.updated", caller, move |account| {
            account.contacts = contacts;
        })
        .await
    }

    /// Ends an account, by its holder (RFC 8555 section 7.3.6) or by us. For good.
    pub async fn end_account(
        &self,
        id: &AccountId,
        status: AccountStatus,
        caller: &Caller,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let name = match status {
            AccountStatus::Deactivated => "account.deactivated",
            AccountStatus::Revoked => "account.revoked",
            AccountStatus::Valid => return self.account(id).await,
        };
        self.change_account(id, name, caller, move |account| {
            account.status = status;
        })
        .await
    }

    /// Changes a valid account under lock; one that is not valid stays as it is.
    async fn change_account(
        &self,
        id: &AccountId,
        event_name: &str,
        caller: &Caller,
        change: impl FnOnce(&mut Account) + Send + 'static,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let now = self.now();
        let mut event = self.event(caller, event_name, id.as_str(), json!({}));
        let wanted = id.clone();
        let changed = self
            .store
            .write("account.change", move |tx| {
                Box::pin(async move {
                    let Some(mut account) = tx.find_account_for_update(&wanted).await? else {
                        return Ok::<_, StoreError>(None);
                    };
                    if account.status == AccountStatus::Valid {
                        event.note("before", state_of(&account));
                        change(&mut account);
                        event.note("after", state_of(&account));
                        account.updated_at = now;
                        tx.update_account(&account).await?;
                        tx.insert_event(&event).await?;
                    }
                    Ok(Some(account))
                })
            })
            .await?;
        self.accounts.forget(id);
        Ok(changed.map(Arc::new))
    }

    /// Gives an account another key. Orders and authorizations stay as they are.
    pub async fn change_key(
        &self,
        directory: &Directory,
        id: &AccountId,
        old_thumbprint: String,
        new_jwk: String,
        new_thumbprint: String,
        caller: &Caller,
    ) -> Result<Arc<Account>, KeyChangeError> {
        let now = self.now();
        let wanted_key = new_thumbprint.clone();
        let data = json!({ "old": old_thumbprint, "new": new_thumbprint });
        let event = self.event(caller, "account.key_changed", id.as_str(), data);
        let wanted = id.clone();
        let outcome = self
            .store
            .write("account.key_change", move |tx| {
                Box::pin(async move {
                    let mut account = tx
                        .find_account_for_update(&wanted)
                        .await?
                        .ok_or(KeyChangeError::NotValid)?;
                    if account.status != AccountStatus::Valid {
                        return Err(KeyChangeError::NotValid);
                    }
                    if account.thumbprint != old_thumbprint {
                        return Err(KeyChangeError::OldKeyMismatch);
                    }
                    if let Some(holder) = tx
                        .find_account_by_thumbprint(&account.directory_id, &new_thumbprint)
                        .await?
                    {
                        return Err(KeyChangeError::KeyInUse(holder.id));
                    }
                    tx.retire_thumbprint(&account.id, &old_thumbprint, now)
                        .await?;
                    account.jwk = new_jwk;
                    account.thumbprint = new_thumbprint;
                    account.updated_at = now;
                    tx.update_account(&account).await?;
                    tx.insert_event(&event).await?;
                    Ok(account)
                })
            })
            .await;
        self.accounts.forget(id);
        match outcome {
            // Two accounts asked for one key at once, and the other was faster.
            Err(KeyChangeError::Store(error)) if error.is_duplicate() => {
                match self.account_of_key(directory, &wanted_key).await? {
                    Some(holder) => Err(KeyChangeError::KeyInUse(holder.id)),
                    None => Err(error.into()),
                }
            }
            outcome => outcome.map(Arc::new),
        }
    }
}

fn found_account(account: Account) -> Result<FoundAccount, NewAccountError> {
    match account.status {
        AccountStatus::Valid => Ok(FoundAccount {
            account: Arc::new(account),
            is_new: false,
        }),
        AccountStatus::Deactivated | AccountStatus::Revoked => Err(NewAccountError::Deactivated),
    }
}

/// What events say of an account's state.
fn state_of(account: &Account) -> serde_json::Value {
    json!({ "status": account.status, "contacts": account.contacts })
}
