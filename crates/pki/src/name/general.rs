//! The forms of a subject alternative name, RFC 5280 section 4.2.1.6.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::DistinguishedName;
use crate::asn1::{DerError, Reader, Tlv, Writer, tag};
use crate::oid;

/// A name of one of the forms of GeneralName.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum GeneralName {
    /// dNSName, in the case and form it is written in
    Dns(String),
    /// iPAddress
    Ip(IpAddr),
    /// rfc822Name
    Email(String),
    /// uniformResourceIdentifier
    Uri(String),
    /// directoryName
    Directory(DistinguishedName),
    /// otherName; a registeredID has no DER
    Other {
        /// The dotted object identifier.
        oid: String,
        /// The DER of the value.
        #[serde(with = "crate::hex::octets")]
        der: Vec<u8>,
    },
}

/// A name that cannot stand in a certificate, or octets that are no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneralNameError {
    /// Not DER, or not of the structure.
    #[error(transparent)]
    Der(#[from] DerError),
    /// A text with characters beyond ASCII, or empty.
    #[error("`{0}` cannot be a name in a certificate: it must be ASCII and not empty")]
    NotAscii(String),
    /// An address with another length than IPv4 and IPv6 have.
    #[error("an iPAddress name has {0} octets instead of 4 or 16")]
    IpLength(usize),
    /// otherName with a type that is no object identifier, or a value that is not DER.
    #[error("the otherName of type `{0}` is not well-formed")]
    OtherName(String),
    /// x400Address or ediPartyName
    #[error("names with tag [{0}] are not supported")]
    Unsupported(u8),
}

const OTHER: u8 = tag::constructed(0);
const EMAIL: u8 = tag::primitive(1);
const DNS: u8 = tag::primitive(2);
const DIRECTORY: u8 = tag::constructed(4);
const URI: u8 = tag::primitive(6);
const IP: u8 = tag::primitive(7);
const REGISTERED_ID: u8 = tag::primitive(8);

impl GeneralName {
    /// Reads the names of a GeneralNames SEQUENCE, as in subjectAltName.
    pub fn read_all(der: &[u8]) -> Result<Vec<Self>, GeneralNameError> {
        let mut sequence = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut names = Vec::new();
        while !sequence.is_empty() {
            names.push(Self::read(sequence.read()?)?);
        }
        Ok(names)
    }

    /// Reads one name.
    pub fn read(element: Tlv<'_>) -> Result<Self, GeneralNameError> {
        match element.tag {
            DNS => ascii(element.content).map(Self::Dns),
            EMAIL => ascii(element.content).map(Self::Email),
            URI => ascii(element.content).map(Self::Uri),
            IP => ip(element.content).map(Self::Ip),
            DIRECTORY => Ok(Self::Directory(DistinguishedName::from_der(
                element.content,
            )?)),
            OTHER => {
                let mut fields = Reader::new(element.content);
                let kind = fields.oid()?;
                let value = Reader::single(fields.expect(tag::constructed(0))?.content)?;
                fields.finish()?;
                Ok(Self::Other {
                    oid: oid_text(kind)?,
                    der: value.der.to_vec(),
                })
            }
            REGISTERED_ID => Ok(Self::Other {
                oid: oid_text(element.content)?,
                der: Vec::new(),
            }),
            other => Err(GeneralNameError::Unsupported(other & 0x1f)),
        }
    }

    /// Whether the name can be written.
    pub(crate) fn check(&self) -> Result<(), GeneralNameError> {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => {
                ascii(text.as_bytes()).map(drop)
            }
            Self::Ip(_) | Self::Directory(_) => Ok(()),
            Self::Other { oid, der } => {
                let well_formed = oid::from_text(oid).is_some()
                    && (der.is_empty() || Reader::single(der).is_ok());
                if well_formed {
                    Ok(())
                } else {
                    Err(GeneralNameError::OtherName(oid.clone()))
                }
            }
        }
    }

    /// The name in DER, if it can be written.
    pub fn to_der(&self) -> Result<Vec<u8>, GeneralNameError> {
        self.check()?;
        Ok(Writer::encode(|w| self.encode(w)))
    }

    /// Writes a name that passed [`Self::check`].
    pub(crate) fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Dns(text) => writer.tlv(DNS, text.as_bytes()),
            Self::Email(text) => writer.tlv(EMAIL, text.as_bytes()),
            Self::Uri(text) => writer.tlv(URI, text.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => writer.tlv(IP, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => writer.tlv(IP, &address.octets()),
            Self::Directory(name) => writer.nested(DIRECTORY, |w| name.encode(w)),
            Self::Other { oid, der } => {
                let kind = oid::from_text(oid).unwrap_or_default();
                if der.is_empty() {
                    writer.tlv(REGISTERED_ID, &kind);
                } else {
                    writer.nested(OTHER, |w| {
                        w.tlv(tag::OID, &kind);
                        w.constructed(0, |w| w.raw(der));
                    });
                }
            }
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => f.write_str(text),
            Self::Ip(address) => address.fmt(f),
            Self::Directory(name) => name.fmt(f),
            Self::Other { oid, .. } => write!(f, "otherName {oid}"),
        }
    }
}

fn ascii(octets: &[u8]) -> Result<String, GeneralNameError> {
    let text = String::from_utf8_lossy(octets);
    if !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_graphic() || octet == b' ')
    {
        Ok(text.into_owned())
    } else {
        Err(GeneralNameError::NotAscii(text.escape_debug().to_string()))
    }
}

fn ip(octets: &[u8]) -> Result<IpAddr, GeneralNameError> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Ok(v4.into());
    }
    <[u8; 16]>::try_from(octets)
        .map(IpAddr::from)
        .map_err(|_| GeneralNameError::IpLength(octets.len()))
}

fn oid_text(content: &[u8]) -> Result<String, GeneralNameError> {
    oid::to_text(content).ok_or(GeneralNameError::Der(DerError::Content(
        "OBJECT IDENTIFIER",
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(GeneralName::Dns("*.example.org".into()))]
    #[case(GeneralName::Ip("192.0.2.1".parse().unwrap()))]
    #[case(GeneralName::Ip("2001:db8::1".parse().unwrap()))]
    #[case(GeneralName::Email("a@example.org".into()))]
    #[case(GeneralName::Uri("spiffe://example.org/x".into()))]
    #[case(GeneralName::Directory(DistinguishedName::parse("CN=a,O=b").unwrap()))]
    #[case(GeneralName::Other { oid: "1.3.6.1.4.1.311.20.2.3".into(), der: vec![0x0c, 1, b'a'] })]
    #[case(GeneralName::Other { oid: "1.2.3".into(), der: vec![] })]
    fn every_form_reads_back(#[case] name: GeneralName) {
        name.check().unwrap();
        let der = Writer::encode(|w| w.sequence(|w| name.encode(w)));
        assert_eq!(GeneralName::read_all(&der).unwrap(), [name]);
    }

    #[rstest]
    #[case::nul_inside(&[0x30, 5, 0x82, 3, b'a', 0, b'b'])]
    #[case::empty_dns(&[0x30, 2, 0x82, 0])]
    #[case::latin1(&[0x30, 3, 0x82, 1, 0xe9])]
    #[case::five_octet_address(&[0x30, 7, 0x87, 5, 1, 2, 3, 4, 5])]
    #[case::x400(&[0x30, 2, 0xa3, 0])]
    fn a_malformed_name_is_refused(#[case] der: &[u8]) {
        assert!(GeneralName::read_all(der).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = GeneralName::read_all(&octets);
        }
    }
}
