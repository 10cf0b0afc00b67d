//! Anti-replay nonces (RFC 8555 section 6.5) that cost no write on one node.
//!
//! A nonce is a number and a MAC over it. On a store of our own, the numbers run from a counter
//! and those spent are a bitmap in memory: a new process has a new key, so what an earlier one
//! issued is refused. On a shared store the number is time and randomness, the key is shared,
//! and the store remembers what was spent, so that any node redeems what another issued, once.

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use pki::random::Random;
use pki::time::Timestamp;
use store::{Store, StoreError};
use tokio::sync::RwLock;

use crate::Lifecycle;

/// Issues and redeems nonces.
pub(crate) enum Nonces {
    Local { key: hmac::Key, spent: Mutex<Spent> },
    Shared { key: RwLock<Option<SharedKey>> },
}

/// The key of a cluster's nonces and the epoch it holds for.
#[derive(Clone)]
pub(crate) struct SharedKey {
    key: hmac::Key,
    read_at: Timestamp,
}

/// What becomes of a nonce that a client presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// It was good and is now spent.
    Accepted,
    /// It was never ours, is too old, or was spent before.
    Refused,
}

impl Nonces {
    pub(crate) fn new(store: &Store, random: &dyn Random) -> Self {
        if store.is_shared() {
            return Self::Shared {
                key: RwLock::new(None),
            };
        }
        let secret: [u8; 32] = random.octets();
        Self::Local {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            spent: Mutex::new(Spent::default()),
        }
    }
}

impl Lifecycle {
    /// A fresh nonce.
    pub async fn issue_nonce(&self) -> Result<String, StoreError> {
        match &self.nonces {
            Nonces::Local { key, spent } => {
                let number = spent.lock().next();
                Ok(write(key, &number.to_be_bytes()))
            }
            Nonces::Shared { .. } => {
                let now = self.now();
                let key = self.shared_nonce_key(now).await?;
                let mut body = [0_u8; SHARED_BODY];
                body[..8].copy_from_slice(&now.millis().to_be_bytes());
                self.random.fill(&mut body[8..]);
                Ok(write(&key, &body))
            }
        }
    }

    /// Spends a nonce. Only one of any number of simultaneous calls is accepted.
    pub async fn redeem_nonce(&self, nonce: &str) -> Result<Redemption, StoreError> {
        match &self.nonces {
            Nonces::Local { key, spent } => {
                let number = read(key, nonce)
                    .and_then(|body| body.try_into().ok())
                    .map(u64::from_be_bytes);
                let accepted = number.is_some_and(|number| spent.lock().spend(number));
                Ok(redemption(accepted))
            }
            Nonces::Shared { .. } => {
                let now = self.now();
                let key = self.shared_nonce_key(now).await?;
                let Some(body) = read(&key, nonce).filter(|body| body.len() == SHARED_BODY) else {
                    return Ok(Redemption::Refused);
                };
                let issued: [u8; 8] = body[..8].try_into().unwrap_or_default();
                let age = now.since(Timestamp::from_millis(i64::from_be_bytes(issued)));
                if age > SHARED_LIFETIME {
                    return Ok(Redemption::Refused);
                }
                let nonce = nonce.to_owned();
                self.store.spend_nonce(&nonce, now).await.map(redemption)
            }
        }
    }

    /// The cluster's key: derived from a secret in the store and the epoch of the table of spent
    /// nonces, so that a failover that empties the table voids every nonce issued before it.
    async fn shared_nonce_key(&self, now: Timestamp) -> Result<hmac::Key, StoreError> {
        let Nonces::Shared { key } = &self.nonces else {
            return Ok(hmac::Key::new(hmac::HMAC_SHA256, &[]));
        };
        if let Some(known) = key.read().await.as_ref()
            && now.since(known.read_at) < EPOCH_CHECK
            && now >= known.read_at
        {
            return Ok(known.key.clone());
        }
        let epoch = self.store.nonce_epoch().await?;
        let secret = self.installation_secret("nonce").await?;
        let derived = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            epoch.as_bytes(),
        );
        let fresh = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        *key.write().await = Some(SharedKey {
            key: fresh.clone(),
            read_at: now,
        });
        Ok(fresh)
    }

    /// Forgets spent nonces that are too old to be accepted anyway.
    pub(crate) async fn purge_nonces(&self) -> Result<(), StoreError> {
        if self.is_shared() {
            let before = self.now() - SHARED_LIFETIME - EPOCH_CHECK;
            self.store.purge_nonces(before).await?;
        }
        Ok(())
    }
}

