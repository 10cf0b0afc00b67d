//! Renewal information, ARI (RFC 9773).

use std::fmt;
use std::str::FromStr;

use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::base64url::{self, Base64UrlError};
use super::problem::Problem;

/// A certificate's name in ARI (RFC 9773 section 4.1): its authority key identifier and serial number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId {
    key_identifier: Vec<u8>,
    serial: Vec<u8>,
}

/// Why a text does not name a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateIdError {
    /// Not two parts around one dot.
    #[error(
        "a certificate identifier has two parts, key identifier and serial number, joined by `.`"
    )]
    Parts,
    /// A part that is not base64url.
    #[error("a part of the certificate identifier is not base64url: {0}")]
    Encoding(#[from] Base64UrlError),
    /// Octets that no DER INTEGER above zero has.
    #[error("the serial number is not written as the content of a positive DER INTEGER")]
    Serial,
}

impl CertificateIdError {
    /// The problem document for this refusal.
    pub fn problem(&self) -> Problem {
        Problem::malformed(self.to_string())
    }
}

impl CertificateId {
    /// From the authority key identifier's `keyIdentifier` and the serial number's DER content octets,
    /// a leading zero included.
    pub fn new(
        key_identifier: impl Into<Vec<u8>>,
        serial: impl Into<Vec<u8>>,
    ) -> Result<Self, CertificateIdError> {
        let (key_identifier, serial) = (key_identifier.into(), serial.into());
        if key_identifier.is_empty() {
            return Err(CertificateIdError::Parts);
        }
        // One certificate must have one name: minimal DER only, and below 0x80 no leading zero.
        match serial.as_slice() {
            [] | [0] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => Err(CertificateIdError::Serial),
            _ => Ok(Self {
                key_identifier,
                serial,
            }),
        }
    }

    /// The issuer's key identifier.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// The serial number's DER content octets.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }
}

impl FromStr for CertificateId {
    type Err = CertificateIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key_identifier, serial) = text.split_once('.').ok_or(CertificateIdError::Parts)?;
        if serial.contains('.') {
            return Err(CertificateIdError::Parts);
        }
        Self::new(
            base64url::decode(key_identifier)?,
            base64url::decode(serial)?,
        )
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = base64url::encode(&self.key_identifier);
        text.push('.');
        base64url::encode_append(&self.serial, &mut text);
        f.write_str(&text)
    }
}

impl Serialize for CertificateId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CertificateId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// When to renew; never empty (RFC 9773 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
struct Bounds {
    start: Timestamp,
    end: Timestamp,
}

/// A window that does not end after it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the renewal window does not end after its start")]
pub struct EmptyWindow;

impl Window {
    /// A window from `start` to `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, EmptyWindow> {
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(EmptyWindow)
        }
    }

    /// The first instant.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The last instant.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

impl TryFrom<Bounds> for Window {
    type Error = EmptyWindow;

    fn try_from(Bounds { start, end }: Bounds) -> Result<Self, EmptyWindow> {
        Self::new(start, end)
    }
}

/// The answer to a renewalInfo request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalInfo {
    /// When to renew.
    #[serde(rename = "suggestedWindow")]
    pub suggested_window: Window,
    /// A page that says why.
    #[serde(
        rename = "explanationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub explanation_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn p12_the_example_of_the_text_reads_and_writes() {
        let text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        let id: CertificateId = text.parse().unwrap();
        assert_eq!(id.serial(), [0x00, 0x87, 0x65, 0x43, 0x21]);
        assert_eq!(id.key_identifier().first(), Some(&0x69));
        assert_eq!(id.key_identifier().len(), 20);
        assert_eq!(id.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("aYhb")]
    #[case("aYhb.")]
    #[case(".AIdl")]
    #[case("aYhb.AIdl.AIdl")]
    #[case("aYhb.AIdlQyE=")]
    #[case("aY+b.AIdl")]
    #[case("aYhb.AA")] // zero
    #[case("aYhb.h2U")] // negative
    #[case("aYhb.AAE")] // needless zero
    fn p12_another_spelling_is_refused(#[case] text: &str) {
        let error = text.parse::<CertificateId>().unwrap_err();
        assert_eq!(error.problem().http_status(), 400);
    }

    #[test]
    fn an_empty_window_is_neither_made_nor_read() {
        let at = Timestamp::from_seconds(1_800_000_000);
        assert_eq!(Window::new(at, at), Err(EmptyWindow));
        let window = json!({"suggestedWindow": {"start": at, "end": at}});
        assert!(serde_json::from_value::<RenewalInfo>(window).is_err());
    }

    #[test]
    fn the_answer_has_the_names_of_the_text() {
        let wire = json!({
            "suggestedWindow": {"start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"},
            "explanationURL": "https://ca.example/incident",
        });
        let info: RenewalInfo = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(info).unwrap(), wire);
    }

    proptest! {
        #[test]
        fn n07_a_certificate_has_one_name(text in "[A-Za-z0-9_-]{0,8}\\.?[A-Za-z0-9_-]{0,8}") {
            if let Ok(id) = text.parse::<CertificateId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
