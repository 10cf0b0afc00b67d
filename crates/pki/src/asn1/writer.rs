//! Writing DER front to back; a structure's length is filled in when it is closed.

use const_oid::ObjectIdentifier;

use super::tag;
use crate::time::Timestamp;

/// Collects DER elements.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for `octets`.
    pub fn with_capacity(octets: usize) -> Self {
        Self {
            out: Vec::with_capacity(octets),
        }
    }

    /// The DER of the one element that `fill` writes.
    pub fn encode(fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::new();
        fill(&mut writer);
        writer.finish()
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Elements that are DER already.
    pub fn raw(&mut self, der: &[u8]) {
        self.out.extend_from_slice(der);
    }

    /// One element with this content.
    pub fn tlv(&mut self, tag: u8, content: &[u8]) {
        self.out.push(tag);
        let (length, octets) = length_octets(content.len());
        self.out.extend_from_slice(&length[..octets]);
        self.out.extend_from_slice(content);
    }

    /// One element whose content `fill` writes.
    pub fn nested(&mut self, tag: u8, fill: impl FnOnce(&mut Self)) {
        self.out.extend_from_slice(&[tag, 0]);
        let start = self.out.len();
        fill(self);
        let (length, octets) = length_octets(self.out.len() - start);
        // One octet was left for the length; the long form moves the content behind it.
        self.out
            .splice(start - 1..start, length[..octets].iter().copied());
    }

    /// A SEQUENCE.
    pub fn sequence(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(tag::SEQUENCE, fill);
    }

    /// A SET with one member.
    pub fn set(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(tag::SET, fill);
    }

    /// A `[number]` EXPLICIT, or IMPLICIT over a constructed type.
    pub fn constructed(&mut self, number: u8, fill: impl FnOnce(&mut Self)) {
        self.nested(tag::constructed(number), fill);
    }

    /// An OCTET STRING around other elements.
    pub fn octet_string_of(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(tag::OCTET_STRING, fill);
    }

    /// An OCTET STRING.
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.tlv(tag::OCTET_STRING, octets);
    }

    /// A BIT STRING of whole octets.
    pub fn bit_string(&mut self, octets: &[u8]) {
        self.nested(tag::BIT_STRING, |w| {
            w.out.push(0);
            w.raw(octets);
        });
    }

    /// A BIT STRING of named bits, bit 0 first, without trailing zero bits (X.690 section 11.2.2).
    pub fn named_bits(&mut self, bits: u16) {
        self.named_bits_of(bits.into());
    }

    /// The same for up to 32 bits.
    pub fn named_bits_of(&mut self, bits: u32) {
        let octets = bits.reverse_bits().to_be_bytes();
        let used = 32 - bits.leading_zeros() as usize;
        let length = used.div_ceil(8);
        self.nested(tag::BIT_STRING, |w| {
            w.out.push((length * 8 - used) as u8);
            w.raw(&octets[..length]);
        });
    }

    /// A known OBJECT IDENTIFIER.
    pub fn oid(&mut self, oid: &ObjectIdentifier) {
        self.tlv(tag::OID, oid.as_bytes());
    }

    /// An INTEGER that is not negative, given as big-endian octets.
    pub fn unsigned(&mut self, octets: &[u8]) {
        let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
        let magnitude = &octets[zeros..];
        match magnitude.first() {
            Some(0..0x80) => self.tlv(tag::INTEGER, magnitude),
            Some(_) | None => self.nested(tag::INTEGER, |w| {
                w.out.push(0);
                w.raw(magnitude);
            }),
        }
    }

    /// A small INTEGER.
    pub fn small(&mut self, value: u32) {
        self.unsigned(&value.to_be_bytes());
    }

    /// A small INTEGER with its sign, in its shortest form.
    pub fn signed(&mut self, value: i64) {
        let octets = value.to_be_bytes();
        let shortest = (0..7)
            .take_while(|&at| {
                let next_is_negative = octets[at + 1] & 0x80 != 0;
                matches!((octets[at], next_is_negative), (0x00, false) | (0xff, true))
            })
            .count();
        self.tlv(tag::INTEGER, &octets[shortest..]);
    }

    /// TRUE; FALSE is a default everywhere in PKIX and never written.
    pub fn boolean_true(&mut self) {
        self.tlv(tag::BOOLEAN, &[0xff]);
    }

    /// NULL.
    pub fn null(&mut self) {
        self.tlv(tag::NULL, &[]);
    }

    /// A time in the form of RFC 5280 section 4.1.2.5: UTCTime until 2049, then GeneralizedTime.
    pub fn time(&mut self, instant: Timestamp) {
        let text = digits(instant);
        if (b"1950"..b"2050").contains(&&[text[0], text[1], text[2], text[3]]) {
            self.tlv(tag::UTC_TIME, &text[2..]);
        } else {
            self.tlv(tag::GENERALIZED_TIME, &text);
        }
    }

    /// A GeneralizedTime whatever the year, as OCSP and CRL invalidity dates want it.
    pub fn generalized_time(&mut self, instant: Timestamp) {
        self.tlv(tag::GENERALIZED_TIME, &digits(instant));
    }
}

