//! One-time setup links: the first start's, which makes the first administrator, and those of users
//! who were invited or whose sign-in was reset.

use domain::access::{Grant, Principal, RoleRef, Scope};
use domain::id::{GrantId, TokenId, UserId};
use domain::role::Role;
use domain::session::SignInMethod;
use domain::sign_in::{PasswordFault, check_password};
use domain::ticket::TicketSecret;
use domain::token::{ApiToken, TokenSecret};
use domain::user::{ParseUserNameError, User, UserName, UserState};
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::tickets::{Ticket, TicketPurpose};
use store::{StoreError, Tx};

use super::{HashError, SETUP_LIFETIME, Started, begin};
use crate::Lifecycle;
use crate::actor::Caller;

/// What a setup link opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenSetup {
    /// The first administrator's account is yet to be made.
    Installation,
    /// This user chooses a password.
    User(Box<User>),
}

/// Who the first administrator is.
pub struct FirstAdministrator {
    pub name: String,
    /// The name, where nothing is given.
    pub display_name: String,
    pub password: SecretString,
    pub user_agent: Option<String>,
}

/// What came of the first start's link.
pub struct FirstSetup {
    pub started: Started,
    /// An administrator's API token, for the command line: the only time it is shown.
    pub token: TokenSecret,
}

