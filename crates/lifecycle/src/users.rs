//! People: invited, listed, disabled, enabled, reset, deleted.
//!
//! Who may do that to somebody could sign in as them afterwards, or keep them from acting; so it
//! takes every permission that they hold, where they hold it.

use std::collections::{BTreeSet, HashMap};

use domain::access::granting::{GrantRefusal, check_grant};
use domain::access::{Grant, HeldRole, Principal, Rights, Scope};
use domain::id::{GrantId, UserId};
use domain::sign_on::GroupGrant;
use domain::ticket::TicketSecret;
use domain::user::{ParseUserNameError, User, UserName, UserState};
use pki::time::Timestamp;
use serde_json::json;
use store::tickets::TicketPurpose;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::access::AccessError;
use crate::access::grants::{self, NewGrant, keep_an_administrator};
use crate::actor::Caller;
use crate::sign_in::SETUP_LIFETIME;
use crate::sign_in::setup::shown_name;

/// A person to be invited.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    /// The name, where nothing is given.
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// What the person may do from the first day.
    pub grants: Vec<NewGrant>,
}

/// A person with a fresh setup link: the only time it is shown.
pub struct Invited {
    pub user: User,
    pub link: SetupLink,
}

/// A one-time link to choose a password by.
pub struct SetupLink {
    pub secret: TicketSecret,
    pub expires_at: Timestamp,
}

/// Why a person stays as they are.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("there is no user {0}")]
    Unknown(UserId),
    #[error(transparent)]
    Name(#[from] ParseUserNameError),
    #[error("there is a user `{0}` already; choose another name")]
    NameTaken(UserName),
    #[error("`{0}` is no e-mail address")]
    Email(String),
    #[error("nobody does this to themselves; ask another administrator")]
    Oneself,
    #[error(
        "the sign-on provider `{0}` vouches for this user; what they sign in with is changed there"
    )]
    Vouched(String),
    #[error("the user is {}; enable them first", word(.0))]
    State(UserState),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GrantRefusal> for UserError {
    fn from(refusal: GrantRefusal) -> Self {
        Self::Access(refusal.into())
    }
}

fn word(state: &UserState) -> &'static str {
    match state {
        UserState::Invited => "invited and has no account yet",
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    }
}

impl Lifecycle {
    /// People, newest first.
    pub async fn list_users(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        self.store
            .scan("user.list", move |tx| {
                Box::pin(async move { tx.list_users(after.as_ref(), limit).await })
            })
            .await
    }

