//! A caller's own name for one creation, by which a repeated request is recognised
//! (draft-ietf-httpapi-idempotency-key-header section 2).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

/// The name: up to 255 visible ASCII characters, best a random UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The text as the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`Idempotency-Key` must be 1 to 255 visible ASCII characters; send a random UUID")]
pub struct ParseIdempotencyKeyError;

impl FromStr for IdempotencyKey {
    type Err = ParseIdempotencyKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(ParseIdempotencyKeyError),
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named request, and its answer once there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who asked: keys of different callers never meet.
    pub principal: String,
    pub key: IdempotencyKey,
    /// SHA-256 over method, path and body.
    pub request: Fingerprint,
    /// Sealed, since it may hold a secret that is shown once.
    pub sealed_answer: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A request without an answer is under way for so long; after that it was cut off.
pub const UNDER_WAY: Duration = Duration::from_secs(2 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        for (text, taken) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", true),
            ("\"quoted\"", true),
            ("", false),
            ("a b", false),
            ("ä", false),
            ("a\n", false),
        ] {
            assert_eq!(text.parse::<IdempotencyKey>().is_ok(), taken, "{text}");
        }
        assert!("x".repeat(255).parse::<IdempotencyKey>().is_ok());
        assert!("x".repeat(256).parse::<IdempotencyKey>().is_err());
    }
}
