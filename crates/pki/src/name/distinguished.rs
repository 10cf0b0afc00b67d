//! Distinguished names: DER (RFC 5280 section 4.1.2.4) and text (RFC 4514).

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::attribute::{Attribute, AttributeValue, is_element};
use crate::asn1::{DerError, Reader, Writer, tag};
use crate::oid;

/// A distinguished name.
///
/// In memory and in DER the most general part comes first (`C`, `O`, `CN`); in text, as RFC 4514
/// says, last: `CN=www.example.org,O=Example,C=DE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    rdns: Vec<Vec<Attribute>>,
}

/// A text that is no distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DistinguishedNameError {
    /// A part that is not `type=value`.
    #[error("`{0}` is not of the form type=value, such as CN=www.example.org")]
    Form(String),
    /// A type that is neither a short name nor an object identifier.
    #[error("`{0}` is not an attribute type: use CN, O, OU, C, L, ST, … or an object identifier")]
    Type(String),
    /// A value that is empty, or whose escapes or hexadecimal digits are wrong.
    #[error("the value of {0} cannot be read: escape , + \" \\ < > ; with a backslash")]
    Value(String),
}

impl DistinguishedName {
    /// The name without any part.
    pub fn empty() -> Self {
        Self::default()
    }

    /// From RDNs of one attribute each, the most general first, as in DER.
    pub fn from_attributes(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self {
            rdns: attributes.into_iter().map(|one| vec![one]).collect(),
        }
    }

    /// Parses the text form of RFC 4514, such as `CN=x,O=y`; blanks around separators are tolerated.
    pub fn parse(text: &str) -> Result<Self, DistinguishedNameError> {
        if text.trim().is_empty() {
            return Ok(Self::empty());
        }
        let mut rdns = split_unescaped(text, ',')
            .map(|rdn| split_unescaped(rdn, '+').map(parse_attribute).collect())
            .collect::<Result<Vec<Vec<_>>, _>>()?;
        rdns.reverse();
        Ok(Self { rdns })
    }

    /// Reads a Name; whatever its values are, only its structure can be wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let mut sequence = Reader::single(der)?.open(tag::SEQUENCE)?;
        let mut rdns = Vec::new();
        while !sequence.is_empty() {
            let mut set = Reader::new(sequence.expect(tag::SET)?.content);
            let mut rdn = Vec::with_capacity(1);
            while rdn.is_empty() || !set.is_empty() {
                rdn.push(Attribute::read(set.read()?)?);
            }
            rdns.push(rdn);
        }
        Ok(Self { rdns })
    }

    /// The Name in DER.
    pub fn to_der(&self) -> Vec<u8> {
        Writer::encode(|w| self.encode(w))
    }

    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            for rdn in &self.rdns {
                let mut members: Vec<_> = rdn
                    .iter()
                    .map(|attribute| Writer::encode(|w| attribute.write(w)))
                    .collect();
                // X.690 section 11.6: the members of a SET OF are sorted by their encoding.
                members.sort();
                w.set(|w| members.iter().for_each(|member| w.raw(member)));
            }
        });
    }

    /// Whether there is no part at all.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// All attributes, the most general first.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.rdns.iter().flatten()
    }

    /// Whether this name is `base` or lies below it in the directory.
    pub fn starts_with(&self, base: &Self) -> bool {
        self.rdns.starts_with(&base.rdns)
    }

    /// The most specific common name.
    pub fn common_name(&self) -> Option<&str> {
        self.attributes()
            .filter(|attribute| attribute.is(&oid::COMMON_NAME))
            .filter_map(Attribute::as_text)
            .last()
    }
}

fn parse_attribute(text: &str) -> Result<Attribute, DistinguishedNameError> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| DistinguishedNameError::Form(text.trim().to_owned()))?;
    let name = name.trim();
    let kind = Attribute::kind_from_name(name)
        .ok_or_else(|| DistinguishedNameError::Type(name.to_owned()))?;
    let value = match value.trim_start_matches(' ').strip_prefix('#') {
        Some(digits) => HEXLOWER
            .decode(digits.trim_end_matches(' ').to_ascii_lowercase().as_bytes())
            .ok()
            .filter(|der| is_element(der))
            .map(AttributeValue::Der),
        None => unescape(value).map(AttributeValue::Text),
    };
    let value = value.ok_or_else(|| DistinguishedNameError::Value(name.to_owned()))?;
    Ok(Attribute { kind, value })
}

/// Splits at each separator that no backslash precedes.
fn split_unescaped(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |character| {
        let separates = character == separator && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    })
}

