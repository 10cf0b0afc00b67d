//! Base64url as JOSE writes it (RFC 7515 section 2): no padding, and only the canonical spelling.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, DecodeKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Base64UrlError {
    /// RFC 8555 section 6.1: encoded values that include trailing `=` must be rejected.
    #[error("base64url must be written without padding (`=`)")]
    Padded,
    /// A character outside `A-Z a-z 0-9 - _`.
    #[error("character {position} is not in the base64url alphabet")]
    Character {
        /// Counted from 0.
        position: usize,
    },
    /// No octet string encodes to this many characters.
    #[error("this many characters are not base64url of anything")]
    Length,
    /// A second spelling of the same octets: the unused bits of the last character are not zero.
    #[error("the last character has bits set that must be zero")]
    TrailingBits,
}

/// Encodes without padding.
pub fn encode(octets: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(octets.as_ref())
}

/// Appends the encoding of `octets` to `text`.
pub fn encode_append(octets: &[u8], text: &mut String) {
    BASE64URL_NOPAD.encode_append(octets, text);
}

/// Decodes the canonical spelling and nothing else.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64UrlError> {
    let text = text.as_ref();
    BASE64URL_NOPAD
        .decode(text)
        .map_err(|error| match error.kind {
            _ if text.last() == Some(&b'=') => Base64UrlError::Padded,
            DecodeKind::Length => Base64UrlError::Length,
            DecodeKind::Trailing => Base64UrlError::TrailingBits,
            DecodeKind::Symbol | DecodeKind::Padding => Base64UrlError::Character {
                position: error.position,
            },
        })
}

/// Octets that travel as a base64url string, such as a CSR or a certificate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Base64Url(pub Vec<u8>);

impl fmt::Debug for Base64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Url({} octets)", self.0.len())
    }
}

impl AsRef<[u8]> for Base64Url {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Base64Url {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets)
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        decode(text.as_bytes()).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("Zg==", Base64UrlError::Padded)]
    #[case("Zm8=", Base64UrlError::Padded)]
    #[case("Zh", Base64UrlError::TrailingBits)]
    #[case("Zm9", Base64UrlError::TrailingBits)]
    #[case("Z", Base64UrlError::Length)]
    #[case("Zm9v+m9v", Base64UrlError::Character { position: 4 })]
    #[case("Zm9v/m9v", Base64UrlError::Character { position: 4 })]
    #[case("Zm 9", Base64UrlError::Character { position: 2 })]
    #[case("Zm\n9", Base64UrlError::Character { position: 2 })]
    fn p03_only_the_canonical_spelling_is_read(
        #[case] text: &str,
        #[case] expected: Base64UrlError,
    ) {
        assert_eq!(decode(text), Err(expected));
    }

    proptest! {
        #[test]
        fn octets_survive_the_round_trip(octets: Vec<u8>) {
            prop_assert_eq!(decode(encode(&octets)), Ok(octets));
        }

        #[test]
        fn n07_whatever_decodes_has_one_spelling(text in "[A-Za-z0-9_=+/-]{0,16}") {
            if let Ok(octets) = decode(&text) {
                prop_assert_eq!(encode(octets), text);
            }
        }
    }
}
