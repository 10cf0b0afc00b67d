//! Passwords: hashed with argon2id (RFC 9106), a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use pki::random::Random;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::PasswordSettings;

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    #[error("a password cannot be hashed: {0}")]
    Broken(String),
}

/// Hashes and compares. Each hash takes memory and a processor for a moment, so the number of those
/// under way is bounded, and who waits for too long is sent away.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    params: Params,
    places: Arc<Semaphore>,
    /// How long somebody waits for a place before they are sent away.
    patience: Duration,
    /// Of no password: what is compared with where there is nothing to compare with.
    decoy: Arc<str>,
}

/// What a comparison showed.
pub(crate) struct Compared {
    pub is_right: bool,
    /// The stored hash was made with other parameters than those of today.
    pub is_outdated: bool,
}

impl Passwords {
    /// With a decoy of the same cost as every real hash.
    pub(crate) fn new(settings: &PasswordSettings, random: &dyn Random) -> Self {
        let params = Params::new(
            settings.memory_kib,
            settings.iterations,
            settings.lanes,
            None,
        )
        .unwrap_or(Params::DEFAULT);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        // No hashing: octets of the right form are as good, since nothing ever equals them.
        let salt: [u8; 16] = random.octets();
        let nothing: [u8; 32] = random.octets();
        let decoy = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            BASE64_NOPAD.encode(&salt),
            BASE64_NOPAD.encode(&nothing),
        );
        Self {
            argon2,
            params,
            places: Arc::new(Semaphore::new(settings.concurrency)),
            patience: PATIENCE,
            decoy: Arc::from(decoy),
        }
    }

    /// Hashes a new password.
    pub(crate) async fn hash(
        &self,
        password: &SecretString,
        random: &dyn Random,
    ) -> Result<String, HashError> {
        let salt: [u8; 16] = random.octets();
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.at_work(move || {
            let hash: PasswordHash = argon2
                .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
                .map_err(|error| HashError::Broken(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Compares a password with a stored hash, or with the decoy: a user who is not there costs what
    /// a user who is there costs.
    pub(crate) async fn compare(
        &self,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<Compared, HashError> {
        let exists = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| Arc::clone(&self.decoy), Arc::from);
        let (argon2, params, password) =
            (self.argon2.clone(), self.params.clone(), password.clone());
        self.at_work(move || {
            let hash =
                PasswordHash::new(&stored).map_err(|error| HashError::Broken(error.to_string()))?;
            let verdict = argon2.verify_password(password.expose_secret().as_bytes(), &hash);
            let made_with = Params::try_from(&hash).ok();
            let same = |made: &Params| {
                (made.m_cost(), made.t_cost(), made.p_cost())
                    == (params.m_cost(), params.t_cost(), params.p_cost())
            };
            Ok(Compared {
                is_right: exists && verdict.is_ok(),
                is_outdated: !made_with.as_ref().is_some_and(same),
            })
        })
        .await
    }

    async fn at_work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.place().await?;
        metrics::counter!("certwright_password_hashings_total").increment(1);
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        done.await
            .map_err(|error| HashError::Broken(error.to_string()))?
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, HashError> {
        let waiting = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(HashError::Busy),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use pki::random::SystemRandom;

    fn cheap(concurrency: usize) -> Passwords {
        let settings = PasswordSettings {
            memory_kib: 64,
            iterations: 1,
            lanes: 1,
            concurrency,
        };
        Passwords::new(&settings, &SystemRandom::new())
    }

    #[tokio::test]
    async fn a03_a_password_is_kept_as_argon2id_and_known_again() {
        let passwords = cheap(1);
        let secret = SecretString::from("correct horse battery");
        let hash = passwords.hash(&secret, &SystemRandom::new()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(
            passwords
                .compare(&secret, Some(&hash))
                .await
                .unwrap()
                .is_right
        );
        let other = SecretString::from("correct horse batterz");
        assert!(
            !passwords
                .compare(&other, Some(&hash))
                .await
                .unwrap()
                .is_right
        );
    }

    #[tokio::test]
    async fn a03_nobody_has_the_decoys_password_and_it_costs_what_a_real_one_costs() {
        let passwords = cheap(1);
        let secret = SecretString::from("correct horse battery");
        let compared = passwords.compare(&secret, None).await.unwrap();
        assert!(!compared.is_right);
        assert!(!compared.is_outdated, "the decoy has today's parameters");
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_known_and_outdated() {
        let secret = SecretString::from("correct horse battery");
        let old = cheap(1).hash(&secret, &SystemRandom::new()).await.unwrap();
        let settings = PasswordSettings {
            memory_kib: 128,
            iterations: 1,
            lanes: 1,
            concurrency: 1,
        };
        let passwords = Passwords::new(&settings, &SystemRandom::new());
        let compared = passwords.compare(&secret, Some(&old)).await.unwrap();
        assert!(compared.is_right && compared.is_outdated);
    }

    #[tokio::test]
    async fn who_finds_no_place_is_sent_away() {
        let passwords = Passwords {
            patience: Duration::ZERO,
            ..cheap(1)
        };
        let _place = passwords.place().await.unwrap();
        let secret = SecretString::from("correct horse battery");
        let refused = passwords.compare(&secret, None).await;
        assert!(matches!(refused, Err(HashError::Busy)));
    }
}
