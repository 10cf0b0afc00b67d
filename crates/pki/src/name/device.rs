//! The names of devices in subjectAltName: permanentIdentifier (RFC 4043) and hardwareModuleName
//! (RFC 4108 section 5), with the texts in which ACME writes them (draft-ietf-acme-device-attest).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::GeneralName;
use crate::asn1::{DerError, Reader, Writer, tag};
use crate::oid;

/// A value that names a device for good, and perhaps who assigned it. As a text, `value` or
/// `value/assigner`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermanentIdentifier {
    value: String,
    /// The dotted object identifier of the assigner.
    assigner: Option<String>,
}

/// The serial number of a piece of hardware, and its type. As a text, `serial/type`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HardwareModule {
    /// The dotted object identifier of the type.
    kind: String,
    serial: String,
}

/// Why a text is no name of a device, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceNameFault {
    /// Nothing before the slash.
    #[error("it is empty")]
    Empty,
    /// Longer than anybody's serial number.
    #[error("it is longer than 256 octets")]
    TooLong,
    /// Characters that nobody could read back.
    #[error("it has control characters")]
    Control,
    /// A second slash.
    #[error("it has more than one `/`; only one is allowed, before the object identifier")]
    Slashes,
    /// What follows the slash.
    #[error("what follows its `/` is no dotted object identifier")]
    Oid,
    /// A hardware module without its type.
    #[error("it has no type; write the serial number, `/` and the type's object identifier")]
    NoType,
}

impl PermanentIdentifier {
    /// A value without assigner, as makers' certificates state serial numbers.
    pub fn plain(value: &str) -> Result<Self, DeviceNameFault> {
        match value.contains('/') {
            true => Err(DeviceNameFault::Slashes),
            false => value.parse(),
        }
    }

    /// Reads a subject alternative name, if it is one of these.
    pub fn from_general_name(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::Other { oid, der } if oid == PERMANENT_IDENTIFIER => Self::read(der).ok(),
            _ => None,
        }
    }

    /// The subject alternative name.
    pub fn to_general_name(&self) -> GeneralName {
        let der = Writer::encode(|writer| {
            writer.sequence(|fields| {
                fields.tlv(tag::UTF8_STRING, self.value.as_bytes());
                if let Some(assigner) = self.assigner.as_deref().and_then(oid::from_text) {
                    fields.tlv(tag::OID, &assigner);
                }
            });
        });
        GeneralName::Other {
            oid: PERMANENT_IDENTIFIER.to_owned(),
            der,
        }
    }

    fn read(der: &[u8]) -> Result<Self, DerError> {
        let malformed = || DerError::Content("PermanentIdentifier");
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let value = fields.expect(tag::UTF8_STRING)?.text()?.into_owned();
        let assigner = match fields.is_empty() {
            true => None,
            false => Some(oid::to_text(fields.oid()?).ok_or_else(malformed)?),
        };
        fields.finish()?;
        match check_value(&value) {
            Ok(()) => Ok(Self { value, assigner }),
            Err(_) => Err(malformed()),
        }
    }
}

impl HardwareModule {
    /// Reads a subject alternative name, if it is one of these.
    pub fn from_general_name(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::Other { oid, der } if oid == HARDWARE_MODULE_NAME => Self::read(der).ok(),
            _ => None,
        }
    }

    /// The subject alternative name.
    pub fn to_general_name(&self) -> GeneralName {
        let kind = oid::from_text(&self.kind).unwrap_or_default();
        let der = Writer::encode(|writer| {
            writer.sequence(|fields| {
                fields.tlv(tag::OID, &kind);
                fields.octet_string(self.serial.as_bytes());
            });
        });
        GeneralName::Other {
            oid: HARDWARE_MODULE_NAME.to_owned(),
            der,
        }
    }

    fn read(der: &[u8]) -> Result<Self, DerError> {
        let malformed = || DerError::Content("HardwareModuleName");
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let kind = oid::to_text(fields.oid()?).ok_or_else(malformed)?;
        let serial = fields.octet_string()?;
        fields.finish()?;
        // RFC 4108 allows any octets; in ACME they are a text.
        let serial = std::str::from_utf8(serial).map_err(|_| malformed())?;
        match check_value(serial) {
            Ok(()) => Ok(Self {
                kind,
                serial: serial.to_owned(),
            }),
            Err(_) => Err(malformed()),
        }
    }
}

