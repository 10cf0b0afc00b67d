//! Rows that come out of statements, read by position and type.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use pki::time::Timestamp;
use rusqlite::types::ValueRef;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use tokio_postgres::types::Type;

use crate::{StoreError, Value};

/// One row of a result.
#[derive(Debug)]
pub struct Row(Columns);

#[derive(Debug)]
enum Columns {
    Sqlite(Vec<Value<'static>>),
    Postgres(tokio_postgres::Row),
}

/// A type that a column can be read as.
pub trait FromColumn<'r>: Sized {
    /// What the type is called in the message when the column holds something else.
    const EXPECTED: &'static str;

    /// The value, or `None` if the column holds something else.
    fn from_column(value: Value<'r>) -> Option<Self>;
}

impl Row {
    /// The column at `index` (from 0).
    pub fn get<'r, T: FromColumn<'r>>(&'r self, index: usize) -> Result<T, StoreError> {
        let value = self.value(index)?;
        let found = value.kind();
        T::from_column(value).ok_or_else(|| StoreError::Column {
            index,
            expected: T::EXPECTED.to_owned(),
            found: found.to_owned(),
        })
    }

    /// The text column at `index`, parsed as the noun it is the written form of.
    pub fn parse<T>(&self, index: usize) -> Result<T, StoreError>
    where
        T: FromStr<Err: Display>,
    {
        let text: &str = self.get(index)?;
        text.parse()
            .map_err(|error: T::Err| unreadable(index, &error))
    }

    /// The text column at `index`, read as JSON.
    pub fn json<T: DeserializeOwned>(&self, index: usize) -> Result<T, StoreError> {
        let text: &str = self.get(index)?;
        serde_json::from_str(text).map_err(|error| unreadable(index, &error))
    }

    /// The text column at `index` if it is not `NULL`, read as JSON.
    pub fn json_opt<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, StoreError> {
        match self.get::<Option<&str>>(index)? {
            Some(_) => self.json(index).map(Some),
            None => Ok(None),
        }
    }

    /// The text column at `index` if it is not `NULL`, parsed.
    pub fn parse_opt<T>(&self, index: usize) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: Display>,
    {
        match self.get::<Option<&str>>(index)? {
            Some(_) => self.parse(index).map(Some),
            None => Ok(None),
        }
    }

    /// The text column at `index`, read as one word of an enum.
    pub fn word<T: DeserializeOwned>(&self, index: usize) -> Result<T, StoreError> {
        let text: &str = self.get(index)?;
        let word: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
        T::deserialize(word).map_err(|error| unreadable(index, &error))
    }

    /// The text column at `index`, read as hexadecimal digits.
    pub fn hex(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        let text: &str = self.get(index)?;
        let octets = data_encoding::HEXLOWER.decode(text.as_bytes());
        octets.map_err(|error| unreadable(index, &error))
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Columns::Sqlite(columns) => columns.len(),
            Columns::Postgres(row) => row.len(),
        }
    }

    /// Whether there are no columns at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The error for a column whose text is not what is written there.
    pub(crate) fn unreadable(&self, index: usize, error: &dyn Display) -> StoreError {
        unreadable(index, error)
    }

    pub(crate) fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        match &self.0 {
            Columns::Sqlite(columns) => columns
                .get(index)
                .map(Value::reborrow)
                .ok_or_else(|| StoreError::Statement(format!("the result has no column {index}"))),
            Columns::Postgres(row) => postgres_value(row, index),
        }
    }

    pub(crate) fn from_sqlite(row: &rusqlite::Row<'_>) -> Result<Self, StoreError> {
        let count = row.as_ref().column_count();
        let mut columns = Vec::with_capacity(count);
        for index in 0..count {
            columns.push(match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Text(octets) => {
                    let text = str::from_utf8(octets).map_err(|error| unreadable(index, &error))?;
                    Value::Text(Cow::Owned(text.to_owned()))
                }
                ValueRef::Blob(octets) => Value::Blob(Cow::Owned(octets.to_owned())),
                ValueRef::Real(_) => return Err(unsupported(index, "a floating point number")),
            });
        }
        Ok(Self(Columns::Sqlite(columns)))
    }

    pub(crate) fn from_postgres(row: tokio_postgres::Row) -> Self {
        Self(Columns::Postgres(row))
    }
}

