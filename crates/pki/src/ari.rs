//! The certificate identifier of ACME renewal information, RFC 9773 section 4.1.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::asn1::{Reader, Writer, tag};
use crate::certificate::Certificate;
use crate::serial::Serial;

/// A certificate by its issuer's key identifier and its serial number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CertId {
    /// The keyIdentifier of the authority key identifier.
    pub key_identifier: Vec<u8>,
    /// The serial number.
    pub serial: Serial,
}

/// A text that is no certificate identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a certificate identifier: RFC 9773 wants two parts in unpadded base64url with a dot between"
)]
pub struct ParseCertIdError(String);

impl CertId {
    /// The identifier of a certificate; `None` without authority key identifier.
    pub fn of(certificate: &Certificate) -> Option<Self> {
        Some(Self {
            key_identifier: certificate.authority_key_identifier.clone()?,
            serial: certificate.serial.clone(),
        })
    }
}

impl fmt::Display for CertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = BASE64URL_NOPAD.encode(&self.key_identifier);
        let serial = BASE64URL_NOPAD.encode(&self.serial.der_content());
        write!(f, "{issuer}.{serial}")
    }
}

impl FromStr for CertId {
    type Err = ParseCertIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseCertIdError(text.to_owned()))
    }
}

impl From<CertId> for String {
    fn from(id: CertId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CertId {
    type Error = ParseCertIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

fn parse(text: &str) -> Option<CertId> {
    let (issuer, serial) = text.split_once('.')?;
    let key_identifier = BASE64URL_NOPAD.decode(issuer.as_bytes()).ok()?;
    let content = BASE64URL_NOPAD.decode(serial.as_bytes()).ok()?;
    // The serial number must be the content of a DER INTEGER, so that each has one identifier.
    let integer = Writer::encode(|w| w.tlv(tag::INTEGER, &content));
    let serial = Serial::from_be_octets(Reader::new(&integer).unsigned().ok()?).ok()?;
    (!key_identifier.is_empty()).then_some(CertId {
        key_identifier,
        serial,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn s4_1_the_example_of_rfc_9773_reads_and_writes() {
        let id: CertId = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE".parse().unwrap();
        let key_identifier = data_encoding::HEXUPPER.encode(&id.key_identifier);
        assert_eq!(key_identifier, "69885B6B87464041E1B37B847BA0AE2CDE01C8D4");
        assert_eq!(id.serial.to_string(), "87654321");
        assert_eq!(id.to_string(), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    }

    #[rstest]
    fn a_text_in_another_form_is_refused(
        #[values(
            "",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ",
            ".AIdlQyE",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.h2VDIQ",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AAE",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE.AQ"
        )]
        text: &str,
    ) {
        assert!(text.parse::<CertId>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            if let Ok(id) = text.parse::<CertId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
