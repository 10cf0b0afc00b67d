//! One attribute of a distinguished name, and the short names of RFC 4514.

use const_oid::ObjectIdentifier;

use crate::asn1::{DerError, Reader, Tlv, Writer, tag};
use crate::oid;

/// An attribute type and its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The content octets of the type's object identifier.
    pub(super) kind: Vec<u8>,
    /// The value.
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttributeValue {
    /// Any of the string types.
    Text(String),
    /// Something else, as DER.
    Der(Vec<u8>),
}

impl Attribute {
    /// An attribute of a type that is a string.
    pub fn text(kind: &ObjectIdentifier, value: impl Into<String>) -> Self {
        Self {
            kind: kind.as_bytes().to_vec(),
            value: AttributeValue::Text(value.into()),
        }
    }

    /// An attribute with the type of that short name or dotted object identifier.
    pub fn named(name: &str, value: impl Into<String>) -> Option<Self> {
        Some(Self {
            kind: Self::kind_from_name(name)?,
            value: AttributeValue::Text(value.into()),
        })
    }

    /// Whether this is an attribute of the type with that short name or object identifier.
    pub fn is_named(&self, name: &str) -> bool {
        Self::kind_from_name(name).is_some_and(|kind| kind == self.kind)
    }

    /// Whether this is an attribute of that type.
    pub fn is(&self, kind: &ObjectIdentifier) -> bool {
        self.kind == kind.as_bytes()
    }

    /// The text, if the value is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Der(_) => None,
        }
    }

    /// `CN`, `O`, … or the dotted object identifier.
    pub fn type_name(&self) -> String {
        SHORT_NAMES
            .iter()
            .find(|(_, kind)| self.is(kind))
            .map(|(short, _)| (*short).to_owned())
            .or_else(|| oid::to_text(&self.kind))
            // Only an arc beyond 128 bits has no text; such a type has no meaning to anyone.
            .unwrap_or_else(|| "2.25.0".to_owned())
    }

    /// The octets of the type for a short name (in any case) or a dotted object identifier.
    pub(super) fn kind_from_name(name: &str) -> Option<Vec<u8>> {
        SHORT_NAMES
            .iter()
            .find(|(short, _)| short.eq_ignore_ascii_case(name))
            .map(|(_, kind)| kind.as_bytes().to_vec())
            .or_else(|| oid::from_text(name))
    }

    pub(super) fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = element.open(tag::SEQUENCE)?;
        let kind = fields.oid()?.to_vec();
        let value = fields.read()?;
        fields.finish()?;
        let value = match value.text() {
            Ok(text) => AttributeValue::Text(text.into_owned()),
            Err(_) => AttributeValue::Der(value.der.to_vec()),
        };
        Ok(Self { kind, value })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            w.tlv(tag::OID, &self.kind);
            match &self.value {
                AttributeValue::Text(text) => w.tlv(self.string_tag(text), text.as_bytes()),
                AttributeValue::Der(der) => w.raw(der),
            }
        });
    }

    /// RFC 5280 appendix A: some attributes have one string type, all others are UTF8String here.
    fn string_tag(&self, text: &str) -> u8 {
        let printable = [oid::COUNTRY, oid::SERIAL_NUMBER];
        let ia5 = [oid::EMAIL_ADDRESS, oid::DOMAIN_COMPONENT];
        if printable.iter().any(|kind| self.is(kind)) && text.bytes().all(is_printable) {
            tag::PRINTABLE_STRING
        } else if ia5.iter().any(|kind| self.is(kind)) && text.is_ascii() {
            tag::IA5_STRING
        } else {
            tag::UTF8_STRING
        }
    }
}

/// Whether this is one element and nothing else.
pub(super) fn is_element(der: &[u8]) -> bool {
    Reader::single(der).is_ok()
}

/// The alphabet of PrintableString, X.680 section 41.4.
pub(crate) fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

const SHORT_NAMES: [(&str, ObjectIdentifier); 17] = [
    ("CN", oid::COMMON_NAME),
    ("O", oid::ORGANIZATION),
    ("OU", oid::ORGANIZATIONAL_UNIT),
    ("C", oid::COUNTRY),
    ("L", oid::LOCALITY),
    ("ST", oid::STATE),
    ("STREET", oid::STREET),
    ("DC", oid::DOMAIN_COMPONENT),
    ("UID", oid::USER_ID),
    ("serialNumber", oid::SERIAL_NUMBER),
    ("emailAddress", oid::EMAIL_ADDRESS),
    ("SN", oid::SURNAME),
    ("GN", oid::GIVEN_NAME),
    ("title", oid::TITLE),
    ("postalCode", oid::POSTAL_CODE),
    ("organizationIdentifier", oid::ORGANIZATION_IDENTIFIER),
    ("E", oid::EMAIL_ADDRESS),
];
