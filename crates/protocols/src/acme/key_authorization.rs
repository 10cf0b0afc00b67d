//! What a client puts where only the holder of the identifier can (RFC 8555 section 8.1): the challenge's
//! token bound to the account's key, and its digests for DNS and TLS.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use pki::random::Random;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::base64url;
use super::jwk::Thumbprint;

/// Characters that 128 bits take in base64url, the least entropy allowed (RFC 8555 section 8.3).
const MIN_CHARACTERS: usize = 22;
/// A bound on what is read; ours have 43 characters.
const MAX_CHARACTERS: usize = 256;

/// A challenge's token: at least 128 random bits in base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(String);

/// A text that is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters, all of the base64url alphabet"
)]
pub struct ParseTokenError;

impl Token {
    /// A token of 256 random bits.
    pub fn generate(random: &dyn Random) -> Self {
        Self(base64url::encode(random.octets::<32>()))
    }

    /// The token's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = ParseTokenError;

    /// Any text of the alphabet passes: a token is never decoded, so it need not be an encoding.
    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let in_alphabet =
            |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
        if (MIN_CHARACTERS..=MAX_CHARACTERS).contains(&text.len()) && text.bytes().all(in_alphabet)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseTokenError)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// `token || "." || thumbprint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAuthorization(String);

impl KeyAuthorization {
    /// Binds a token to a key.
    pub fn new(token: &Token, thumbprint: &Thumbprint) -> Self {
        Self(format!("{token}.{thumbprint}"))
    }

    /// The text itself, the content of the `http-01` resource.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text, the content of the `tls-alpn-01` extension (RFC 8737 section 3).
    pub fn digest(&self) -> [u8; 32] {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        octets
    }

    /// The TXT record's value for `dns-01` (RFC 8555 section 8.4) and `dns-account-01`.
    pub fn dns_value(&self) -> String {
        base64url::encode(self.digest())
    }

    /// Whether this is the body that `http-01` asks for; whitespace may follow (RFC 8555 section 8.3).
    pub fn matches_http_body(&self, body: &[u8]) -> bool {
        verify_slices_are_equal(body.trim_ascii_end(), self.0.as_bytes()).is_ok()
    }

    /// Whether this is the TXT value that `dns-01` asks for.
    pub fn matches_dns_value(&self, value: &[u8]) -> bool {
        verify_slices_are_equal(value, self.dns_value().as_bytes()).is_ok()
    }
}

impl fmt::Display for KeyAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pki::random::SystemRandom;
    use rstest::rstest;

    fn example() -> KeyAuthorization {
        let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        KeyAuthorization::new(
            &"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
                .parse()
                .unwrap(),
            &thumbprint.parse().unwrap(),
        )
    }

    #[test]
    fn token_and_thumbprint_are_joined_and_hashed() {
        let expected = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.\
                        NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(example().as_str(), expected);
        // sha256sum of the text above, in base64url.
        assert_eq!(
            example().dns_value(),
            "ZTRx1Ckl1-tM05o5zaizTTA0yUy5AGereMgSNWC6Ll8"
        );
        assert_eq!(base64url::encode(example().digest()), example().dns_value());
    }

    #[rstest]
    #[case("", true)]
    #[case("\n", true)]
    #[case(" \r\n\t", true)]
    #[case("x", false)]
    #[case("\u{a0}", false)]
    fn an_http_body_may_end_in_whitespace_only(#[case] tail: &str, #[case] matches: bool) {
        let body = format!("{}{tail}", example());
        assert_eq!(example().matches_http_body(body.as_bytes()), matches);
        let led = format!(" {}", example());
        assert!(!example().matches_http_body(led.as_bytes()));
    }

    #[test]
    fn generated_tokens_differ_and_read_back() {
        let (one, other) = (
            Token::generate(&SystemRandom::new()),
            Token::generate(&SystemRandom::new()),
        );
        assert_ne!(one, other);
        assert_eq!(one.as_str().parse(), Ok(one));
    }

    #[rstest]
    #[case("")]
    #[case("evaGxfADs6pSRb2LAv9IZ")]
    #[case("evaGxfADs6pSRb2LAv9IZf==")]
    #[case("../../../../../../../etc/passwd")]
    #[case("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ PCt92wr-oA")]
    fn a_token_is_long_enough_and_safe_in_a_path(#[case] text: &str) {
        assert_eq!(text.parse::<Token>(), Err(ParseTokenError));
    }
}
