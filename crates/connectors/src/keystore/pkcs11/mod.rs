//! Keys in a PKCS#11 token: made there, never to leave it.

mod error;
mod key;
mod token;

use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::Session;
use data_encoding::HEXLOWER;
use domain::keystore::{KeyReference, KeyStore, KeyStoreError, OpenKey};
use pki::asn1::Writer;
use pki::key::{KeyAlgorithm, SigningKey};
use pki::oid;
use pki::random::{Random, SystemRandom};
use secrecy::SecretString;

pub use error::TokenError;
use key::TokenKey;
use token::Token;

/// Which token of which module, and how to be let in.
#[derive(Clone, Debug)]
pub struct Pkcs11Config {
    /// The vendor's library.
    pub module: PathBuf,
    pub token: TokenSelector,
    pub pin: SecretString,
}

/// Which of a module's tokens. A label also finds a token that moved to another slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSelector {
    Label(String),
    Slot(u64),
}

/// Makes and opens keys in one token.
///
/// Calls block on the token; callers on an async runtime move them off its threads.
pub struct Pkcs11KeyStore {
    token: Arc<Token>,
}

impl Pkcs11KeyStore {
    /// Connects to the token. A PIN that is refused here is not tried again.
    pub fn new(config: Pkcs11Config) -> Result<Self, KeyStoreError> {
        let token = Token::new(config)?;
        token.connect()?;
        Ok(Self {
            token: Arc::new(token),
        })
    }

    /// Takes a key into use that was made in the token by other means; its label must be unique.
    pub fn adopt(&self, label: &str) -> Result<OpenKey, KeyStoreError> {
        let id = key::id_of_label(&self.token, label)?;
        self.opened(id, label)
    }

    fn opened(&self, id: Vec<u8>, label: &str) -> Result<OpenKey, KeyStoreError> {
        let reference = KeyReference::Pkcs11 {
            id: HEXLOWER.encode(&id),
            label: label.to_owned(),
        };
        let key = TokenKey::open(self.token.clone(), id, label)?;
        Ok(OpenKey {
            reference,
            key: Arc::new(key),
        })
    }
}

impl KeyStore for Pkcs11KeyStore {
    fn generate(&self, label: &str, algorithm: KeyAlgorithm) -> Result<OpenKey, KeyStoreError> {
        let (mechanism, parameters) = generation(algorithm)?;
        let id = (&SystemRandom::new() as &dyn Random)
            .octets::<16>()
            .to_vec();
        self.token.with_writable_session(|session| {
            generate_pair(session, &mechanism, &parameters, &id, label)
        })?;
        self.opened(id, label)
    }

    fn import(&self, _label: &str, _pkcs8: &[u8]) -> Result<OpenKey, KeyStoreError> {
        Err(KeyStoreError::Unsupported(
            "a key that has been outside of the token is not imported into it; generate the CA's key \
             in the token, or keep this CA in the file key store"
                .to_owned(),
        ))
    }

    fn open(&self, reference: &KeyReference) -> Result<Arc<dyn SigningKey>, KeyStoreError> {
        match reference {
            KeyReference::Pkcs11 { id, label } => {
                let id = HEXLOWER.decode(id.as_bytes()).map_err(|_| {
                    KeyStoreError::Token(format!("the stored id `{id}` of key `{label}` is not hex"))
                })?;
                Ok(Arc::new(TokenKey::open(self.token.clone(), id, label)?))
            }
            KeyReference::Sealed { .. } => Err(KeyStoreError::Unsupported(
                "this key is sealed in the database, not in the PKCS#11 token; set ca.key_store = \"file\""
                    .to_owned(),
            )),
        }
    }
}

/// How a pair is made, and what the public half's template says about its size.
fn generation(
    algorithm: KeyAlgorithm,
) -> Result<(Mechanism<'static>, Vec<Attribute>), KeyStoreError> {
    let curve = |oid| {
        let parameters = Writer::encode(|w| w.oid(oid));
        (
            Mechanism::EccKeyPairGen,
            vec![Attribute::EcParams(parameters)],
        )
    };
    let rsa = |bits: u64| {
        let attributes = vec![
            Attribute::ModulusBits(bits.into()),
            Attribute::PublicExponent(vec![1, 0, 1]),
        ];
        (Mechanism::RsaPkcsKeyPairGen, attributes)
    };
    match algorithm {
        KeyAlgorithm::EcP256 => Ok(curve(&oid::P256)),
        KeyAlgorithm::EcP384 => Ok(curve(&oid::P384)),
        KeyAlgorithm::Rsa2048 => Ok(rsa(2048)),
        KeyAlgorithm::Rsa3072 => Ok(rsa(3072)),
        KeyAlgorithm::Rsa4096 => Ok(rsa(4096)),
        KeyAlgorithm::Ed25519 => Err(KeyStoreError::Unsupported(
            "Ed25519 keys are not made in PKCS#11 tokens; choose p-256, p-384 or rsa-3072"
                .to_owned(),
        )),
    }
}

fn generate_pair(
    session: &Session,
    mechanism: &Mechanism<'_>,
    parameters: &[Attribute],
    id: &[u8],
    label: &str,
) -> cryptoki::error::Result<()> {
    let common = [
        Attribute::Token(true),
        Attribute::Id(id.to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let mut public = common.to_vec();
    public.extend([
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Private(false),
        Attribute::Verify(true),
    ]);
    public.extend_from_slice(parameters);
    let mut private = common.to_vec();
    private.extend([
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ]);
    session
        .generate_key_pair(mechanism, &public, &private)
        .map(drop)
}

#[cfg(test)]
mod tests;