/// `YYYYMMDDHHMMSSZ`
fn digits(instant: Timestamp) -> [u8; 15] {
    let civil = instant.civil();
    let year = civil.year().unsigned_abs();
    let fields = [
        (year / 100) as u8,
        (year % 100) as u8,
        civil.month().unsigned_abs(),
        civil.day().unsigned_abs(),
        civil.hour().unsigned_abs(),
        civil.minute().unsigned_abs(),
        civil.second().unsigned_abs(),
    ];
    let mut text = [b'Z'; 15];
    for (pair, field) in text.chunks_exact_mut(2).zip(fields) {
        pair.copy_from_slice(&[b'0' + field / 10, b'0' + field % 10]);
    }
    text
}

/// The length octets and how many of them count.
fn length_octets(length: usize) -> ([u8; 9], usize) {
    let mut octets = [0; 9];
    if length < 0x80 {
        octets[0] = length as u8;
        return (octets, 1);
    }
    let big_endian = (length as u64).to_be_bytes();
    let zeros = (length as u64).leading_zeros() as usize / 8;
    let count = 8 - zeros;
    octets[0] = 0x80 | count as u8;
    octets[1..=count].copy_from_slice(&big_endian[zeros..]);
    (octets, 1 + count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::super::Reader;
    use super::*;

    #[rstest]
    #[case(0b1, &[0x03, 0x02, 0x07, 0x80])]
    #[case(0b110_0000, &[0x03, 0x02, 0x01, 0x06])]
    #[case(0b1_0000_0000, &[0x03, 0x03, 0x07, 0x00, 0x80])]
    #[case(0, &[0x03, 0x01, 0x00])]
    fn named_bits_end_with_the_last_one(#[case] bits: u16, #[case] der: &[u8]) {
        assert_eq!(Writer::encode(|w| w.named_bits(bits)), der);
    }

    #[rstest]
    #[case("2049-12-31T23:59:59Z", "\x17\x0d491231235959Z")]
    #[case("2050-01-01T00:00:00Z", "\x18\x0f20500101000000Z")]
    #[case("1949-12-31T23:59:59Z", "\x18\x0f19491231235959Z")]
    #[case("2026-11-23T15:00:00.999Z", "\x17\x0d261123150000Z")]
    fn a_time_is_utc_time_until_2049(#[case] instant: &str, #[case] der: &str) {
        let instant = instant.parse().unwrap();
        assert_eq!(Writer::encode(|w| w.time(instant)), der.as_bytes());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(content in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let der = Writer::encode(|w| w.sequence(|w| w.octet_string(&content)));
            let mut sequence = Reader::single(&der).unwrap().open(tag::SEQUENCE).unwrap();
            prop_assert_eq!(sequence.octet_string().unwrap(), content);
        }

        #[test]
        fn a_signed_integer_reads_back(value: i64) {
            let der = Writer::encode(|w| w.signed(value));
            prop_assert_eq!(Reader::new(&der).signed(), Ok(value));
        }

        #[test]
        fn named_bits_read_back(bits: u32) {
            let der = Writer::encode(|w| w.named_bits_of(bits));
            prop_assert_eq!(Reader::new(&der).named_bits(), Ok(bits.into()));
        }

        #[test]
        fn an_unsigned_integer_reads_back(octets in proptest::collection::vec(any::<u8>(), 0..24)) {
            let der = Writer::encode(|w| w.unsigned(&octets));
            let read = Reader::new(&der).unsigned().unwrap();
            let trim = |octets: &[u8]| octets.iter().skip_while(|&&o| o == 0).copied().collect::<Vec<_>>();
            prop_assert_eq!(trim(read), trim(&octets));
        }
    }
}
