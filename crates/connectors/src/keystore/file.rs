//! Private keys as sealed PKCS#8 inside their own reference: the store keeps them, the seal key opens them.

use std::sync::Arc;

use domain::keystore::{KeyReference, KeyStore, KeyStoreError, OpenKey, Sealer};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};

/// What key references are sealed for. The reference moves with its issuer, so it names no row.
const CONTEXT: &str = "private-key";

/// Keys in this process's memory, sealed at rest.
pub struct FileKeyStore {
    sealer: Arc<dyn Sealer>,
}

impl FileKeyStore {
    /// A key store whose references open with `sealer`.
    pub fn new(sealer: Arc<dyn Sealer>) -> Self {
        Self { sealer }
    }

    fn seal(&self, key: LocalKey) -> Result<OpenKey, KeyStoreError> {
        let pkcs8 = key.to_pkcs8()?;
        Ok(OpenKey {
            reference: KeyReference::Sealed {
                sealed: self.sealer.seal(CONTEXT, &pkcs8),
            },
            key: Arc::new(key),
        })
    }
}

impl KeyStore for FileKeyStore {
    fn generate(&self, _label: &str, algorithm: KeyAlgorithm) -> Result<OpenKey, KeyStoreError> {
        self.seal(LocalKey::generate(algorithm)?)
    }

    fn import(&self, _label: &str, pkcs8: &[u8]) -> Result<OpenKey, KeyStoreError> {
        self.seal(LocalKey::from_pkcs8(pkcs8)?)
    }

    fn open(&self, reference: &KeyReference) -> Result<Arc<dyn SigningKey>, KeyStoreError> {
        match reference {
            KeyReference::Sealed { sealed } => {
                let pkcs8 = self.sealer.open(CONTEXT, sealed)?;
                Ok(Arc::new(LocalKey::from_pkcs8(&pkcs8)?))
            }
            KeyReference::Pkcs11 { label, .. } => Err(KeyStoreError::Unsupported(format!(
                "the key `{label}` is in a PKCS#11 token, but no token is configured; set ca.key_store"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keystore::{AeadSealer, SealKey};

    fn store(octet: u8) -> FileKeyStore {
        let key = SealKey::from_octets(secrecy::SecretBox::new(Box::new([octet; 32])));
        FileKeyStore::new(Arc::new(AeadSealer::new(&key)))
    }

    #[test]
    fn a_generated_key_opens_again_and_signs_alike() {
        let made = store(1).generate("issuing", KeyAlgorithm::EcP256).unwrap();
        let opened = store(1).open(&made.reference).unwrap();
        let signature = opened.sign(b"message").unwrap();
        let verified =
            made.key
                .public_key()
                .verify(made.key.signature_algorithm(), b"message", &signature);
        assert!(verified.is_ok());
        assert!(store(2).open(&made.reference).is_err());
    }

    #[test]
    fn s12_a_reference_shows_nothing_of_the_key() {
        let key = LocalKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap();
        let made = store(1).import("imported", &pkcs8).unwrap();
        let KeyReference::Sealed { sealed } = &made.reference else {
            panic!("a file key is sealed");
        };
        let octets = data_encoding::BASE64_NOPAD
            .decode(sealed.trim_start_matches("v1.").as_bytes())
            .unwrap();
        assert!(!octets.windows(16).any(|window| window == &pkcs8[16..32]));
        assert_eq!(made.key.public_key(), key.public_key());
    }

    #[test]
    fn a_key_in_a_token_is_refused_with_what_to_configure() {
        let reference = KeyReference::Pkcs11 {
            id: "01".into(),
            label: "issuing".into(),
        };
        let error = store(1).open(&reference).err().unwrap();
        assert!(error.to_string().contains("ca.key_store"));
    }
}