impl FromStr for PermanentIdentifier {
    type Err = DeviceNameFault;

    fn from_str(text: &str) -> Result<Self, DeviceNameFault> {
        let (value, assigner) = match text.split_once('/') {
            Some((value, assigner)) => (value, Some(read_oid(assigner)?)),
            None => (text, None),
        };
        check_value(value)?;
        Ok(Self {
            value: value.to_owned(),
            assigner,
        })
    }
}

impl FromStr for HardwareModule {
    type Err = DeviceNameFault;

    fn from_str(text: &str) -> Result<Self, DeviceNameFault> {
        let (serial, kind) = text.split_once('/').ok_or(DeviceNameFault::NoType)?;
        let kind = read_oid(kind)?;
        check_value(serial)?;
        Ok(Self {
            kind,
            serial: serial.to_owned(),
        })
    }
}

impl fmt::Display for PermanentIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)?;
        match &self.assigner {
            Some(assigner) => write!(f, "/{assigner}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for HardwareModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.serial, self.kind)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = DeviceNameFault;

            fn try_from(text: String) -> Result<Self, DeviceNameFault> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    )*};
}

as_text!(PermanentIdentifier, HardwareModule);

/// A value that a text can hold: the slash belongs to the text's form.
fn check_value(value: &str) -> Result<(), DeviceNameFault> {
    match value {
        "" => Err(DeviceNameFault::Empty),
        _ if value.len() > MAX_OCTETS => Err(DeviceNameFault::TooLong),
        _ if value.contains('/') => Err(DeviceNameFault::Slashes),
        _ if value.contains(char::is_control) => Err(DeviceNameFault::Control),
        _ => Ok(()),
    }
}

fn read_oid(text: &str) -> Result<String, DeviceNameFault> {
    if text.contains('/') {
        return Err(DeviceNameFault::Slashes);
    }
    // Only the form that reads back the same.
    oid::from_text(text)
        .and_then(|content| oid::to_text(&content))
        .filter(|canonical| canonical == text)
        .ok_or(DeviceNameFault::Oid)
}

const PERMANENT_IDENTIFIER: &str = "1.3.6.1.5.5.7.8.3";
const HARDWARE_MODULE_NAME: &str = "1.3.6.1.5.5.7.8.4";
const MAX_OCTETS: usize = 256;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("C02XK1234")]
    #[case("0123 ABC/1.3.6.1.4.1.99999.1")]
    fn a_permanent_identifier_reads_back_from_text_and_certificate(#[case] text: &str) {
        let name: PermanentIdentifier = text.parse().unwrap();
        assert_eq!(name.to_string(), text);
        let general = name.to_general_name();
        assert_eq!(PermanentIdentifier::from_general_name(&general), Some(name));
        assert_eq!(HardwareModule::from_general_name(&general), None);
    }

    #[test]
    fn a_hardware_module_reads_back_from_text_and_certificate() {
        let name: HardwareModule = "SN-7/1.3.6.1.4.1.99999.2".parse().unwrap();
        assert_eq!(name.to_string(), "SN-7/1.3.6.1.4.1.99999.2");
        let general = name.to_general_name();
        assert_eq!(HardwareModule::from_general_name(&general), Some(name));
    }

    #[rstest]
    #[case("", DeviceNameFault::Empty)]
    #[case("/1.2.3", DeviceNameFault::Empty)]
    #[case("a/b/1.2.3", DeviceNameFault::Slashes)]
    #[case("a/", DeviceNameFault::Oid)]
    #[case("a/1.2.03", DeviceNameFault::Oid)]
    #[case("a\nb", DeviceNameFault::Control)]
    fn other_texts_are_no_permanent_identifiers(
        #[case] text: &str,
        #[case] fault: DeviceNameFault,
    ) {
        assert_eq!(text.parse::<PermanentIdentifier>(), Err(fault));
    }

    #[rstest]
    #[case("SN-7", DeviceNameFault::NoType)]
    #[case("/1.2.3", DeviceNameFault::Empty)]
    #[case("A/B/1.2.3", DeviceNameFault::Slashes)]
    #[case("SN-7/x", DeviceNameFault::Oid)]
    fn other_texts_are_no_hardware_modules(#[case] text: &str, #[case] fault: DeviceNameFault) {
        assert_eq!(text.parse::<HardwareModule>(), Err(fault));
    }
}
