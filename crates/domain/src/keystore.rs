//! Where private keys live, and how secrets at rest are sealed.

use std::sync::Arc;

use pki::key::{KeyAlgorithm, SigningKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Points at a private key without being one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "store", rename_all = "kebab-case")]
pub enum KeyReference {
    /// PKCS#8, sealed, base64.
    Sealed { sealed: String },
    /// In a PKCS#11 token, found by its object id (hex) and label.
    Pkcs11 { id: String, label: String },
}

/// Creates, imports and opens private keys.
pub trait KeyStore: Send + Sync {
    /// Makes a key; `label` is what an operator sees in the token.
    fn generate(&self, label: &str, algorithm: KeyAlgorithm) -> Result<OpenKey, KeyStoreError>;

    /// Takes over a key made elsewhere, as PKCS#8.
    fn import(&self, label: &str, pkcs8: &[u8]) -> Result<OpenKey, KeyStoreError>;

    /// Opens a stored key.
    fn open(&self, reference: &KeyReference) -> Result<Arc<dyn SigningKey>, KeyStoreError>;
}

/// A key ready to sign, and where it is kept.
pub struct OpenKey {
    pub reference: KeyReference,
    pub key: Arc<dyn SigningKey>,
}

/// Seals secrets for the store with a key that is outside of it.
pub trait Sealer: Send + Sync {
    /// Seals `secret`; `context` names the place (table, row), and opening elsewhere fails.
    fn seal(&self, context: &str, secret: &[u8]) -> String;

    /// Opens what was sealed for the same place.
    fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyStoreError>;
}

/// Why a key or a sealed secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    #[error(
        "the sealed secret `{context}` does not open with this seal key; is it the key the data was sealed with?"
    )]
    Unseal { context: String },
    #[error("the key is unusable: {0}")]
    Key(#[from] pki::key::KeyError),
    #[error("the PKCS#11 token is unavailable: {0}")]
    Token(String),
    #[error("{0}")]
    Unsupported(String),
}
