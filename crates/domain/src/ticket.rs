//! What somebody holds who is half-way through something that takes two requests.

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use secrecy::{ExposeSecret, SecretString};

/// The secret of a setup link, or of a challenge that waits for its answer. Given out once, stored
/// as a hash, good once.
pub struct TicketSecret(SecretString);

impl TicketSecret {
    /// A new secret with 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        let octets: [u8; 32] = random.octets();
        let text = data_encoding::BASE64URL_NOPAD.encode(&octets);
        Self(SecretString::from(format!("cwk_{text}")))
    }

    /// What somebody brought back.
    pub fn from_presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is stored. The secret has 256 bits of its own, so one hash is enough.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret().as_bytes())
    }

    /// The text, to be handed over.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
