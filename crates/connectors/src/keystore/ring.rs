//! All key stores of an installation behind one port: keys open where they are, new ones go to one place.

use std::sync::Arc;

use domain::keystore::{KeyReference, KeyStore, KeyStoreError, OpenKey};
use pki::key::{KeyAlgorithm, SigningKey};

use super::{FileKeyStore, Pkcs11KeyStore};

/// The file key store, and a token where one is configured. With a token, new keys are made in it,
/// while keys that were sealed before still open.
pub struct KeyRing {
    file: FileKeyStore,
    token: Option<Pkcs11KeyStore>,
}

impl KeyRing {
    /// Keys in files, and in a token if there is one.
    pub fn new(file: FileKeyStore, token: Option<Pkcs11KeyStore>) -> Self {
        Self { file, token }
    }

    fn home(&self) -> &dyn KeyStore {
        match &self.token {
            Some(token) => token,
            None => &self.file,
        }
    }
}

impl KeyStore for KeyRing {
    fn generate(&self, label: &str, algorithm: KeyAlgorithm) -> Result<OpenKey, KeyStoreError> {
        self.home().generate(label, algorithm)
    }

    fn import(&self, label: &str, pkcs8: &[u8]) -> Result<OpenKey, KeyStoreError> {
        self.home().import(label, pkcs8)
    }

    fn open(&self, reference: &KeyReference) -> Result<Arc<dyn SigningKey>, KeyStoreError> {
        match (reference, &self.token) {
            (KeyReference::Pkcs11 { .. }, Some(token)) => token.open(reference),
            // Without a token, the file store says what to configure.
            (KeyReference::Pkcs11 { .. }, None) | (KeyReference::Sealed { .. }, _) => {
                self.file.open(reference)
            }
        }
    }
}
