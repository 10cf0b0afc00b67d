//! Passkeys (WebAuthn Level 3): registered by who is signed in, and signed in with by name of nobody:
//! the authenticator says whose key it holds, so that nobody can ask who has one.

use std::time::Duration;

use domain::id::{PasskeyId, UserId};
use domain::keystore::KeyStoreError;
use domain::passkey::Passkey;
use domain::session::SignInMethod;
use domain::ticket::TicketSecret;
use domain::user::User;
use pki::fingerprint::Fingerprint;
use serde_json::{Value, json};
use store::StoreError;
use store::tickets::TicketPurpose;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey as Credential, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
    WebauthnError,
};

use super::setup::as_user;
use super::tickets::TicketError;
use super::{Locked, SignInError, Started, begin};
use crate::Lifecycle;
use crate::actor::Caller;

/// A challenge, and the ticket to bring back with its answer.
pub struct Challenge {
    pub ticket: TicketSecret,
    /// What the browser's `navigator.credentials` takes.
    pub options: Value,
}

/// Why a passkey is not registered or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    #[error(
        "passkeys need a domain name in server.public_url; an address will not do for browsers"
    )]
    NoDomain,
    #[error("the challenge is spent or too old; begin again")]
    Spent,
    #[error("the authenticator's answer is not accepted: {0}")]
    Refused(String),
    #[error("this authenticator holds no passkey of a user who may sign in")]
    Unknown,
    #[error("this authenticator is registered already")]
    Registered,
    #[error("so many passkeys are enough; remove one first")]
    TooMany,
    #[error("a name is needed: say which authenticator it is")]
    NoName,
    #[error(transparent)]
    Locked(#[from] Locked),
    #[error("a challenge cannot be written or read: {0}")]
    Content(#[from] serde_json::Error),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TicketError> for PasskeyError {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Content(error) => Self::Content(error),
            TicketError::Seal(error) => Self::Seal(error),
            TicketError::Store(error) => Self::Store(error),
        }
    }
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Who asks authenticators: the host of the public URL. `None` where that is an address.
pub(crate) fn relying_party(public_url: &str) -> Option<Webauthn> {
    let origin = Url::parse(public_url).ok()?;
    let host = origin.domain()?.to_owned();
    let builder = WebauthnBuilder::new(&host, &origin).ok()?;
    builder.rp_name("Certwright").build().ok()
}

impl Lifecycle {
    fn relying_party(&self) -> Result<&Webauthn, PasskeyError> {
        self.webauthn.as_ref().ok_or(PasskeyError::NoDomain)
    }

    /// A user's passkeys, newest first.
    pub async fn list_passkeys(&self, user: &UserId) -> Result<Vec<Passkey>, StoreError> {
        let user = user.clone();
        self.store
            .read("passkey.list", move |tx| {
                Box::pin(async move { tx.list_passkeys(&user).await })
            })
            .await
    }