/// RFC 4514 section 2.4 backwards: `\,` is a comma, `\2c` the octet 0x2c; blanks at the ends go
/// unless they are escaped.
fn unescape(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut kept = 0;
    let mut rest = text.trim_start_matches(' ').bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'\\' => {
                let escaped = rest.next()?;
                match (escaped as char).to_digit(16) {
                    Some(high) => {
                        let low = (rest.next()? as char).to_digit(16)?;
                        octets.push((high << 4 | low) as u8);
                    }
                    None if b" \"#+,;<=>\\".contains(&escaped) => octets.push(escaped),
                    None => return None,
                }
                kept = octets.len();
            }
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | 0 => return None,
            _ => octets.push(octet),
        }
    }
    while octets.len() > kept && octets.last() == Some(&b' ') {
        octets.pop();
    }
    String::from_utf8(octets)
        .ok()
        .filter(|text| !text.is_empty())
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (position, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            ' ' if position == 0 || position == last => f.write_str("\\ ")?,
            '#' if position == 0 => f.write_str("\\#")?,
            // A line break in a name must not break a line in a log.
            control if control.is_control() => {
                for octet in control.encode_utf8(&mut [0; 4]).bytes() {
                    write!(f, "\\{octet:02x}")?;
                }
            }
            plain => write!(f, "{plain}")?,
        }
    }
    Ok(())
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, rdn) in self.rdns.iter().rev().enumerate() {
            for (member, attribute) in rdn.iter().enumerate() {
                match (position, member) {
                    (0, 0) => (),
                    (_, 0) => f.write_str(",")?,
                    (_, _) => f.write_str("+")?,
                }
                write!(f, "{}=", attribute.type_name())?;
                match &attribute.value {
                    AttributeValue::Text(text) => write_escaped(f, text)?,
                    AttributeValue::Der(der) => write!(f, "#{}", HEXLOWER.encode(der))?,
                }
            }
        }
        Ok(())
    }
}

impl FromStr for DistinguishedName {
    type Err = DistinguishedNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for DistinguishedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DistinguishedName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "CN=www.example.org,O=Example,C=DE",
        "CN=www.example.org,O=Example,C=DE"
    )]
    #[case("cn = a , o = b", "CN=a,O=b")]
    #[case(
        "CN=Doe\\, Jane+UID=jd,DC=example,DC=org",
        "CN=Doe\\, Jane+UID=jd,DC=example,DC=org"
    )]
    #[case("CN=\\20edge\\ ,O=\\c3\\a9", "CN=\\ edge\\ ,O=é")]
    #[case("1.2.3.4=#0c0161,CN=x", "1.2.3.4=a,CN=x")]
    #[case("1.2.3.4=#0201ff", "1.2.3.4=#0201ff")]
    #[case("E=a@example.org", "emailAddress=a@example.org")]
    #[case("", "")]
    fn a_name_survives_der(#[case] text: &str, #[case] shown: &str) {
        let name: DistinguishedName = text.parse().unwrap();
        let read = DistinguishedName::from_der(&name.to_der()).unwrap();
        assert_eq!(read.to_string(), shown);
        assert_eq!(read.to_string().parse::<DistinguishedName>().unwrap(), read);
    }

    #[test]
    fn the_most_general_part_is_first_in_der() {
        let name = DistinguishedName::parse("CN=x,C=DE").unwrap();
        let types: Vec<_> = name.attributes().map(Attribute::type_name).collect();
        assert_eq!(types, ["C", "CN"]);
        assert_eq!(
            name.to_der()[..13],
            *b"\x30\x19\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
        );
    }

    #[rstest]
    fn a_text_that_is_no_name_is_refused(
        #[values(
            "CN", "CN=", "XX=a", "CN=a,", "CN=a\"b", "CN=a\\", "CN=a\\zz", "CN=#zz", "CN=#0c05",
            "1.2..3=a"
        )]
        text: &str,
    ) {
        assert!(DistinguishedName::parse(text).is_err());
    }

    #[test]
    fn the_common_name_is_the_most_specific_one() {
        let name = DistinguishedName::parse("CN=leaf,CN=group,O=x").unwrap();
        assert_eq!(name.common_name(), Some("leaf"));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
            let _ = DistinguishedName::from_der(&octets);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = DistinguishedName::parse(&text);
        }

        #[test]
        fn any_value_survives_its_text(value in "\\PC{0,3}[^X]{1,40}") {
            let name = DistinguishedName::from_attributes([Attribute::text(&oid::COMMON_NAME, &value)]);
            prop_assert_eq!(DistinguishedName::parse(&name.to_string()).unwrap(), name);
        }
    }
}
