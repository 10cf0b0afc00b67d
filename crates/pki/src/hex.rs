//! Hexadecimal text as people write it: any case, with colons or without.

use data_encoding::HEXLOWER_PERMISSIVE;

/// The octets, or `None` if a character is neither a hexadecimal digit nor a colon.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut digits: Vec<u8> = text.bytes().filter(|&octet| octet != b':').collect();
    if digits.len() % 2 == 1 {
        digits.insert(0, b'0');
    }
    HEXLOWER_PERMISSIVE.decode(&digits).ok()
}

/// Octets as lower-case hexadecimal in serialised form, for `#[serde(with = "…")]`.
pub(crate) mod octets {
    use std::borrow::Cow;

    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: AsRef<[u8]>, S: Serializer>(
        octets: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(octets.as_ref()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        super::decode(&text).ok_or_else(|| de::Error::custom("expected hexadecimal octets"))
    }
}