/// Why a setup link did not lead to an account.
#[derive(Debug, thiserror::Error)]
pub enum SetupLinkError {
    #[error("the link is used up or too old; ask an administrator for another")]
    Spent,
    #[error(transparent)]
    Name(#[from] ParseUserNameError),
    #[error("there is a user `{0}` already; choose another name")]
    NameTaken(UserName),
    #[error(transparent)]
    Password(#[from] PasswordFault),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// What a link opens; looking does not use it up.
    pub async fn open_setup(&self, presented: &str) -> Result<Option<OpenSetup>, StoreError> {
        if self.is_setup_link(presented).await? {
            return Ok(Some(OpenSetup::Installation));
        }
        let (hash, now) = (TicketSecret::from_presented(presented).hash(), self.now());
        let user = self
            .store
            .read("setup.user", move |tx| {
                Box::pin(async move {
                    let found = tx.find_ticket(&hash, TicketPurpose::Setup, now).await?;
                    match found.and_then(|ticket| ticket.user) {
                        Some(user) => tx.find_user(&user).await,
                        None => Ok(None),
                    }
                })
            })
            .await?;
        let open = user.filter(|user| user.state != UserState::Disabled);
        Ok(open.map(|user| OpenSetup::User(Box::new(user))))
    }

    /// Uses the first start's link up: makes the first administrator, an API token for the command
    /// line, and a session; all of it or nothing, and for exactly one caller.
    pub async fn set_up_first_administrator(
        &self,
        presented: &str,
        person: FirstAdministrator,
        caller: &Caller,
    ) -> Result<FirstSetup, SetupLinkError> {
        let name: UserName = person.name.parse()?;
        check_password(person.password.expose_secret(), &name)?;
        if !self.is_setup_link(presented).await? {
            return Err(SetupLinkError::Spent);
        }
        let hash = self.passwords.hash(&person.password, &*self.random).await?;
        let now = self.now();
        let user = User {
            id: UserId::mint(now, &*self.random),
            display_name: shown_name(&person.display_name, &name),
            name,
            email: None,
            state: UserState::Active,
            vouched: None,
            created_at: now,
            last_sign_in_at: Some(now),
        };
        let caller = &as_user(caller, &user);
        let secret = TokenSecret::generate(&*self.random);
        let token = self.first_token(&secret, &user, now);
        let (session, session_secret) =
            self.new_session(&user, SignInMethod::SetupLink, person.user_agent, caller);
        let created = self.event(
            caller,
            "user.created",
            user.id.as_str(),
            json!({ "name": user.name, "role": Role::Administrator, "token": token.id }),
        );
        let begun = self.event(
            caller,
            "session.started",
            user.id.as_str(),
            json!({ "session": session.id, "user": user.name, "method": session.method }),
        );
        let grants = [
            Principal::User(user.id.clone()),
            Principal::Token(token.id.clone()),
        ]
        .map(|principal| self.administrator_grant(principal, now));
        let (kept, stored) = (session.clone(), user.clone());
        self.store
            .write("setup.first", move |tx| {
                Box::pin(async move {
                    if !tx.delete_setting(crate::access::SETUP).await? {
                        return Err(SetupLinkError::Spent);
                    }
                    if !tx.insert_user(&stored).await? {
                        return Err(SetupLinkError::NameTaken(stored.name));
                    }
                    tx.put_password(&stored.id, &hash, now).await?;
                    tx.insert_token(&token).await?;
                    for grant in &grants {
                        tx.insert_grant(grant).await?;
                    }
                    tx.insert_event(&created).await?;
                    begin(tx, &kept, &begun).await?;
                    Ok(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(FirstSetup {
            started: Started {
                session,
                user,
                secret: session_secret,
            },
            token: secret,
        })
    }

    fn first_token(&self, secret: &TokenSecret, user: &User, now: Timestamp) -> ApiToken {
        ApiToken {
            id: TokenId::mint(now, &*self.random),
            name: "first administrator".to_owned(),
            hash: secret.hash(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            created_at: now,
            created_by: Some(Principal::User(user.id.clone())),
        }
    }

    fn administrator_grant(&self, principal: Principal, now: Timestamp) -> Grant {
        Grant {
            id: GrantId::mint(now, &*self.random),
            principal,
            role: RoleRef::BuiltIn(Role::Administrator),
            scope: Scope::Everywhere,
            created_at: now,
        }
    }

    /// Uses a user's link up: sets the password and signs in.
    pub async fn accept_setup(
        &self,
        presented: &str,
        password: &SecretString,
        user_agent: Option<String>,
        caller: &Caller,
    ) -> Result<Started, SetupLinkError> {
        let Some(OpenSetup::User(user)) = self.open_setup(presented).await? else {
            return Err(SetupLinkError::Spent);
        };
        check_password(password.expose_secret(), &user.name)?;
        let hash = self.passwords.hash(password, &*self.random).await?;
        let (ticket, now) = (TicketSecret::from_presented(presented).hash(), self.now());
        let caller = &as_user(caller, &user);
        let (session, secret) =
            self.new_session(&user, SignInMethod::SetupLink, user_agent, caller);
        let before = user.state;
        let activated = self.event(
            caller,
            "user.activated",
            user.id.as_str(),
            json!({ "user": user.name, "before": { "state": before },
                "after": { "state": UserState::Active } }),
        );
        let begun = self.event(
            caller,
            "session.started",
            user.id.as_str(),
            json!({ "session": session.id, "user": user.name, "method": session.method }),
        );
        let (kept, id) = (session.clone(), user.id.clone());
        let user = self
            .store
            .write("setup.accept", move |tx| {
                Box::pin(async move {
                    if !tx.delete_ticket(&ticket).await? {
                        return Err(SetupLinkError::Spent);
                    }
                    let user = activate(tx, &id).await?;
                    tx.put_password(&id, &hash, now).await?;
                    tx.insert_event(&activated).await?;
                    begin(tx, &kept, &begun).await?;
                    Ok(user)
                })
            })
            .await?;
        Ok(Started {
            session,
            user,
            secret,
        })
    }

    /// A fresh link for a user and the row that keeps it.
    pub(crate) fn setup_ticket(&self, user: &UserId) -> (TicketSecret, Ticket) {
        let secret = TicketSecret::generate(&*self.random);
        let ticket = Ticket {
            hash: secret.hash(),
            purpose: TicketPurpose::Setup,
            user: Some(user.clone()),
            sealed: None,
            expires_at: self.now() + SETUP_LIFETIME,
        };
        (secret, ticket)
    }
}

/// Disabled meanwhile: the link leads nowhere.
async fn activate(tx: &mut Tx<'_>, id: &UserId) -> Result<User, SetupLinkError> {
    let found = tx.find_user_for_update(id).await?;
    let mut user = found
        .filter(|user| user.state != UserState::Disabled)
        .ok_or(SetupLinkError::Spent)?;
    user.state = UserState::Active;
    tx.update_user(&user).await?;
    Ok(user)
}

/// From here on it is known who it is.
pub(crate) fn as_user(caller: &Caller, user: &User) -> Caller {
    let mut caller = caller.clone();
    caller.actor.kind = domain::event::ActorKind::User;
    caller.actor.id = user.id.to_string();
    caller
}

/// What others see: the name, where nothing else is given.
pub(crate) fn shown_name(given: &str, name: &UserName) -> String {
    let given: String = given.trim().chars().take(MAX_DISPLAY_NAME).collect();
    match given.is_empty() {
        true => name.to_string(),
        false => given,
    }
}

/// Longest name to show.
const MAX_DISPLAY_NAME: usize = 200;
