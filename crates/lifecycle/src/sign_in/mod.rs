//! Signing in: passwords with a second factor, passkeys, sessions, setup links.
//!
//! Every attempt is counted before it is looked at, by user name and by address, so that any number
//! of attempts at the same time are not looked at for the price of one.

pub mod attempts;
pub mod authenticator;
pub mod passkeys;
mod password;
pub mod reauthenticate;
mod second_factor;
pub mod sessions;
pub mod setup;
pub(crate) mod tickets;

use std::time::Duration;

use domain::id::SessionId;
use domain::keystore::KeyStoreError;
use domain::session::{Session, SessionSecret, SignInMethod};
use domain::user::{User, UserName};
use secrecy::SecretString;
use serde_json::json;
use store::credentials::StoredCredentials;
use store::{StoreError, Tx};

pub use attempts::Locked;
pub use password::HashError;
pub(crate) use password::Passwords;

use crate::Lifecycle;
use crate::actor::Caller;
use second_factor::Proof;

/// What somebody signs in with.
pub struct Login {
    pub name: String,
    pub password: SecretString,
    /// Of an authenticator, or one of the recovery codes.
    pub code: Option<SecretString>,
    /// What the browser calls itself, for the list of sessions.
    pub user_agent: Option<String>,
}

/// A session that was begun, with its secret: the only time it is given out.
pub struct Started {
    pub session: Session,
    pub user: User,
    pub secret: SessionSecret,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Deliberately without a hint at which of them.
    #[error("the user name, the password or the code is wrong, or the user may not sign in")]
    Refused,
    #[error(
        "the password is right; send the code of your authenticator, or one of your recovery codes, \
         as `code` as well"
    )]
    CodeNeeded,
    #[error(transparent)]
    Locked(#[from] Locked),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who somebody turned out to be, and how that was shown.
pub(crate) struct Verified {
    pub(crate) user: User,
    pub(crate) proof: Proof,
}

impl Lifecycle {
    /// Signs somebody in with a password, and with a code where the user has an authenticator.
    pub async fn sign_in(&self, login: Login, caller: &Caller) -> Result<Started, SignInError> {
        let Verified { user, proof } = self
            .verify(&login.name, &login.password, login.code.as_ref(), caller)
            .await?;
        let now = self.now();
        let (session, secret) = self.new_session(&user, proof.method(), login.user_agent, caller);
        let event = self.event(
            caller,
            "session.started",
            user.id.as_str(),
            json!({ "session": session.id, "user": user.name, "method": session.method }),
        );
        let (kept, of) = (session.clone(), user.id.clone());
        self.store
            .write("session.start", move |tx| {
                Box::pin(async move {
                    proof.spend(tx, &of).await?;
                    tx.insert_session(&kept).await?;
                    tx.touch_user(&of, now).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, SignInError>(())
                })
            })
            .await?;
        self.forgive(&user.name, caller).await?;
        Ok(Started {
            session,
            user,
            secret,
        })
    }

    /// Finds out whether somebody is who they say, without any consequence for them yet.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: &SecretString,
        code: Option<&SecretString>,
        caller: &Caller,
    ) -> Result<Verified, SignInError> {
        self.count_attempt(name, caller).await?;
        let known = self.user_with_credentials(name).await?;
        // A user who is not there, may not sign in, or has no password costs the same hash.
        let usable = known.filter(|(user, _)| user.may_act());
        let stored = usable
            .as_ref()
            .and_then(|(_, credentials)| credentials.password_hash.as_deref());
        let compared = self.passwords.compare(password, stored).await?;
        let Some((user, credentials)) = usable.filter(|_| compared.is_right) else {
            self.note_refusal(name, "password", caller).await?;
            return Err(SignInError::Refused);
        };
        let proof = match self.second_factor(&user, &credentials, code).await {
            Ok(proof) => proof,
            Err(SignInError::CodeNeeded) => {
                // Not a guess: the first half of a sign-in.
                self.take_back(&user.name, caller).await?;
                return Err(SignInError::CodeNeeded);
            }
            Err(error) => {
                if matches!(error, SignInError::Refused) {
                    self.note_refusal(name, "code", caller).await?;
                }
                return Err(error);
            }
        };
        if compared.is_outdated {
            self.rehash(&user, password).await?;
        }
        Ok(Verified { user, proof })
    }

    async fn user_with_credentials(
        &self,
        name: &str,
    ) -> Result<Option<(User, StoredCredentials)>, StoreError> {
        let Ok(name) = name.parse::<UserName>() else {
            return Ok(None);
        };
        self.store
            .read("user.credentials", move |tx| {
                Box::pin(async move {
                    let Some(user) = tx.find_user_by_name(&name).await? else {
                        return Ok(None);
                    };
                    let credentials = tx.find_credentials(&user.id).await?;
                    Ok(Some((user, credentials)))
                })
            })
            .await
    }

    /// The parameters were raised since the password was set; here it is in clear once more.
    async fn rehash(&self, user: &User, password: &SecretString) -> Result<(), SignInError> {
        let hash = self.passwords.hash(password, &*self.random).await?;
        let (id, now) = (user.id.clone(), self.now());
        self.store
            .write("user.rehash", move |tx| {
                Box::pin(async move { tx.put_password(&id, &hash, now).await })
            })
            .await?;
        Ok(())
    }

    pub(crate) fn new_session(
        &self,
        user: &User,
        method: SignInMethod,
        user_agent: Option<String>,
        caller: &Caller,
    ) -> (Session, SessionSecret) {
        let now = self.now();
        let secret = SessionSecret::generate(&*self.random);
        let session = Session {
            id: SessionId::mint(now, &*self.random),
            user: user.id.clone(),
            hash: secret.hash(),
            method,
            address: caller.actor.address.clone(),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
            created_at: now,
            authenticated_at: now,
            last_used_at: now,
        };
        (session, secret)
    }
}

/// Stores a session together with what it is told by; for ways to sign in that need no counting.
pub(crate) async fn begin(
    tx: &mut Tx<'_>,
    session: &Session,
    event: &domain::event::Event,
) -> Result<(), StoreError> {
    tx.insert_session(session).await?;
    tx.touch_user(&session.user, session.created_at).await?;
    tx.insert_event(event).await
}

/// Longer texts are cut: they come from outside and are shown in lists.
const MAX_USER_AGENT: usize = 200;

/// How long a setup link is good.
pub const SETUP_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
