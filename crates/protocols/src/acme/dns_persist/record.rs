//! Reading one TXT record.

use pki::time::Timestamp;

use super::normalize;
use crate::acme::issue_value::{Duplicate, IssueValue, IssueValueError};

/// A well-formed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The issuer's domain name in lower case.
    pub issuer: String,
    /// `accounturi` as written.
    pub account_uri: String,
    /// Whether `policy=wildcard` extends the record to wildcards and subdomains.
    pub wildcard: bool,
    /// The last instant at which the record may be used.
    pub persist_until: Option<Timestamp>,
}

/// Why a TXT record is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not ASCII text.
    #[error("the record is not text")]
    NotText,
    /// Not an issue value.
    #[error("the record is malformed: {0}")]
    Grammar(#[from] IssueValueError),
    /// No issuer.
    #[error("the record names no issuer")]
    NoIssuer,
    /// No `accounturi`.
    #[error("the record has no `accounturi`")]
    NoAccount,
    /// A tag we know, twice.
    #[error("the record has the tag `{0}` more than once")]
    Duplicate(&'static str),
    /// `persistUntil` is not a number of seconds.
    #[error("`persistUntil` is not a number of seconds since 1970")]
    PersistUntil,
}

impl Record {
    /// Reads a TXT record's value, its character strings joined.
    pub fn parse(value: &[u8]) -> Result<Self, RecordError> {
        let text = str::from_utf8(value).map_err(|_| RecordError::NotText)?;
        let value = IssueValue::parse(text)?;
        let issuer = value.issuer.ok_or(RecordError::NoIssuer)?;
        let only = |tag: &'static str| {
            value
                .only(tag)
                .map_err(|Duplicate| RecordError::Duplicate(tag))
        };
        let account = only("accounturi")?.filter(|uri| !uri.is_empty());
        // A policy other than `wildcard` grants nothing.
        let policy = only("policy")?;
        Ok(Self {
            issuer: normalize(issuer),
            account_uri: account.ok_or(RecordError::NoAccount)?.to_owned(),
            wildcard: policy.is_some_and(|policy| policy.eq_ignore_ascii_case("wildcard")),
            persist_until: only("persistUntil")?.map(seconds).transpose()?,
        })
    }
}

fn seconds(text: &str) -> Result<Timestamp, RecordError> {
    if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(RecordError::PersistUntil);
    }
    text.parse()
        .map(Timestamp::from_seconds)
        .map_err(|_| RecordError::PersistUntil)
}