fn redemption(accepted: bool) -> Redemption {
    if accepted {
        Redemption::Accepted
    } else {
        Redemption::Refused
    }
}

fn write(key: &hmac::Key, body: &[u8]) -> String {
    let tag = hmac::sign(key, body);
    let mut octets = Vec::with_capacity(body.len() + TAG);
    octets.extend_from_slice(body);
    octets.extend_from_slice(&tag.as_ref()[..TAG]);
    URL_SAFE_NO_PAD.encode(octets)
}

fn read(key: &hmac::Key, nonce: &str) -> Option<Vec<u8>> {
    if nonce.len() > 128 {
        return None;
    }
    let mut octets = URL_SAFE_NO_PAD.decode(nonce).ok()?;
    let tag = octets.split_off(octets.len().checked_sub(TAG)?);
    let expected = hmac::sign(key, &octets);
    constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG], &tag)
        .ok()
        .map(|()| octets)
}

/// Which numbers of a sliding window were spent.
#[derive(Default)]
pub(crate) struct Spent {
    /// The next number to issue.
    next: u64,
    /// Numbers below are spent or forgotten; always a multiple of 64.
    floor: u64,
    /// One bit per number from `floor` on.
    words: std::collections::VecDeque<u64>,
}

impl Spent {
    fn next(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        if (number - self.floor) / 64 >= self.words.len() as u64 {
            self.words.push_back(0);
        }
        while self.words.len() > WINDOW_WORDS || (self.words.len() > 1 && self.words[0] == u64::MAX)
        {
            self.words.pop_front();
            self.floor += 64;
        }
        number
    }

    fn spend(&mut self, number: u64) -> bool {
        if number < self.floor || number >= self.next {
            return false;
        }
        let place = number - self.floor;
        let Some(word) = self.words.get_mut((place / 64) as usize) else {
            return false;
        };
        let bit = 1 << (place % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

const TAG: usize = 16;
const SHARED_BODY: usize = 24;
const SHARED_LIFETIME: Duration = Duration::from_secs(60 * 60);
const EPOCH_CHECK: Duration = Duration::from_secs(1);
/// Four million nonces may be out at once, in half a megabyte.
const WINDOW_WORDS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_spent_once_and_only_after_it_was_issued() {
        let mut spent = Spent::default();
        assert!(!spent.spend(0));
        let numbers: Vec<u64> = (0..1000).map(|_| spent.next()).collect();
        for number in &numbers {
            assert!(spent.spend(*number), "{number}");
            assert!(!spent.spend(*number), "{number}");
        }
        assert!(!spent.spend(1000));
    }

    #[test]
    fn the_window_forgets_the_oldest_and_stays_small() {
        let mut spent = Spent::default();
        let oldest = spent.next();
        for _ in 0..(WINDOW_WORDS as u64 * 64 + 64) {
            spent.next();
        }
        assert!(!spent.spend(oldest));
        assert!(spent.words.len() <= WINDOW_WORDS);
    }

    #[test]
    fn a_changed_nonce_is_not_read() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let nonce = write(&key, &7_u64.to_be_bytes());
        assert!(read(&key, &nonce).is_some());
        for place in 0..nonce.len() {
            let mut other: Vec<u8> = nonce.bytes().collect();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            assert!(read(&key, &String::from_utf8(other).unwrap()).is_none());
        }
        assert!(read(&key, "").is_none());
    }
}