fn postgres_value(row: &tokio_postgres::Row, index: usize) -> Result<Value<'_>, StoreError> {
    let column = row
        .columns()
        .get(index)
        .ok_or_else(|| StoreError::Statement(format!("the result has no column {index}")))?;
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map(Value::Integer),
        Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map(Value::from),
        Type::INT2 => {
            let number = row.try_get::<_, Option<i16>>(index)?;
            number.map(|number| Value::Integer(number.into()))
        }
        Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map(Value::from),
        Type::BYTEA => row.try_get::<_, Option<&[u8]>>(index)?.map(Value::from),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => {
            row.try_get::<_, Option<&str>>(index)?.map(Value::from)
        }
        ref other => return Err(unsupported(index, other.name())),
    };
    Ok(value.unwrap_or(Value::Null))
}

fn unsupported(index: usize, found: &str) -> StoreError {
    let expected = "an integer, a text or octets".to_owned();
    StoreError::Column {
        index,
        expected,
        found: found.to_owned(),
    }
}

fn unreadable(index: usize, error: &dyn Display) -> StoreError {
    let found = format!("a text that does not parse ({error})");
    StoreError::Column {
        index,
        expected: "what this release writes".to_owned(),
        found,
    }
}

impl FromColumn<'_> for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(number),
            Value::Null | Value::Text(_) | Value::Blob(_) => None,
        }
    }
}

impl FromColumn<'_> for u64 {
    const EXPECTED: &'static str = "an integer that is not negative";

    fn from_column(value: Value<'_>) -> Option<Self> {
        i64::from_column(value).and_then(|number| number.try_into().ok())
    }
}

impl FromColumn<'_> for u32 {
    const EXPECTED: &'static str = "an integer of 32 bits";

    fn from_column(value: Value<'_>) -> Option<Self> {
        i64::from_column(value).and_then(|number| number.try_into().ok())
    }
}

impl FromColumn<'_> for bool {
    const EXPECTED: &'static str = "0 or 1";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            Value::Integer(_) | Value::Null | Value::Text(_) | Value::Blob(_) => None,
        }
    }
}

impl FromColumn<'_> for Timestamp {
    const EXPECTED: &'static str = "a time in milliseconds";

    fn from_column(value: Value<'_>) -> Option<Self> {
        i64::from_column(value).map(Self::from_millis)
    }
}

impl<'r> FromColumn<'r> for &'r str {
    const EXPECTED: &'static str = "a text";

    fn from_column(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Text(Cow::Borrowed(text)) => Some(text),
            Value::Text(Cow::Owned(_)) | Value::Null | Value::Integer(_) | Value::Blob(_) => None,
        }
    }
}

impl FromColumn<'_> for String {
    const EXPECTED: &'static str = "a text";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into_owned()),
            Value::Null | Value::Integer(_) | Value::Blob(_) => None,
        }
    }
}

impl<'r> FromColumn<'r> for &'r [u8] {
    const EXPECTED: &'static str = "octets";

    fn from_column(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Blob(Cow::Borrowed(octets)) => Some(octets),
            Value::Blob(Cow::Owned(_)) | Value::Null | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl FromColumn<'_> for Vec<u8> {
    const EXPECTED: &'static str = "octets";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(octets) => Some(octets.into_owned()),
            Value::Null | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl<const N: usize> FromColumn<'_> for [u8; N] {
    const EXPECTED: &'static str = "octets of a fixed length";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(octets) => octets.as_ref().try_into().ok(),
            Value::Null | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl<'r, T: FromColumn<'r>> FromColumn<'r> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_column(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value @ (Value::Integer(_) | Value::Text(_) | Value::Blob(_)) => {
                T::from_column(value).map(Some)
            }
        }
    }
}
