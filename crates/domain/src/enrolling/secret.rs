//! The secret of an enrollment password: made here, shown once, kept as a hash.

use std::fmt;

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use secrecy::{ExposeSecret, SecretString};

/// What a client presents. Short enough to be typed into a device, long enough not to be guessed.
pub struct EnrollmentSecret(SecretString);

impl EnrollmentSecret {
    /// A new secret with 120 random bits, in letters and digits that are not mistaken for each other.
    pub fn generate(random: &dyn Random) -> Self {
        let octets: [u8; LENGTH] = random.octets();
        let text: String = octets
            .iter()
            .map(|octet| char::from(ALPHABET[usize::from(octet & 0x1f)]))
            .collect();
        Self(SecretString::from(text))
    }

    /// What a client sent.
    pub fn from_presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is stored. The secret is random enough that one hash protects it.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret().as_bytes())
    }

    /// The text, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for EnrollmentSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrollmentSecret")
    }
}

/// Five bits each.
const LENGTH: usize = 24;
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
