//! Sign-on with an OpenID Connect provider: away to it, back from it, and who that makes the browser.

pub mod providers;

use std::time::Duration;

use domain::id::{ProviderId, UserId};
use domain::keystore::KeyStoreError;
use domain::session::SignInMethod;
use domain::sign_on::{Errand, Identity, Provider, SignOnError};
use domain::ticket::TicketSecret;
use domain::user::{User, UserName, UserState, Vouched};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::tickets::TicketPurpose;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::actor::Caller;
use crate::sign_in::setup::shown_name;
use crate::sign_in::tickets::TicketError;
use crate::sign_in::{Started, begin};

/// Where a browser is sent, and what it has to bring back in a cookie.
pub struct Departure {
    pub url: String,
    /// Ties the way back to the browser that began: a link that somebody else began ends nowhere.
    pub browser: TicketSecret,
}

/// What a browser came back with.
pub struct Return {
    pub state: String,
    pub code: SecretString,
    /// RFC 9207: who the provider says it is, where it says so.
    pub issuer: Option<String>,
    /// The cookie of the departure.
    pub browser: Option<String>,
    pub user_agent: Option<String>,
}

/// Somebody who came back, and where they were going.
pub struct Arrived {
    pub started: Started,
    pub return_to: String,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignOnFailure {
    #[error("there is no sign-on provider `{0}` that is in use")]
    NoProvider(String),
    #[error(
        "the way back began in another browser, was used already, or took too long; begin again"
    )]
    Spent,
    #[error("the answer comes from another provider than the one that was asked")]
    OtherIssuer,
    #[error("none of your groups may sign in here; ask an administrator")]
    NotAdmitted,
    #[error("this user is disabled; ask an administrator")]
    Disabled,
    #[error(transparent)]
    Provider(#[from] SignOnError),
    #[error("what waits for the way back cannot be written or read: {0}")]
    Content(#[from] serde_json::Error),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TicketError> for SignOnFailure {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Content(error) => Self::Content(error),
            TicketError::Seal(error) => Self::Seal(error),
            TicketError::Store(error) => Self::Store(error),
        }
    }
}

/// What is remembered between the departure and the way back.
#[derive(Serialize, Deserialize)]
struct Remembered {
    provider: ProviderId,
    nonce: String,
    verifier: String,
    return_to: String,
    /// SHA-256 of the browser's cookie.
    browser: String,
}

impl Lifecycle {
    /// Where providers send browsers back to.
    pub fn sign_on_redirect(&self) -> String {
        format!(
            "{}/api/v1/session/sign-on/callback",
            self.settings.public_url
        )
    }

    /// Sends a browser to a provider.
    pub async fn depart(&self, name: &str, return_to: &str) -> Result<Departure, SignOnFailure> {
        let provider = self.provider_in_use(name).await?;
        let browser = TicketSecret::generate(&*self.random);
        let remembered = Remembered {
            provider: provider.id.clone(),
            nonce: self.random_text(),
            verifier: self.random_text(),
            return_to: local_path(return_to).to_owned(),
            browser: browser.hash().to_string(),
        };
        let state = self
            .hand_out(TicketPurpose::SignOn, None, &remembered, PATIENCE)
            .await?;
        let errand = Errand {
            redirect: self.sign_on_redirect(),
            nonce: SecretString::from(remembered.nonce),
            verifier: SecretString::from(remembered.verifier),
        };
        let url = self
            .sign_on
            .authorization_url(&provider.spec, &errand, state.expose())
            .await?;
        Ok(Departure { url, browser })
    }

    /// Signs in whoever a provider sends back.
    pub async fn arrive(&self, back: Return, caller: &Caller) -> Result<Arrived, SignOnFailure> {
        let taken = self
            .take_back_ticket::<Remembered>(&back.state, TicketPurpose::SignOn)
            .await?;
        let cookie = back.browser.as_deref().map(TicketSecret::from_presented);
        let (remembered, _) = taken
            .filter(|(remembered, _)| {
                cookie.is_some_and(|cookie| cookie.hash().to_string() == remembered.browser)
            })
            .ok_or(SignOnFailure::Spent)?;
        let provider = self.provider_by_id(&remembered.provider).await?;
        if back
            .issuer
            .is_some_and(|issuer| issuer != provider.spec.issuer)
        {
            return Err(SignOnFailure::OtherIssuer);
        }
        let secret = self.provider_secret(&provider)?;
        let errand = Errand {
            redirect: self.sign_on_redirect(),
            nonce: SecretString::from(remembered.nonce),
            verifier: SecretString::from(remembered.verifier),
        };
        let identity = self
            .sign_on
            .identify(
                &provider.spec,
                secret.as_ref(),
                &errand,
                &back.code,
                self.now(),
            )
            .await?;
        let started = self
            .begin_vouched(&provider, identity, back.user_agent, caller)
            .await?;
        Ok(Arrived {
            started,
            return_to: remembered.return_to,
        })
    }

    async fn provider_in_use(&self, name: &str) -> Result<Provider, SignOnFailure> {
        let found = self.provider(name).await?;
        found
            .filter(|provider| provider.spec.enabled)
            .ok_or_else(|| SignOnFailure::NoProvider(name.chars().take(80).collect()))
    }

    async fn provider_by_id(&self, id: &ProviderId) -> Result<Provider, SignOnFailure> {
        let wanted = id.clone();
        let found = self
            .store
            .read("provider.find", move |tx| {
                Box::pin(async move { tx.find_provider(&wanted).await })
            })
            .await?;
        found
            .filter(|provider| provider.spec.enabled)
            .ok_or(SignOnFailure::Spent)
    }

