//! Recovery codes: for the day on which the authenticator is lost. Each works once.

use pki::fingerprint::Fingerprint;
use pki::random::Random;
use secrecy::{ExposeSecret, SecretString};

/// One code. Shown once, never stored.
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// A new code with 80 random bits, in groups of four.
    pub fn generate(random: &dyn Random) -> Self {
        let octets: [u8; 10] = random.octets();
        let text = data_encoding::BASE32_NOPAD.encode(&octets).to_lowercase();
        Self(SecretString::from(grouped(&text)))
    }

    /// What somebody typed, however it was grouped. `None` where it cannot be a code.
    pub fn from_presented(text: &str) -> Option<Self> {
        let kept: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_lowercase())
            .take(LENGTH + 1)
            .collect();
        let is_code = kept.len() == LENGTH && kept.bytes().all(|b| b.is_ascii_alphanumeric());
        is_code.then(|| Self(SecretString::from(grouped(&kept))))
    }

    /// What is stored. 80 random bits need no slow hash.
    pub fn hash(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret().as_bytes())
    }

    /// The text, to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn grouped(text: &str) -> String {
    let mut grouped = String::with_capacity(LENGTH + 3);
    for (place, c) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(c);
    }
    grouped
}

const LENGTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use pki::random::SystemRandom;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = RecoveryCode::generate(&SystemRandom::new());
        assert_eq!(code.expose().len(), LENGTH + 3);
        for typed in [
            code.expose().to_owned(),
            code.expose().to_uppercase(),
            code.expose().replace('-', ""),
            format!(" {} ", code.expose().replace('-', " ")),
        ] {
            let read = RecoveryCode::from_presented(&typed).unwrap();
            assert_eq!(read.hash(), code.hash(), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in [
            "",
            "123456",
            "aaaa-bbbb-cccc-ddd",
            "aaaa-bbbb-cccc-dddd-e",
            "ääää-bbbb-cccc-dddd",
        ] {
            assert!(RecoveryCode::from_presented(typed).is_none(), "{typed}");
        }
    }
}
