//! Reading DER: definite, minimal lengths only, and nothing is copied.

use std::borrow::Cow;

use jiff::civil::DateTime;

use super::tag;
use crate::time::Timestamp;

/// What is wrong with octets that should be DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The input ends inside a value.
    #[error("the DER ends in the middle of a value")]
    Truncated,
    /// A length that is indefinite, too large or longer than needed.
    #[error("a DER length is not in its one allowed form")]
    Length,
    /// Another type than the structure asks for, or a tag PKIX does not use.
    #[error("a DER value has tag {found:#04x} where {expected:#04x} belongs")]
    Tag {
        /// The tag the structure asks for.
        expected: u8,
        /// The tag that is there.
        found: u8,
    },
    /// Octets after the end of a structure.
    #[error("there are octets after the end of the DER structure")]
    Trailing,
    /// A value whose content is not of its type's form.
    #[error("a DER {0} has content that its type does not allow")]
    Content(&'static str),
}

/// One element: identifier, content, and both together with the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content octets.
    pub content: &'a [u8],
    /// The whole element.
    pub der: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// A reader of the content, if the element has this tag.
    pub fn open(&self, expected: u8) -> Result<Reader<'a>, DerError> {
        if self.tag == expected {
            Ok(Reader::new(self.content))
        } else {
            Err(DerError::Tag {
                expected,
                found: self.tag,
            })
        }
    }

    /// The text of any of the string types of X.520, RFC 5280 section 4.1.2.4.
    pub fn text(&self) -> Result<Cow<'a, str>, DerError> {
        const ERROR: DerError = DerError::Content("string");
        let text = || std::str::from_utf8(self.content).map_err(|_| ERROR);
        match self.tag {
            tag::UTF8_STRING => Ok(Cow::Borrowed(text()?)),
            tag::PRINTABLE_STRING | tag::IA5_STRING if self.content.is_ascii() => {
                Ok(Cow::Borrowed(text()?))
            }
            tag::TELETEX_STRING => Ok(self
                .content
                .iter()
                .map(|&octet| char::from(octet))
                .collect()),
            tag::BMP_STRING if self.content.len().is_multiple_of(2) => {
                let units = self.content.chunks_exact(2).map(be_unit::<u16>);
                char::decode_utf16(units)
                    .collect::<Result<String, _>>()
                    .map(Cow::Owned)
                    .map_err(|_| ERROR)
            }
            tag::UNIVERSAL_STRING if self.content.len().is_multiple_of(4) => self
                .content
                .chunks_exact(4)
                .map(|chunk| char::from_u32(be_unit(chunk)))
                .collect::<Option<String>>()
                .map(Cow::Owned)
                .ok_or(ERROR),
            _ => Err(ERROR),
        }
    }

    /// The instant of a UTCTime or GeneralizedTime in the form of RFC 5280 section 4.1.2.5.
    pub fn time(&self) -> Result<Timestamp, DerError> {
        const ERROR: DerError = DerError::Content("time");
        let digits = match (self.tag, self.content) {
            (tag::UTC_TIME, [digits @ .., b'Z']) if digits.len() == 12 => digits,
            (tag::GENERALIZED_TIME, [digits @ .., b'Z']) if digits.len() == 14 => digits,
            _ => return Err(ERROR),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(ERROR);
        }
        let (year, rest) = digits.split_at(digits.len() - 10);
        let year = match (number(year), year.len()) {
            (short, 2) if short < 50 => 2000 + short,
            (short, 2) => 1900 + short,
            (long, _) => long,
        };
        let mut fields = rest.chunks(2).map(|pair| number(pair) as i8);
        let mut next = || fields.next().unwrap_or(0);
        let civil = DateTime::new(year, next(), next(), next(), next(), next(), 0);
        civil.map(Timestamp::from_civil).map_err(|_| ERROR)
    }
}

