//! Extensions whose meaning is not known here: fixed by whoever sets the rules, written as given.

use serde::{Deserialize, Serialize};

use crate::asn1::{Reader, Writer, tag};
use crate::hex;
use crate::name::is_printable;
use crate::oid;

/// An extension that is written as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraExtension {
    /// The dotted object identifier.
    pub oid: String,
    /// Whether those who do not know it must refuse the certificate.
    pub critical: bool,
    /// The DER of the value.
    #[serde(with = "crate::hex::octets")]
    pub der: Vec<u8>,
}

/// Why an extension cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionValueError {
    /// A type that is no object identifier.
    #[error("`{0}` is not an object identifier")]
    Oid(String),
    /// A type that is written from other rules, or by the CA alone.
    #[error("the extension {0} has rules of its own or is the CA's to write; leave it out")]
    Reserved(String),
    /// A value without a known form.
    #[error(
        "begin the value with its form: DER:<hex>, UTF8:, IA5:, PRINTABLE:, INTEGER:, BOOLEAN:, OID: or NULL"
    )]
    Form,
    /// A value that is not of its form.
    #[error("the value is not of the form {0}")]
    Value(&'static str),
}

impl ExtraExtension {
    /// From a value in text, such as `UTF8:text`.
    pub fn from_text(oid: &str, critical: bool, value: &str) -> Result<Self, ExtensionValueError> {
        if oid::from_text(oid).is_none() {
            return Err(ExtensionValueError::Oid(oid.to_owned()));
        }
        if is_reserved(oid) {
            return Err(ExtensionValueError::Reserved(oid.to_owned()));
        }
        Ok(Self {
            oid: oid.to_owned(),
            critical,
            der: encode(value)?,
        })
    }
}

fn encode(value: &str) -> Result<Vec<u8>, ExtensionValueError> {
    if value == "NULL" {
        return Ok(Writer::encode(Writer::null));
    }
    let (form, text) = value.split_once(':').ok_or(ExtensionValueError::Form)?;
    let string = |tag: u8, fits: bool, form| {
        fits.then(|| Writer::encode(|w| w.tlv(tag, text.as_bytes())))
            .ok_or(ExtensionValueError::Value(form))
    };
    match form {
        "DER" => hex::decode(&text.to_ascii_lowercase())
            .filter(|der| Reader::single(der).is_ok())
            .ok_or(ExtensionValueError::Value(
                "DER: hexadecimal digits of one element",
            )),
        "UTF8" => string(tag::UTF8_STRING, true, "UTF8"),
        "IA5" => string(tag::IA5_STRING, text.is_ascii(), "IA5: ASCII text"),
        "PRINTABLE" => string(
            tag::PRINTABLE_STRING,
            text.bytes().all(is_printable),
            "PRINTABLE: letters, digits and '()+,-./:=?",
        ),
        "INTEGER" => text
            .parse::<u32>()
            .map(|number| Writer::encode(|w| w.small(number)))
            .map_err(|_| ExtensionValueError::Value("INTEGER: a number from 0 to 2^32 - 1")),
        "BOOLEAN" => match text {
            "true" => Ok(vec![tag::BOOLEAN, 1, 0xff]),
            "false" => Ok(vec![tag::BOOLEAN, 1, 0]),
            _ => Err(ExtensionValueError::Value("BOOLEAN: true or false")),
        },
        "OID" => oid::from_text(text)
            .map(|content| Writer::encode(|w| w.tlv(tag::OID, &content)))
            .ok_or(ExtensionValueError::Value(
                "OID: a dotted object identifier",
            )),
        _ => Err(ExtensionValueError::Form),
    }
}

/// Everything of RFC 5280, what is written from rules of its own, what logs write (RFC 6962
/// section 3.1), and what a domain controller takes for a person (Microsoft's SID extension).
fn is_reserved(oid: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "1.3.6.1.5.5.7.1.1",
        "1.3.6.1.5.5.7.1.11",
        "1.3.6.1.5.5.7.1.24",
        "1.3.6.1.5.5.7.1.31",
        "1.3.6.1.5.5.7.48.1.5",
        "1.3.6.1.4.1.11129.2.4.2",
        "1.3.6.1.4.1.11129.2.4.3",
        "1.3.6.1.4.1.311.25.2",
    ];
    oid.starts_with("2.5.29.") || OTHERS.contains(&oid)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("NULL", &[5, 0])]
    #[case("DER:0500", &[5, 0])]
    #[case("UTF8:é", &[0x0c, 2, 0xc3, 0xa9])]
    #[case("IA5:a", &[0x16, 1, b'a'])]
    #[case("PRINTABLE:a b", &[0x13, 3, b'a', b' ', b'b'])]
    #[case("INTEGER:128", &[2, 2, 0, 128])]
    #[case("BOOLEAN:true", &[1, 1, 0xff])]
    #[case("OID:2.5.4.3", &[6, 3, 0x55, 4, 3])]
    fn a_value_is_written_in_its_form(#[case] text: &str, #[case] der: &[u8]) {
        let extension = ExtraExtension::from_text("1.3.6.1.4.1.99999.1", false, text).unwrap();
        assert_eq!(extension.der, der);
    }

    #[rstest]
    #[case("1.2", "NULL", true)]
    #[case("x", "NULL", false)]
    #[case("2.5.29.19", "DER:30030101ff", false)]
    #[case("1.3.6.1.4.1.11129.2.4.3", "NULL", false)]
    #[case("1.2", "0500", false)]
    #[case("1.2", "DER:05", false)]
    #[case("1.2", "DER:05000", false)]
    #[case("1.2", "IA5:é", false)]
    #[case("1.2", "INTEGER:-1", false)]
    #[case("1.2", "BOOLEAN:yes", false)]
    fn what_cannot_be_written_is_refused(
        #[case] oid: &str,
        #[case] value: &str,
        #[case] taken: bool,
    ) {
        assert_eq!(ExtraExtension::from_text(oid, false, value).is_ok(), taken);
    }
}
