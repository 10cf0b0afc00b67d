//! Keys that are never certified again, as operators see them: listed, blocked, let in again.

use std::collections::BTreeSet;
use std::str::FromStr;

use domain::id::CertificateId;
use pki::certificate::Certificate;
use pki::csr::Csr;
use pki::fingerprint::Fingerprint;
use pki::key::PublicKey;
use pki::pem;
use serde_json::json;
use store::StoreError;
use store::blocked_keys::BlockedKey;

use crate::Lifecycle;
use crate::actor::Caller;

/// A key, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1).
    Spki(Fingerprint),
    /// The key of a certificate in the inventory.
    Certificate(CertificateId),
}

/// A text that names no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no key: give the SHA-256 of its SubjectPublicKeyInfo in hexadecimal digits, the id of \
     a certificate, or PEM of a public key, a certificate or a CSR"
)]
pub struct ParseKeyNameError(String);

impl FromStr for KeyName {
    type Err = ParseKeyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let fault = || ParseKeyNameError(text.chars().take(80).collect());
        if text.starts_with("-----BEGIN") {
            let blocks = pem::decode(text.as_bytes()).map_err(|_| fault())?;
            return match blocks.as_slice() {
                [block] => key_of(block).map(Self::Spki).ok_or_else(fault),
                _ => Err(fault()),
            };
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Certificate(id));
        }
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let hash = digits.to_ascii_lowercase().parse();
        hash.map(Self::Spki).map_err(|_| fault())
    }
}

fn key_of(block: &pem::Block) -> Option<Fingerprint> {
    let key = match block.label.as_str() {
        "PUBLIC KEY" => PublicKey::from_spki_der(&block.der).ok()?,
        pem::CERTIFICATE => Certificate::from_der(&block.der).ok()?.public_key,
        pem::CERTIFICATE_REQUEST => Csr::from_der(&block.der).ok()?.public_key,
        _ => return None,
    };
    Some(Fingerprint(key.spki_sha256()))
}

/// Why no key was blocked, or let in again.
#[derive(Debug, thiserror::Error)]
pub enum BlockKeyError {
    #[error("`reason` is empty: say why, for whoever wonders later")]
    NoReason,
    #[error("`reason` has more than {MAX_REASON} characters")]
    LongReason,
    #[error("`keys` has to name 1 to {MAX_KEYS} keys")]
    Count,
    #[error("there is no certificate {0}")]
    NoSuchCertificate(CertificateId),
    #[error("the key {0} is not blocked")]
    NotBlocked(Fingerprint),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const MAX_REASON: usize = 500;
const MAX_KEYS: usize = 1_000;

impl Lifecycle {
    /// Blocked keys in the order of their hashes.
    pub async fn blocked_keys(
        &self,
        after: Option<Fingerprint>,
        limit: u32,
    ) -> Result<Vec<BlockedKey>, StoreError> {
        self.store
            .scan("blocked_key.list", move |tx| {
                Box::pin(async move {
                    let after = after.as_ref().map(|hash| &hash.0);
                    tx.list_blocked_keys(after, limit).await
                })
            })
            .await
    }

    /// One blocked key.
    pub async fn blocked_key(&self, key: Fingerprint) -> Result<Option<BlockedKey>, StoreError> {
        self.store
            .read("blocked_key.find", move |tx| {
                Box::pin(async move { tx.find_blocked_key(&key.0).await })
            })
            .await
    }

    /// Blocks keys, all of them or none. What was blocked before keeps its first reason. Answers how
    /// each stands.
    pub async fn block_keys(
        &self,
        keys: Vec<KeyName>,
        reason: String,
        caller: &Caller,
    ) -> Result<Vec<BlockedKey>, BlockKeyError> {
        let reason = reason.trim().to_owned();
        match reason.chars().count() {
            0 => return Err(BlockKeyError::NoReason),
            1..=MAX_REASON => {}
            _ => return Err(BlockKeyError::LongReason),
        }
        if !(1..=MAX_KEYS).contains(&keys.len()) {
            return Err(BlockKeyError::Count);
        }
        let now = self.now();
        let mut events: Vec<_> = keys
            .iter()
            .map(|_| self.event(caller, "key.blocked", "", json!({ "reason": reason })))
            .collect();
        self.store
            .write("blocked_key.block", move |tx| {
                Box::pin(async move {
                    let mut wanted = BTreeSet::new();
                    for key in &keys {
                        wanted.insert(match key {
                            KeyName::Spki(hash) => hash.0,
                            KeyName::Certificate(id) => {
                                let found = tx.find_certificate(id).await?;
                                let unknown = || BlockKeyError::NoSuchCertificate(id.clone());
                                found.ok_or_else(unknown)?.spki_sha256
                            }
                        });
                    }
                    let mut blocked = Vec::with_capacity(wanted.len());
                    for hash in wanted {
                        if tx.block_key(&hash, &reason, now).await?
                            && let Some(mut event) = events.pop()
                        {
                            event.object = Fingerprint(hash).to_string();
                            tx.insert_event(&event).await?;
                        }
                        blocked.extend(tx.find_blocked_key(&hash).await?);
                    }
                    Ok(blocked)
                })
            })
            .await
    }

    /// Lets a key be certified again.
    pub async fn unblock_key(
        &self,
        key: Fingerprint,
        caller: &Caller,
    ) -> Result<(), BlockKeyError> {
        let mut event = self.event(caller, "key.unblocked", &key.to_string(), json!({}));
        self.store
            .write("blocked_key.unblock", move |tx| {
                Box::pin(async move {
                    let found = tx.find_blocked_key(&key.0).await?;
                    let found = found.ok_or(BlockKeyError::NotBlocked(key))?;
                    tx.unblock_key(&key.0).await?;
                    let before = json!({ "reason": found.reason, "blocked_at": found.blocked_at });
                    event.note("before", before);
                    event.note("after", ());
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use pki::key::{KeyAlgorithm, LocalKey, SigningKey};

    use super::*;

    #[test]
    fn a_key_is_named_by_hash_certificate_or_pem() {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let hash = Fingerprint(key.public_key().spki_sha256());
        let text = pem::encode("PUBLIC KEY", key.public_key().spki_der());
        let upper = hash.to_string().to_uppercase();
        for named in [text, hash.to_string(), format!(" {upper}\n")] {
            assert_eq!(named.parse(), Ok(KeyName::Spki(hash)), "{named}");
        }
        let id: CertificateId = "crt_06ek9q3v5c8m2k7t1r4x0z9w8y".parse().unwrap();
        assert_eq!(id.as_str().parse(), Ok(KeyName::Certificate(id)));
        for text in ["", "abc", "crt_1", "-----BEGIN PUBLIC KEY-----", "tok_1"] {
            assert!(text.parse::<KeyName>().is_err(), "{text}");
        }
    }
}