/// A position in a run of DER elements.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `der`.
    pub fn new(der: &'a [u8]) -> Self {
        Self { rest: der }
    }

    /// The one element that `der` consists of; octets after it are an error.
    pub fn single(der: &'a [u8]) -> Result<Tlv<'a>, DerError> {
        let mut reader = Self::new(der);
        let element = reader.read()?;
        reader.finish()?;
        Ok(element)
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the structure: nothing may be left.
    pub fn finish(self) -> Result<(), DerError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing)
        }
    }

    /// The tag of the next element, if there is one.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub fn read(&mut self) -> Result<Tlv<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            // High tag numbers appear nowhere in PKIX.
            return Err(DerError::Tag {
                expected: tag & 0xe0,
                found: tag,
            });
        }
        let (length, header) = length(after_tag)?;
        let content = after_tag
            .get(header..)
            .and_then(|rest| rest.get(..length))
            .ok_or(DerError::Truncated)?;
        let (der, rest) = self.rest.split_at(1 + header + length);
        self.rest = rest;
        Ok(Tlv { tag, content, der })
    }

    /// The next element, which must have this tag.
    pub fn expect(&mut self, expected: u8) -> Result<Tlv<'a>, DerError> {
        let before = self.rest;
        let element = self.read()?;
        if element.tag == expected {
            return Ok(element);
        }
        self.rest = before;
        Err(DerError::Tag {
            expected,
            found: element.tag,
        })
    }

    /// The next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.read().map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Opens the SEQUENCE that comes next.
    pub fn sequence(&mut self) -> Result<Reader<'a>, DerError> {
        Ok(Reader::new(self.expect(tag::SEQUENCE)?.content))
    }

    /// The content octets of an INTEGER in its shortest form.
    pub fn integer(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.expect(tag::INTEGER)?.content;
        match content {
            [] | [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
                Err(DerError::Content("INTEGER"))
            }
            _ => Ok(content),
        }
    }

    /// The octets of an INTEGER that is not negative, without its sign octet.
    pub fn unsigned(&mut self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [0x80..=0xff, ..] => Err(DerError::Content("INTEGER")),
            [0x00, magnitude @ ..] if !magnitude.is_empty() => Ok(magnitude),
            content => Ok(content),
        }
    }

    /// A small INTEGER that is not negative.
    pub fn small(&mut self) -> Result<u32, DerError> {
        let octets = self.unsigned()?;
        if octets.len() > 4 {
            return Err(DerError::Content("INTEGER"));
        }
        Ok(octets
            .iter()
            .fold(0, |value, &octet| value << 8 | u32::from(octet)))
    }

    /// A small INTEGER with its sign.
    pub fn signed(&mut self) -> Result<i64, DerError> {
        let octets = self.integer()?;
        if octets.len() > 8 {
            return Err(DerError::Content("INTEGER"));
        }
        let sign = match octets.first() {
            Some(0x80..) => -1,
            Some(_) | None => 0,
        };
        Ok(octets
            .iter()
            .fold(sign, |value, &octet| value << 8 | i64::from(octet)))
    }

    /// The content octets of an OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.expect(tag::OID)?.content;
        let ends = content.last().is_some_and(|last| last & 0x80 == 0);
        let minimal = content
            .split_inclusive(|octet| octet & 0x80 == 0)
            .all(|arc| arc.first() != Some(&0x80));
        if ends && minimal {
            Ok(content)
        } else {
            Err(DerError::Content("OBJECT IDENTIFIER"))
        }
    }

    /// A BOOLEAN, by default `false` where the next element is none.
    pub fn boolean_or_false(&mut self) -> Result<bool, DerError> {
        match self.optional(tag::BOOLEAN)?.map(|element| element.content) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            // DER does not write a default value, X.690 section 11.5.
            Some(_) => Err(DerError::Content("BOOLEAN")),
        }
    }

    /// The octets of an OCTET STRING.
    pub fn octet_string(&mut self) -> Result<&'a [u8], DerError> {
        Ok(self.expect(tag::OCTET_STRING)?.content)
    }

    /// The named bits of a BIT STRING, bit 0 lowest; those beyond 64 are not looked at.
    pub fn named_bits(&mut self) -> Result<u64, DerError> {
        const ERROR: DerError = DerError::Content("BIT STRING");
        let (&unused, octets) = self
            .expect(tag::BIT_STRING)?
            .content
            .split_first()
            .ok_or(ERROR)?;
        if unused > 7 || (octets.is_empty() && unused > 0) {
            return Err(ERROR);
        }
        Ok(octets
            .iter()
            .take(8)
            .enumerate()
            .fold(0, |bits, (place, octet)| {
                bits | u64::from(octet.reverse_bits()) << (8 * place)
            }))
    }

    /// The octets of a BIT STRING whose length is a multiple of eight.
    pub fn bit_string(&mut self) -> Result<&'a [u8], DerError> {
        match self.expect(tag::BIT_STRING)?.content {
            [0, octets @ ..] => Ok(octets),
            _ => Err(DerError::Content("BIT STRING")),
        }
    }

    /// A UTCTime or GeneralizedTime.
    pub fn time(&mut self) -> Result<Timestamp, DerError> {
        self.read()?.time()
    }
}

