//! The lines of a backup.

use std::io::{self, BufRead, Write};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::{BASE64, HEXLOWER};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Row, StoreError, Value};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// A line that is not a row.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Mark {
    Head {
        certwright_backup: u32,
        schema: i64,
        created_at: Timestamp,
    },
    Table {
        table: String,
        columns: Vec<String>,
    },
    End {
        end: End,
    },
}

/// The last line: how much there was and its hash.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct End {
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// A column of a row.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Null(()),
    Integer(i64),
    Text(String),
    Blob { base64: String },
}

impl Cell {
    /// The value to be stored, or `None` if it is not base64.
    pub(super) fn into_value(self) -> Option<Value<'static>> {
        match self {
            Self::Null(()) => Some(Value::Null),
            Self::Integer(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::Blob { base64 } => BASE64.decode(base64.as_bytes()).ok().map(Value::from),
        }
    }
}

/// Writes lines and keeps their hash.
pub(super) struct LineWriter<W> {
    inner: W,
    line: Vec<u8>,
    hash: Context,
    rows: u64,
}

impl<W: Write> LineWriter<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            line: Vec::new(),
            hash: Context::new(&SHA256),
            rows: 0,
        }
    }

    pub(super) fn mark(&mut self, mark: &Mark) -> io::Result<()> {
        serde_json::to_writer(&mut self.line, mark)?;
        self.end_line()
    }

    pub(super) fn row(&mut self, row: &Row) -> Result<io::Result<()>, StoreError> {
        self.line.push(b'[');
        for index in 0..row.len() {
            if index > 0 {
                self.line.push(b',');
            }
            if let Err(error) = write_value(&mut self.line, &row.value(index)?) {
                return Ok(Err(error));
            }
        }
        self.line.push(b']');
        self.rows += 1;
        Ok(self.end_line())
    }

    /// Writes the last line, and answers how many rows there were.
    pub(super) fn finish(mut self) -> io::Result<(W, u64)> {
        let rows = self.rows;
        let hash = std::mem::replace(&mut self.hash, Context::new(&SHA256)).finish();
        let end = End {
            rows,
            sha256: HEXLOWER.encode(hash.as_ref()),
        };
        self.mark(&Mark::End { end })?;
        self.inner.flush()?;
        Ok((self.inner, rows))
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push(b'\n');
        self.hash.update(&self.line);
        self.inner.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }
}

fn write_value(line: &mut Vec<u8>, value: &Value<'_>) -> io::Result<()> {
    match value {
        Value::Null => line.write_all(b"null"),
        Value::Integer(number) => write!(line, "{number}"),
        Value::Text(text) => Ok(serde_json::to_writer(line, text)?),
        Value::Blob(octets) => write!(line, "{{\"base64\":\"{}\"}}", BASE64.encode(octets)),
    }
}

/// Reads lines and keeps their hash.
pub(super) struct LineReader<R> {
    inner: R,
    line: String,
    number: u64,
    hash: Context,
}

impl<R: BufRead> LineReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            line: String::new(),
            number: 0,
            hash: Context::new(&SHA256),
        }
    }

    /// The next line, and the hash of all before it; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<&str>> {
        self.hash.update(self.line.as_bytes());
        self.line.clear();
        self.number += 1;
        let length = self.inner.read_line(&mut self.line)?;
        Ok((length > 0).then_some(self.line.trim_end_matches('\n')))
    }

    /// The number of the line last read, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The hash of everything before the line last read.
    pub(super) fn hash_before(&self) -> String {
        HEXLOWER.encode(self.hash.clone().finish().as_ref())
    }
}
