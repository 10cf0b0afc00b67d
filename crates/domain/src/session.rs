//! Sessions: what a browser holds after its user signed in.

use std::time::Duration;

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserId};

/// A session as we keep it: by the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub hash: Fingerprint,
    pub method: SignInMethod,
    /// Where it was begun.
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    /// When its user last proved who they are.
    pub authenticated_at: Timestamp,
    /// To the minute.
    pub last_used_at: Timestamp,
}

/// How a session was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    Password,
    /// A password and a code of an authenticator.
    PasswordAndCode,
    /// A password and one of the recovery codes.
    RecoveryCode,
    Passkey,
    /// A sign-on provider said who it is.
    SignOn,
    SetupLink,
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Without a request.
    pub idle: Duration,
    /// Whatever happens.
    pub absolute: Duration,
    /// For so long after a proof of identity, what is delicate asks for no other.
    pub recent: Duration,
}

impl Session {
    /// Whether it opens anything at `now`.
    pub fn is_usable(&self, now: Timestamp, rules: &SessionRules) -> bool {
        now < self.ends_at(rules)
    }

    /// When it ends if it is not used again.
    pub fn ends_at(&self, rules: &SessionRules) -> Timestamp {
        (self.last_used_at + rules.idle).min(self.created_at + rules.absolute)
    }

    /// Whether its user has proved who they are a moment ago.
    pub fn is_recent(&self, now: Timestamp, rules: &SessionRules) -> bool {
        now < self.authenticated_at + rules.recent
    }
}

/// What the cookie holds. Given out once, never stored.
pub struct SessionSecret(SecretString);

impl SessionSecret {
    /// A new secret with 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        let octets: [u8; 32] = random.octets();
        let text = data_encoding::BASE64URL_NOPAD.encode(&octets);
        Self(SecretString::from(format!("cws_{text}")))
    }

    /// What a browser sent.
    pub fn from_presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is stored. The secret has 256 bits of its own, so one hash is enough.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret().as_bytes())
    }

    /// What a page has to say beside the cookie, which a page of another site cannot know.
    pub fn csrf_token(&self) -> String {
        let text = format!("csrf:{}", self.0.expose_secret());
        Fingerprint::of(text.as_bytes()).to_string()
    }

    /// Whether `presented` is that token. Hashes are compared, so time tells nothing of use.
    pub fn is_csrf_token(&self, presented: &str) -> bool {
        Fingerprint::of(presented.as_bytes()) == Fingerprint::of(self.csrf_token().as_bytes())
    }

    /// The text, for the cookie.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pki::random::SystemRandom;

    const RULES: SessionRules = SessionRules {
        idle: Duration::from_secs(3600),
        absolute: Duration::from_secs(12 * 3600),
        recent: Duration::from_secs(600),
    };

    fn session(created: i64, last_used: i64) -> Session {
        let random = SystemRandom::new();
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        Session {
            id: SessionId::mint(at(created), &random),
            user: UserId::mint(at(created), &random),
            hash: SessionSecret::generate(&random).hash(),
            method: SignInMethod::Password,
            address: None,
            user_agent: None,
            created_at: at(created),
            authenticated_at: at(created),
            last_used_at: at(last_used),
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        for (last_used, now, usable) in [
            (0, 0, true),
            (0, 59, true),
            (0, 60, false),
            (50, 100, true),
            (700, 719, true),
            (700, 720, false),
        ] {
            let now = Timestamp::from_millis(now * 60_000);
            let is_usable = session(0, last_used).is_usable(now, &RULES);
            assert_eq!(is_usable, usable, "{last_used} {now:?}");
        }
    }

    #[test]
    fn use_does_not_make_a_proof_of_identity_recent() {
        let session = session(0, 30);
        assert!(session.is_recent(Timestamp::from_millis(9 * 60_000), &RULES));
        assert!(!session.is_recent(Timestamp::from_millis(10 * 60_000), &RULES));
    }

    #[test]
    fn a_page_s_token_belongs_to_one_session_and_is_not_its_secret() {
        let random = SystemRandom::new();
        let (one, other) = (
            SessionSecret::generate(&random),
            SessionSecret::generate(&random),
        );
        assert!(one.is_csrf_token(&one.csrf_token()));
        assert!(!one.is_csrf_token(&other.csrf_token()));
        assert!(!one.is_csrf_token(one.expose()));
        assert_ne!(one.csrf_token(), one.hash().to_string());
    }
}