/// The length and how many octets it took.
fn length(octets: &[u8]) -> Result<(usize, usize), DerError> {
    let (&first, rest) = octets.split_first().ok_or(DerError::Truncated)?;
    if first < 0x80 {
        return Ok((usize::from(first), 1));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let long = rest.get(..count).ok_or(DerError::Truncated)?;
    let length = long
        .iter()
        .fold(0_u32, |length, &octet| length << 8 | u32::from(octet));
    if length < 0x80 || long.first() == Some(&0) {
        return Err(DerError::Length);
    }
    let length = usize::try_from(length).map_err(|_| DerError::Length)?;
    Ok((length, 1 + count))
}

fn number(digits: &[u8]) -> i16 {
    digits
        .iter()
        .fold(0, |value, digit| value * 10 + i16::from(digit - b'0'))
}

fn be_unit<T: From<u8> + std::ops::Shl<u32, Output = T> + std::ops::BitOr<Output = T>>(
    octets: &[u8],
) -> T {
    octets
        .iter()
        .fold(T::from(0), |value, &octet| value << 8 | T::from(octet))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::empty(&[], DerError::Truncated)]
    #[case::only_a_tag(&[0x30], DerError::Truncated)]
    #[case::indefinite_length(&[0x30, 0x80, 0, 0], DerError::Length)]
    #[case::long_form_for_a_short_length(&[0x30, 0x81, 0x01, 0x00], DerError::Length)]
    #[case::leading_zero_in_the_length(&[0x30, 0x82, 0x00, 0x80], DerError::Length)]
    #[case::content_missing(&[0x04, 0x02, 0x00], DerError::Truncated)]
    #[case::trailing_octet(&[0x05, 0x00, 0x00], DerError::Trailing)]
    fn an_element_in_another_form_than_der_is_refused(#[case] der: &[u8], #[case] error: DerError) {
        assert_eq!(Reader::single(der), Err(error));
    }

    #[rstest]
    #[case::empty(&[0x02, 0x00])]
    #[case::padded(&[0x02, 0x02, 0x00, 0x01])]
    #[case::padded_negative(&[0x02, 0x02, 0xff, 0x80])]
    fn an_integer_has_one_form_only(#[case] der: &[u8]) {
        assert_eq!(
            Reader::new(der).integer(),
            Err(DerError::Content("INTEGER"))
        );
    }

    #[rstest]
    #[case(tag::UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z")]
    #[case(tag::UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z")]
    #[case(tag::GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00Z")]
    #[case(tag::GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z")]
    fn times_read_as_rfc_5280_says(#[case] tag: u8, #[case] text: &str, #[case] expected: &str) {
        let element = Tlv {
            tag,
            content: text.as_bytes(),
            der: &[],
        };
        assert_eq!(element.time().unwrap().to_string(), expected);
    }

    #[rstest]
    #[case(tag::UTC_TIME, "2612312359Z")]
    #[case(tag::UTC_TIME, "261231235959+0000")]
    #[case(tag::GENERALIZED_TIME, "20260230000000Z")]
    #[case(tag::GENERALIZED_TIME, "20260101000000.5Z")]
    fn times_in_other_forms_are_refused(#[case] tag: u8, #[case] text: &str) {
        let element = Tlv {
            tag,
            content: text.as_bytes(),
            der: &[],
        };
        assert!(element.time().is_err());
    }

    proptest! {
        #[test]
        fn any_octets_read_without_a_panic(octets: Vec<u8>) {
            let mut reader = Reader::new(&octets);
            while let Ok(element) = reader.read() {
                let _ = element.text();
                let _ = element.time();
                let _ = Reader::new(element.der).oid();
            }
        }
    }
}
