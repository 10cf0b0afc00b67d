//! The purposes of a key, RFC 5280 section 4.2.1.12.

use std::fmt;
use std::str::FromStr;

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

use crate::asn1::{DerError, Reader, Writer, tag};
use crate::oid;

/// A purpose; in JSON and text the name of RFC 5280, such as `serverAuth`, or an object identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ExtendedKeyUsage {
    /// TLS server
    ServerAuth,
    /// TLS client
    ClientAuth,
    /// Signing of code
    CodeSigning,
    /// S/MIME
    EmailProtection,
    /// Signing of OCSP responses for a CA
    OcspSigning,
    /// Signing of time stamps
    TimeStamping,
    /// Another purpose, by its object identifier
    Other(String),
}

/// A text that names no purpose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an extended key usage: use serverAuth, clientAuth, codeSigning, emailProtection, OCSPSigning, timeStamping or an object identifier"
)]
pub struct ParseExtendedKeyUsageError(String);

impl ExtendedKeyUsage {
    /// The content octets of the object identifier; `None` if `Other` holds none.
    pub fn oid_content(&self) -> Option<Vec<u8>> {
        match self {
            Self::Other(text) => oid::from_text(text),
            Self::ServerAuth
            | Self::ClientAuth
            | Self::CodeSigning
            | Self::EmailProtection
            | Self::OcspSigning
            | Self::TimeStamping => KNOWN
                .iter()
                .find(|(known, ..)| known == self)
                .map(|(.., oid)| oid.as_bytes().to_vec()),
        }
    }

    pub(crate) fn from_oid_content(content: &[u8]) -> Option<Self> {
        KNOWN
            .iter()
            .find(|(.., oid)| oid.as_bytes() == content)
            .map(|(known, ..)| known.clone())
            .or_else(|| oid::to_text(content).map(Self::Other))
    }

    /// The extension's value for a list of purposes; `None` for none, or where one cannot be written.
    pub fn list_to_der(purposes: &[Self]) -> Option<Vec<u8>> {
        let oids: Option<Vec<_>> = purposes.iter().map(Self::oid_content).collect();
        let oids = oids.filter(|oids| !oids.is_empty())?;
        Some(Writer::encode(|w| {
            w.sequence(|w| oids.iter().for_each(|oid| w.tlv(tag::OID, oid)));
        }))
    }

    /// Reads the extension's value.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, DerError> {
        let mut sequence = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut purposes = Vec::new();
        while !sequence.is_empty() {
            let purpose = Self::from_oid_content(sequence.oid()?);
            purposes.push(purpose.ok_or(DerError::Content("OBJECT IDENTIFIER"))?);
        }
        Ok(purposes)
    }
}

impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerAuth => f.write_str("serverAuth"),
            Self::ClientAuth => f.write_str("clientAuth"),
            Self::CodeSigning => f.write_str("codeSigning"),
            Self::EmailProtection => f.write_str("emailProtection"),
            Self::OcspSigning => f.write_str("OCSPSigning"),
            Self::TimeStamping => f.write_str("timeStamping"),
            Self::Other(oid) => f.write_str(oid),
        }
    }
}

impl FromStr for ExtendedKeyUsage {
    type Err = ParseExtendedKeyUsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        KNOWN
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(text))
            .map(|(known, ..)| known.clone())
            .or_else(|| Self::from_oid_content(&oid::from_text(text)?))
            .ok_or_else(|| ParseExtendedKeyUsageError(text.to_owned()))
    }
}

impl From<ExtendedKeyUsage> for String {
    fn from(purpose: ExtendedKeyUsage) -> Self {
        purpose.to_string()
    }
}

impl TryFrom<String> for ExtendedKeyUsage {
    type Error = ParseExtendedKeyUsageError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

const KNOWN: [(ExtendedKeyUsage, &str, ObjectIdentifier); 6] = [
    (ExtendedKeyUsage::ServerAuth, "serverAuth", oid::SERVER_AUTH),
    (ExtendedKeyUsage::ClientAuth, "clientAuth", oid::CLIENT_AUTH),
    (
        ExtendedKeyUsage::CodeSigning,
        "codeSigning",
        oid::CODE_SIGNING,
    ),
    (
        ExtendedKeyUsage::EmailProtection,
        "emailProtection",
        oid::EMAIL_PROTECTION,
    ),
    (
        ExtendedKeyUsage::OcspSigning,
        "OCSPSigning",
        oid::OCSP_SIGNING,
    ),
    (
        ExtendedKeyUsage::TimeStamping,
        "timeStamping",
        oid::TIME_STAMPING,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_reads_back_from_its_name_and_its_identifier() {
        for (purpose, name, oid) in KNOWN {
            assert_eq!(purpose.to_string(), name);
            assert_eq!(name.parse(), Ok(purpose.clone()));
            assert_eq!(oid.to_string().parse(), Ok(purpose.clone()));
            let content = purpose.oid_content().unwrap();
            assert_eq!(ExtendedKeyUsage::from_oid_content(&content), Some(purpose));
        }
        assert!("server".parse::<ExtendedKeyUsage>().is_err());
    }
}