    async fn begin_vouched(
        &self,
        provider: &Provider,
        identity: Identity,
        user_agent: Option<String>,
        caller: &Caller,
    ) -> Result<Started, SignOnFailure> {
        if !provider.spec.admits(&identity.groups) {
            return Err(SignOnFailure::NotAdmitted);
        }
        let now = self.now();
        let fresh = self.newcomer(provider, &identity);
        let suffix = data_encoding::HEXLOWER.encode(&self.random.octets::<4>());
        let (secret, of_provider) = (
            domain::session::SessionSecret::generate(&*self.random),
            provider.name.clone(),
        );
        let (mut session, _) = self.new_session(&fresh, SignInMethod::SignOn, user_agent, caller);
        session.hash = secret.hash();
        let mut created = self.event(caller, "user.created", "", json!({}));
        let mut begun = self.event(caller, "session.started", "", json!({}));
        let groups = identity.groups.clone();
        let (user, session) = self
            .store
            .write("session.start", move |tx| {
                Box::pin(async move {
                    let Some(known) = known(tx, &fresh).await? else {
                        let user = settle(tx, fresh, &of_provider, &suffix).await?;
                        user.id.as_str().clone_into(&mut created.object);
                        created.data = json!({ "name": user.name, "provider": of_provider,
                            "groups": groups });
                        tx.insert_event(&created).await?;
                        note_begin(tx, &user, &mut session, &mut begun, &of_provider).await?;
                        return Ok((user, session));
                    };
                    if known.state == UserState::Disabled {
                        return Err(SignOnFailure::Disabled);
                    }
                    let user = User {
                        last_sign_in_at: Some(now),
                        id: known.id,
                        name: known.name,
                        state: known.state,
                        created_at: known.created_at,
                        ..fresh
                    };
                    tx.update_user(&user).await?;
                    note_begin(tx, &user, &mut session, &mut begun, &of_provider).await?;
                    Ok((user, session))
                })
            })
            .await?;
        // Groups may have changed, and with them what they are good for.
        self.rights.forget_all();
        Ok(Started {
            session,
            user,
            secret,
        })
    }

    /// The person that an identity makes, if it is not known yet.
    fn newcomer(&self, provider: &Provider, identity: &Identity) -> User {
        let now = self.now();
        let id = UserId::mint(now, &*self.random);
        let candidates = [&identity.user_name, &identity.email];
        let name = candidates
            .into_iter()
            .flatten()
            .find_map(|text| UserName::resembling(text))
            .or_else(|| UserName::resembling(&format!("{}-{}", provider.name, identity.subject)))
            .or_else(|| UserName::resembling(id.as_str()));
        // Unwrap safety: an id is letters, digits and an underscore, which a name may be made of.
        let name = name.expect("an id can be a user name");
        User {
            display_name: shown_name(identity.display_name.as_deref().unwrap_or_default(), &name),
            id,
            name,
            email: identity.email.clone(),
            state: UserState::Active,
            vouched: Some(Vouched {
                provider: provider.id.clone(),
                subject: identity.subject.clone(),
                groups: identity.groups.clone(),
            }),
            created_at: now,
            last_sign_in_at: Some(now),
        }
    }

    fn random_text(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.random.octets::<32>())
    }
}

async fn known(tx: &mut Tx<'_>, fresh: &User) -> Result<Option<User>, StoreError> {
    match &fresh.vouched {
        Some(vouched) => {
            tx.find_user_by_subject(&vouched.provider, &vouched.subject)
                .await
        }
        None => Ok(None),
    }
}

/// Adds somebody under a name that is free. A name that is taken stays its owner's: two people are
/// never made one because they are called the same.
async fn settle(
    tx: &mut Tx<'_>,
    mut user: User,
    provider: &str,
    suffix: &str,
) -> Result<User, SignOnFailure> {
    let wanted = user.name.clone();
    let longer = [provider, suffix].map(|suffix| wanted.with_suffix(suffix));
    for name in std::iter::once(Some(wanted)).chain(longer).flatten() {
        user.name = name;
        if tx.insert_user(&user).await? {
            return Ok(user);
        }
    }
    Err(SignOnFailure::Spent)
}

async fn note_begin(
    tx: &mut Tx<'_>,
    user: &User,
    session: &mut domain::session::Session,
    event: &mut domain::event::Event,
    provider: &str,
) -> Result<(), StoreError> {
    session.user = user.id.clone();
    event.actor.kind = domain::event::ActorKind::User;
    event.actor.id = user.id.to_string();
    event.object = user.id.to_string();
    event.data = json!({ "session": session.id, "user": user.name, "method": session.method,
        "provider": provider });
    begin(tx, session, event).await
}

/// A path of ours to go on with; anything else, which might be another site, becomes the start page.
fn local_path(path: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
    let is_local = path.starts_with('/') && !path.starts_with("//") && path.chars().all(is_plain);
    match is_local && path.len() <= 1000 {
        true => path,
        false => "/",
    }
}

/// People type passwords and search for their second factor.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn the_way_back_leads_to_a_page_of_ours() {
        for (wanted, path) in [
            ("/certificates?status=valid", "/certificates?status=valid"),
            ("", "/"),
            ("certificates", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(local_path(wanted), path, "{wanted:?}");
        }
    }
}