    /// Begins the registration of another authenticator.
    pub async fn begin_passkey(&self, user: &User) -> Result<Challenge, PasskeyError> {
        let webauthn = self.relying_party()?;
        let known = self.list_passkeys(&user.id).await?;
        if known.len() >= MAX_PASSKEYS {
            return Err(PasskeyError::TooMany);
        }
        let mut exclude = Vec::with_capacity(known.len());
        for passkey in &known {
            let credential: Credential = serde_json::from_str(&passkey.credential)?;
            exclude.push(credential.cred_id().clone());
        }
        let (options, state) = webauthn.start_passkey_registration(
            handle(&user.id),
            user.name.as_str(),
            &user.display_name,
            Some(exclude),
        )?;
        let mut options = serde_json::to_value(options)?;
        // Without a name at sign-in only what the authenticator itself remembers can be found.
        if let Some(selection) = options
            .pointer_mut("/publicKey/authenticatorSelection")
            .and_then(Value::as_object_mut)
        {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        let purpose = TicketPurpose::PasskeyRegistration;
        let ticket = self
            .hand_out(purpose, Some(&user.id), &state, CHALLENGE_LIFETIME)
            .await?;
        Ok(Challenge { ticket, options })
    }

    /// Takes an authenticator into use.
    pub async fn finish_passkey(
        &self,
        user: &User,
        name: String,
        ticket: &str,
        answer: Value,
        caller: &Caller,
    ) -> Result<Passkey, PasskeyError> {
        if name.trim().is_empty() {
            return Err(PasskeyError::NoName);
        }
        let taken = self
            .take_back_ticket::<PasskeyRegistration>(ticket, TicketPurpose::PasskeyRegistration)
            .await?;
        let (state, _) = taken
            .filter(|(_, of)| of.as_ref() == Some(&user.id))
            .ok_or(PasskeyError::Spent)?;
        let answer: RegisterPublicKeyCredential = read_answer(answer)?;
        let credential = self
            .relying_party()?
            .finish_passkey_registration(&answer, &state)?;
        let now = self.now();
        let passkey = Passkey {
            id: PasskeyId::mint(now, &*self.random),
            user: user.id.clone(),
            credential_id: data_encoding::BASE64URL_NOPAD.encode(credential.cred_id()),
            name: name.trim().chars().take(MAX_NAME).collect(),
            created_at: now,
            credential: serde_json::to_string(&credential)?,
            last_used_at: None,
        };
        let event = self.event(
            caller,
            "user.passkey_added",
            user.id.as_str(),
            json!({ "user": user.name, "passkey": passkey.id, "name": passkey.name }),
        );
        let stored = passkey.clone();
        self.store
            .write("passkey.insert", move |tx| {
                Box::pin(async move {
                    if !tx.insert_passkey(&stored).await? {
                        return Err(PasskeyError::Registered);
                    }
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(passkey)
    }

    /// Removes one of a user's passkeys. Says whether there was one.
    pub async fn remove_passkey(
        &self,
        user: &User,
        id: &PasskeyId,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let event = self.event(
            caller,
            "user.passkey_removed",
            user.id.as_str(),
            json!({ "user": user.name, "passkey": id }),
        );
        let (of, id) = (user.id.clone(), id.clone());
        self.store
            .write("passkey.delete", move |tx| {
                Box::pin(async move {
                    let removed = tx.delete_passkey(&of, &id).await?;
                    if removed {
                        tx.insert_event(&event).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// Begins a sign-in by whatever authenticator answers.
    pub async fn begin_passkey_sign_in(&self) -> Result<Challenge, PasskeyError> {
        let (options, state) = self.relying_party()?.start_discoverable_authentication()?;
        let mut options = serde_json::to_value(options)?;
        // How the browser asks is for the page to say.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        let ticket = self
            .hand_out(
                TicketPurpose::PasskeySignIn,
                None,
                &state,
                CHALLENGE_LIFETIME,
            )
            .await?;
        Ok(Challenge { ticket, options })
    }

    /// Signs in whoever the authenticator says it belongs to.
    pub async fn finish_passkey_sign_in(
        &self,
        ticket: &str,
        answer: Value,
        user_agent: Option<String>,
        caller: &Caller,
    ) -> Result<Started, PasskeyError> {
        let taken = self
            .take_back_ticket::<DiscoverableAuthentication>(ticket, TicketPurpose::PasskeySignIn)
            .await?;
        let (state, _) = taken.ok_or(PasskeyError::Spent)?;
        let answer: PublicKeyCredential = read_answer(answer)?;
        self.count_address(caller).await?;
        match self.judge_passkey(state, &answer).await {
            Ok((user, passkey)) => {
                self.forgive_address(caller).await?;
                self.begin_by_passkey(user, passkey, user_agent, caller)
                    .await
            }
            Err(error) => {
                self.note_refusal("unknown", "passkey", caller).await?;
                Err(error)
            }
        }
    }

    async fn judge_passkey(
        &self,
        state: DiscoverableAuthentication,
        answer: &PublicKeyCredential,
    ) -> Result<(User, Passkey), PasskeyError> {
        let webauthn = self.relying_party()?;
        let (of, credential_id) = webauthn.identify_discoverable_authentication(answer)?;
        let wanted = data_encoding::BASE64URL_NOPAD.encode(credential_id);
        let found = self
            .store
            .read("passkey.find", move |tx| {
                Box::pin(async move {
                    let Some(passkey) = tx.find_passkey_by_credential(&wanted).await? else {
                        return Ok(None);
                    };
                    let user = tx.find_user(&passkey.user).await?;
                    Ok::<_, StoreError>(user.map(|user| (user, passkey)))
                })
            })
            .await?;
        let usable = found.filter(|(user, _)| user.may_act() && handle(&user.id) == of);
        let (user, mut passkey) = usable.ok_or(PasskeyError::Unknown)?;
        let mut credential: Credential = serde_json::from_str(&passkey.credential)?;
        let result = webauthn.finish_discoverable_authentication_v2(
            answer,
            state,
            DiscoverableKey::from(&credential),
        )?;
        credential.update_credential(&result);
        passkey.credential = serde_json::to_string(&credential)?;
        Ok((user, passkey))
    }

    async fn begin_by_passkey(
        &self,
        user: User,
        passkey: Passkey,
        user_agent: Option<String>,
        caller: &Caller,
    ) -> Result<Started, PasskeyError> {
        let caller = &as_user(caller, &user);
        let (session, secret) = self.new_session(&user, SignInMethod::Passkey, user_agent, caller);
        let event = self.event(
            caller,
            "session.started",
            user.id.as_str(),
            json!({ "session": session.id, "user": user.name, "method": session.method,
                "passkey": passkey.id }),
        );
        let (kept, now) = (session.clone(), self.now());
        self.store
            .write("session.start", move |tx| {
                Box::pin(async move {
                    // Removed since it was looked at: it opens nothing any more.
                    if !tx
                        .update_passkey(&passkey.id, &passkey.credential, now)
                        .await?
                    {
                        return Err(PasskeyError::Unknown);
                    }
                    begin(tx, &kept, &event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Started {
            session,
            user,
            secret,
        })
    }
}

impl From<SignInError> for PasskeyError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Locked(locked) => Self::Locked(locked),
            SignInError::Seal(error) => Self::Seal(error),
            SignInError::Store(error) => Self::Store(error),
            SignInError::Refused | SignInError::CodeNeeded | SignInError::Hash(_) => Self::Unknown,
        }
    }
}

fn read_answer<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, PasskeyError> {
    serde_json::from_value(answer).map_err(|error| PasskeyError::Refused(error.to_string()))
}

/// What authenticators know a user by: it says nothing to anybody else and never changes.
fn handle(user: &UserId) -> Uuid {
    let Fingerprint(octets) = Fingerprint::of(format!("passkey:{user}").as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(octets.split_at(16).0);
    Uuid::from_bytes(half)
}

const MAX_PASSKEYS: usize = 20;
const MAX_NAME: usize = 100;
/// People search for their keys.
const CHALLENGE_LIFETIME: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_domain() {
        assert!(relying_party("https://ca.example:8443").is_some());
        assert!(relying_party("https://localhost:8443").is_some());
        assert!(relying_party("https://192.0.2.7").is_none());
        assert!(relying_party("https://[2001:db8::1]").is_none());
    }
}
