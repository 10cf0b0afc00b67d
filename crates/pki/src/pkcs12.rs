//! PKCS #12 files (RFC 7292), for people and machines that import nothing else.
//!
//! AES-256 with PBKDF2 and a MAC with HMAC-SHA-256, which everything since Windows Server 2019,
//! macOS 15 and OpenSSL 1.1 reads.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive,
    PrivateKey, PrivateKeyChain,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::fingerprint::Fingerprint;
use crate::key::{KeyError, LocalKey};

/// Why no file was made.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs12Error {
    /// A chain or a file without certificates.
    #[error("there is no certificate in it")]
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
    /// More octets than a file of certificates sensibly has.
    #[error("a PKCS #12 file of {0} octets is too large: at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Not such a file, another password, or an algorithm that is not read.
    #[error("the PKCS #12 file cannot be read, or the password is another one: {0}")]
    Read(String),
}

/// What a file holds, its keys thrown away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The DER of every certificate, in the file's order.
    pub certificates: Vec<Vec<u8>>,
    /// How many private keys and other secrets there were.
    pub secrets: usize,
}

/// A file is decrypted bag by bag with the work that each one asks for, so its size bounds that work.
const MAX_OCTETS: usize = 1024 * 1024;

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

/// Reads the certificates of a file. Takes a good part of a second, most of it for the password; the
/// private keys are decrypted on the way, dropped, and never leave this function.
pub fn read_certificates(octets: &[u8], password: &SecretString) -> Result<Contents, Pkcs12Error> {
    if octets.len() > MAX_OCTETS {
        return Err(Pkcs12Error::TooLarge(octets.len()));
    }
    let archive = Pkcs12Archive::from_pkcs12(octets, password.expose_secret())
        .map_err(|error| Pkcs12Error::Read(error.to_string()))?;
    let certificates: Vec<Vec<u8>> = archive
        .certs
        .iter()
        .map(|bag| bag.cert.as_der().to_vec())
        .collect();
    match certificates.is_empty() {
        true => Err(Pkcs12Error::Empty),
        false => Ok(Contents {
            certificates,
            secrets: archive.keys.len() + archive.secrets.len(),
        }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{CertificateContent, IssuerFacts, encode_tbs, sign};
    use crate::key::{KeyAlgorithm, SigningKey};
    use crate::name::DistinguishedName;
    use crate::serial::Serial;
    use crate::time::Timestamp;

    fn leaf(key: &LocalKey) -> Vec<u8> {
        let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(1000));
        let mut content = CertificateContent::new(key.public_key().clone(), from, to);
        content.subject = DistinguishedName::parse("CN=a").unwrap();
        let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
        let serial = Serial::from_be_octets(&[7]).unwrap();
        sign(&encode_tbs(&content, &serial, &facts).unwrap(), key).unwrap()
    }

    #[test]
    fn certificates_are_read_back_and_keys_are_only_counted() {
        let password = SecretString::from("s3cret");
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let leaf = leaf(&key);
        let file = export_key("x", &key, &[&leaf], &password).unwrap();
        let contents = read_certificates(&file, &password).unwrap();
        assert_eq!(contents.certificates, [leaf]);
        assert_eq!(contents.secrets, 1);
        let wrong = SecretString::from("other");
        assert!(matches!(
            read_certificates(&file, &wrong),
            Err(Pkcs12Error::Read(_))
        ));
        assert!(read_certificates(&vec![0; MAX_OCTETS + 1], &password).is_err());
    }
}
