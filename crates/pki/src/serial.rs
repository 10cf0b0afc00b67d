//! The serial number of a certificate, RFC 5280 section 4.1.2.2.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::asn1::{Writer, tag};
use crate::random::Random;

/// A serial number, kept as its shortest big-endian octets without sign octet.
///
/// Ours are positive and below 2^159. What others issued is kept as it is, even zero or longer than
/// allowed: an inventory must be able to name such a certificate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Serial(Box<[u8]>);

/// Octets or a text that are no serial number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// Nothing at all.
    #[error("a serial number has at least one octet")]
    Empty,
    /// Beyond any serial number that was ever issued.
    #[error("a serial number of {0} octets is too long: at most {MAX_OCTETS} are read")]
    TooLong(usize),
    /// Not hexadecimal.
    #[error("`{0}` is not a serial number: write hexadecimal digits, with or without colons")]
    NotHex(String),
}

/// RFC 5280 allows 20; some private CAs went beyond it.
const MAX_OCTETS: usize = 64;

impl Serial {
    /// A number drawn uniformly from those below 2^159, never zero: far more than the 64 random bits
    /// that the TLS Baseline Requirements section 7.1 ask for, and 20 octets with its sign.
    pub fn random(random: &dyn Random) -> Self {
        loop {
            let mut octets: [u8; 20] = random.octets();
            octets[0] &= 0x7f;
            if octets != [0; 20] {
                return Self(minimal(&octets));
            }
        }
    }

    /// From big-endian octets; leading zeros are dropped.
    pub fn from_be_octets(octets: &[u8]) -> Result<Self, SerialError> {
        if octets.is_empty() {
            return Err(SerialError::Empty);
        }
        let magnitude = minimal(octets);
        if magnitude.len() > MAX_OCTETS {
            return Err(SerialError::TooLong(magnitude.len()));
        }
        Ok(Self(magnitude))
    }

    /// The shortest big-endian octets, without sign octet; zero is one octet.
    pub fn as_be_octets(&self) -> &[u8] {
        &self.0
    }

    /// The content octets of the DER INTEGER, with a leading `00` where the first bit is set. This
    /// is what an RFC 9773 certificate identifier encodes.
    pub fn der_content(&self) -> Vec<u8> {
        match self.0.first() {
            Some(0x80..) => [&[0], &*self.0].concat(),
            Some(_) | None => self.0.to_vec(),
        }
    }

    /// Whether a CA may issue it: positive and at most 20 octets with its sign.
    pub fn is_issuable(&self) -> bool {
        *self.0 != [0] && self.der_content().len() <= 20
    }

    /// Writes the INTEGER.
    pub fn encode(&self, writer: &mut Writer) {
        match self.0.first() {
            Some(0x80..) => writer.unsigned(&self.0),
            Some(_) | None => writer.tlv(tag::INTEGER, &self.0),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets =
            crate::hex::decode(text).ok_or_else(|| SerialError::NotHex(text.to_owned()))?;
        Self::from_be_octets(&octets)
    }
}

impl Ord for Serial {
    fn cmp(&self, other: &Self) -> Ordering {
        // The octets are minimal, so the longer one is the greater number.
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

fn minimal(octets: &[u8]) -> Box<[u8]> {
    match octets.iter().position(|&octet| octet != 0) {
        Some(first) => octets[first..].into(),
        None => [0].into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rstest::rstest;

    use super::*;
    use crate::random::SystemRandom;

    struct Replayed(Mutex<Vec<[u8; 20]>>);

    impl Random for Replayed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0.lock().unwrap().remove(0));
        }
    }

    #[test]
    fn a_random_serial_is_positive_and_below_2_to_the_159() {
        let random = Replayed(Mutex::new(vec![[0; 20], [0x80; 20].map(|_| 0), [0xff; 20]]));
        let serial = Serial::random(&random);
        assert_eq!(serial.to_string(), format!("7f{}", "ff".repeat(19)));
        assert!(serial.is_issuable());
    }

    #[test]
    fn i5_random_serials_do_not_repeat_and_every_bit_is_random() {
        let random = SystemRandom::new();
        let serials: std::collections::HashSet<_> =
            (0..20_000).map(|_| Serial::random(&random)).collect();
        assert_eq!(serials.len(), 20_000);
        for bit in 1..160 {
            let set = serials
                .iter()
                .filter(|serial| {
                    let mut octets = [0; 20];
                    let magnitude = serial.as_be_octets();
                    octets[20 - magnitude.len()..].copy_from_slice(magnitude);
                    octets[bit / 8] & (0x80 >> (bit % 8)) != 0
                })
                .count();
            // Ten standard deviations of a fair coin thrown 20,000 times.
            assert!(set.abs_diff(10_000) < 708, "bit {bit} is set {set} times");
        }
    }

    #[rstest]
    #[case("87654321", "87654321", &[0x00, 0x87, 0x65, 0x43, 0x21])]
    #[case("00:87:65:43:21", "87654321", &[0x00, 0x87, 0x65, 0x43, 0x21])]
    #[case("0A", "0a", &[0x0a])]
    #[case("abc", "0abc", &[0x0a, 0xbc])]
    #[case("00", "00", &[0x00])]
    fn a_text_is_read_as_people_write_it(
        #[case] text: &str,
        #[case] shown: &str,
        #[case] der: &[u8],
    ) {
        let serial: Serial = text.parse().unwrap();
        assert_eq!(serial.to_string(), shown);
        assert_eq!(serial.der_content(), der);
        assert_eq!(serde_roundtrip(&serial), serial);
    }

    fn serde_roundtrip(serial: &Serial) -> Serial {
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, StringDeserializer};
        let deserializer: StringDeserializer<Error> = serial.to_string().into_deserializer();
        Serial::deserialize(deserializer).unwrap()
    }

    #[rstest]
    fn a_text_that_is_no_number_is_refused(#[values("", ":", "xy", "0x10", "12 34")] text: &str) {
        assert!(text.parse::<Serial>().is_err());
    }

    #[test]
    fn serials_are_ordered_as_numbers() {
        let [small, great]: [Serial; 2] = ["ff", "0100"].map(|text| text.parse().unwrap());
        assert!(small < great);
    }

    #[rstest]
    #[case("00", false)]
    #[case("01", true)]
    #[case("7fffffffffffffffffffffffffffffffffffffff", true)]
    #[case("8000000000000000000000000000000000000000", false)]
    fn only_a_positive_number_of_twenty_octets_is_issuable(
        #[case] serial: Serial,
        #[case] issuable: bool,
    ) {
        assert_eq!(serial.is_issuable(), issuable);
    }
}
