//! PKCS #12 files (RFC 7292), for people and machines that import nothing else.
//!
//! AES-256 with PBKDF2 and a MAC with HMAC-SHA-256, which everything since Windows Server 2019,
//! macOS 15 and OpenSSL 1.1 reads.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, LocalKey};

/// Why no file was made.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs12Error {
    /// A chain without certificates.
    #[error("there is no certificate to export")]
    Empty,
    /// A password that protects nothing.
    #[error("a PKCS #12 file needs a password")]
    NoPassword,
    /// A key that cannot be written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The library refused a certificate or the key.
    #[error("the PKCS #12 file cannot be written: {0}")]
    Write(String),
}

/// The file leaves our hands, so its password can be guessed offline; ten times what OpenSSL and
/// Windows take keeps an import below a second.
const ITERATIONS: u32 = 100_000;

/// A file with certificates only, as a trust store takes them.
pub fn export_certificates<D: AsRef<[u8]>>(
    certificates: &[D],
    password: &SecretString,
) -> Result<Vec<u8>, Pkcs12Error> {
    let mut store = KeyStore::new();
    for certificate in certificates {
        let der = certificate.as_ref();
        let name = Fingerprint::of(der).to_string();
        store.add_entry(&name, KeyStoreEntry::Certificate(read(der)?));
    }
    write(&store, certificates.is_empty(), password)
}

/// A file with a private key and its chain, leaf first.
pub fn export_key<D: AsRef<[u8]>>(
    name: &str,
    key: &LocalKey,
    chain: &[D],
    password: &SecretString,
) -> Result<Vec<u8>, Pkcs12Error> {
    let pkcs8 = key.to_pkcs8()?;
    let private = PrivateKey::from_der(&pkcs8).map_err(refused)?;
    let certificates = chain
        .iter()
        .map(|der| read(der.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    let key_id = chain.first().map(|leaf| Fingerprint::of(leaf.as_ref()));
    let key_id = key_id.ok_or(Pkcs12Error::Empty)?.0;
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(key_id.to_vec(), private, certificates);
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    write(&store, false, password)
}

fn read(der: &[u8]) -> Result<Certificate, Pkcs12Error> {
    Certificate::from_der(der).map_err(refused)
}

fn write(store: &KeyStore, empty: bool, password: &SecretString) -> Result<Vec<u8>, Pkcs12Error> {
    if empty {
        return Err(Pkcs12Error::Empty);
    }
    let password = Zeroizing::new(password.expose_secret().to_owned());
    if password.is_empty() {
        return Err(Pkcs12Error::NoPassword);
    }
    store
        .writer(&password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(refused)
}

fn refused(error: p12_keystore::error::Error) -> Pkcs12Error {
    Pkcs12Error::Write(error.to_string())
}