    /// The person with that id.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let id = id.clone();
        self.store
            .read("user.find", move |tx| {
                Box::pin(async move { tx.find_user(&id).await })
            })
            .await
    }

    /// The person with that name.
    pub async fn user_by_name(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        let name = name.clone();
        self.store
            .read("user.by_name", move |tx| {
                Box::pin(async move { tx.find_user_by_name(&name).await })
            })
            .await
    }

    /// What these people and programs are called, by their ids; those that are gone are left out.
    pub async fn principal_names(
        &self,
        ids: Vec<String>,
    ) -> Result<HashMap<String, String>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.store.read("principal.names", move |tx| {
            Box::pin(async move { tx.principal_names(&ids).await })
        });
        Ok(found.await?.into_iter().collect())
    }

    /// Makes an account for somebody, who takes it over with the link.
    pub async fn invite_user(
        &self,
        request: NewUser,
        caller: &Caller,
    ) -> Result<Invited, UserError> {
        let name: UserName = request.name.parse()?;
        let email = request.email.map(checked_email).transpose()?;
        let now = self.now();
        let user = User {
            id: UserId::mint(now, &*self.random),
            display_name: shown_name(request.display_name.as_deref().unwrap_or_default(), &name),
            name,
            email,
            state: UserState::Invited,
            vouched: None,
            created_at: now,
            last_sign_in_at: None,
        };
        let (secret, ticket) = self.setup_ticket(&user.id);
        let given: Vec<_> = request
            .grants
            .iter()
            .map(|grant| json!({ "role": grant.role, "team": grant.team }))
            .collect();
        let event = self.event(
            caller,
            "user.invited",
            user.id.as_str(),
            json!({ "name": user.name, "email": user.email, "grants": given }),
        );
        let wanted: Vec<(GrantId, NewGrant)> = request
            .grants
            .into_iter()
            .map(|grant| (GrantId::mint(now, &*self.random), grant))
            .collect();
        let (stored, rights) = (user.clone(), caller.rights.clone());
        self.store
            .write("user.invite", move |tx| {
                Box::pin(async move {
                    if !tx.insert_user(&stored).await? {
                        return Err(UserError::NameTaken(stored.name));
                    }
                    for (id, wanted) in wanted {
                        let checked = grants::check(tx, &rights, &wanted).await?;
                        let principal = Principal::User(stored.id.clone());
                        tx.insert_grant(&checked.into_grant(id, principal, now))
                            .await?;
                    }
                    tx.insert_ticket(&ticket).await?;
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        let expires_at = now + SETUP_LIFETIME;
        let link = SetupLink { secret, expires_at };
        Ok(Invited { user, link })
    }

    /// Keeps somebody out, at once, or lets them in again.
    pub async fn enable_user(
        &self,
        id: &UserId,
        enabled: bool,
        caller: &Caller,
    ) -> Result<User, UserError> {
        let now = self.now();
        let name = match enabled {
            true => "user.enabled",
            false => "user.disabled",
        };
        let mut event = self.event(caller, name, id.as_str(), json!({}));
        let (wanted, rights) = (id.clone(), caller.rights.clone());
        refuse_oneself(caller, id)?;
        let user = self
            .store
            .write("user.enable", move |tx| {
                Box::pin(async move {
                    tx.lock_administrators().await?;
                    let mut user = under(tx, &wanted, &rights).await?;
                    let before = user.state;
                    user.state = match (before, enabled) {
                        (UserState::Disabled, true) => state_without_disabling(tx, &user).await?,
                        (UserState::Invited | UserState::Active, true) => before,
                        (_, false) => UserState::Disabled,
                    };
                    if user.state == before {
                        return Ok(user);
                    }
                    tx.update_user(&user).await?;
                    if !enabled {
                        tx.delete_sessions_of(&wanted).await?;
                        tx.delete_tickets_of(&wanted, TicketPurpose::Setup).await?;
                        keep_an_administrator(tx, now).await?;
                    }
                    event.data = json!({ "name": user.name, "before": { "state": before },
                        "after": { "state": user.state } });
                    tx.insert_event(&event).await?;
                    Ok::<_, UserError>(user)
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(user)
    }

    /// Removes somebody with everything they prove themselves with and all their roles. What they did
    /// stays in the audit trail.
    pub async fn delete_user(&self, id: &UserId, caller: &Caller) -> Result<(), UserError> {
        let now = self.now();
        let mut event = self.event(caller, "user.deleted", id.as_str(), json!({}));
        let (wanted, rights) = (id.clone(), caller.rights.clone());
        refuse_oneself(caller, id)?;
        self.store
            .write("user.delete", move |tx| {
                Box::pin(async move {
                    tx.lock_administrators().await?;
                    let user = under(tx, &wanted, &rights).await?;
                    event.data = json!({ "before": { "name": user.name, "email": user.email,
                        "state": user.state } });
                    tx.delete_grants_of(&Principal::User(wanted.clone()))
                        .await?;
                    tx.delete_user(&wanted).await?;
                    keep_an_administrator(tx, now).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, UserError>(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(())
    }

    /// Takes everything away that somebody signs in with, ends their sessions, and gives a fresh link:
    /// for who lost password and authenticator, or has not opened the first link in time.
    pub async fn reset_user(&self, id: &UserId, caller: &Caller) -> Result<Invited, UserError> {
        let (secret, ticket) = self.setup_ticket(id);
        let expires_at = ticket.expires_at;
        let mut event = self.event(caller, "user.reset", id.as_str(), json!({}));
        let (wanted, rights, now) = (id.clone(), caller.rights.clone(), self.now());
        refuse_oneself(caller, id)?;
        let user = self
            .store
            .write("user.reset", move |tx| {
                Box::pin(async move {
                    tx.lock_administrators().await?;
                    let mut user = under(tx, &wanted, &rights).await?;
                    if let Some(vouched) = &user.vouched {
                        let provider = tx.find_provider(&vouched.provider).await?;
                        let name = provider.map_or_else(String::new, |provider| provider.name);
                        return Err(UserError::Vouched(name));
                    }
                    if user.state == UserState::Disabled {
                        return Err(UserError::State(user.state));
                    }
                    let before = user.state;
                    user.state = UserState::Invited;
                    tx.delete_credentials(&wanted).await?;
                    tx.delete_sessions_of(&wanted).await?;
                    tx.update_user(&user).await?;
                    tx.insert_ticket(&ticket).await?;
                    keep_an_administrator(tx, now).await?;
                    event.data = json!({ "name": user.name, "before": { "state": before },
                        "after": { "state": user.state } });
                    tx.insert_event(&event).await?;
                    Ok::<_, UserError>(user)
                })
            })
            .await?;
        let link = SetupLink { secret, expires_at };
        Ok(Invited { user, link })
    }
}

/// The person with that id, if the caller may do everything that they may.
async fn under(tx: &mut Tx<'_>, id: &UserId, rights: &Rights) -> Result<User, UserError> {
    let user = tx
        .find_user_for_update(id)
        .await?
        .ok_or_else(|| UserError::Unknown(id.clone()))?;
    let held = roles_of(tx, &user).await?;
    if held.is_empty() {
        // Who has no role yet may get one anywhere.
        check_grant(rights, &BTreeSet::new(), &Scope::Everywhere)?;
    }
    for held in held {
        check_grant(rights, &held.permissions, &held.scope)?;
    }
    Ok(user)
}

/// Roles that were granted, and those that the groups of a sign-on provider map to at present.
pub(crate) async fn roles_of(tx: &mut Tx<'_>, user: &User) -> Result<Vec<HeldRole>, StoreError> {
    let principal = Principal::User(user.id.clone());
    let mut granted = tx.list_grants_of(&[principal]).await?;
    granted.extend(mapped_grants(tx, user).await?);
    tx.held_roles(&granted).await
}

/// What a person's groups are good for, read anew each time: a changed mapping counts at once.
async fn mapped_grants(tx: &mut Tx<'_>, user: &User) -> Result<Vec<Grant>, StoreError> {
    let Some(vouched) = &user.vouched else {
        return Ok(Vec::new());
    };
    let provider = tx.find_provider(&vouched.provider).await?;
    let Some(provider) = provider.filter(|provider| provider.spec.enabled) else {
        return Ok(Vec::new());
    };
    let granted = provider.spec.granted(&vouched.groups);
    Ok(granted.map(GroupGrant::as_grant).collect())
}

/// What somebody was before they were disabled: who has no credentials has not begun yet.
async fn state_without_disabling(tx: &mut Tx<'_>, user: &User) -> Result<UserState, StoreError> {
    let credentials = tx.find_credentials(&user.id).await?;
    let has_begun = user.vouched.is_some() || credentials.password_hash.is_some();
    Ok(match has_begun {
        true => UserState::Active,
        false => UserState::Invited,
    })
}

fn refuse_oneself(caller: &Caller, id: &UserId) -> Result<(), UserError> {
    match caller.principal() == Some(Principal::User(id.clone())) {
        true => Err(UserError::Oneself),
        false => Ok(()),
    }
}

fn checked_email(text: String) -> Result<String, UserError> {
    let text = text.trim().to_owned();
    let is_address = text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    match is_address {
        true => Ok(text),
        false => Err(UserError::Email(text.chars().take(80).collect())),
    }
}
