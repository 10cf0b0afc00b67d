//! How nouns are written into columns: documents as JSON, unit enums as their word, octets as hex.

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::StoreError;

/// A value as a JSON document.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(unwritable)
}

/// A value whose JSON form is a single word, as that word.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(unwritable)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(unwritable(format!("not a word: {other}"))),
    }
}

/// Octets as lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    HEXLOWER.encode(octets)
}

fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Statement(format!("a value cannot be written: {error}"))
}
