//! Whether a record authorises an account for a domain.

use std::fmt;

use pki::time::Timestamp;

use super::{AccountUri, Record, RecordError, normalize};

/// What a record has to say.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The names of this CA.
    pub issuer_domain_names: &'a [String],
    /// The account that asks.
    pub account: AccountUri<'a>,
    /// The domain that is validated, without `*.`.
    pub domain: &'a str,
    /// Whether the validated identifier is a wildcard.
    pub wildcard: bool,
    /// The domain whose record this is: `domain` itself or an ancestor.
    pub record_domain: &'a str,
    /// The time of validation.
    pub now: Timestamp,
}

/// Why a well-formed record does not authorise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The record is about another CA; several may stand side by side.
    #[error("the record names the issuer `{0}`")]
    OtherIssuer(String),
    /// The record names another account.
    #[error("the record's `accounturi` is not this account")]
    OtherAccount,
    /// The record names the account in the form of a draft that is switched off.
    #[error("the record names the account by its URL; a hash is asked for")]
    PlainUrl,
    /// `persistUntil` is past.
    #[error("the record's `persistUntil` {0} is past")]
    Expired(Timestamp),
    /// A wildcard needs `policy=wildcard`.
    #[error("the record lacks `policy=wildcard`, which a wildcard needs")]
    NoWildcard,
    /// A subdomain needs `policy=wildcard`.
    #[error("the record lacks `policy=wildcard`, which a subdomain needs")]
    NoSubdomain,
    /// The record stands at a name that is not an ancestor.
    #[error("the record stands at `{0}`, which the validated name is not under")]
    OtherDomain(String),
}

impl Record {
    /// Whether the record authorises what is expected.
    pub fn matches(&self, expected: &Expectation<'_>) -> Result<(), Mismatch> {
        let (issuers, account) = (expected.issuer_domain_names, expected.account);
        if !issuers.iter().any(|name| normalize(name) == self.issuer) {
            return Err(Mismatch::OtherIssuer(self.issuer.clone()));
        }
        if !account.is(&self.account_uri, expected.record_domain) {
            return Err(match self.account_uri == account.url {
                true => Mismatch::PlainUrl,
                false => Mismatch::OtherAccount,
            });
        }
        self.check_scope(expected)?;
        match self.persist_until {
            Some(until) if until < expected.now => Err(Mismatch::Expired(until)),
            _ => Ok(()),
        }
    }

    fn check_scope(&self, expected: &Expectation<'_>) -> Result<(), Mismatch> {
        let (domain, holder) = (
            normalize(expected.domain),
            normalize(expected.record_domain),
        );
        let exact = domain == holder;
        if !exact && !is_under(&domain, &holder) {
            return Err(Mismatch::OtherDomain(holder));
        }
        match (self.wildcard, exact, expected.wildcard) {
            (true, _, _) | (false, true, false) => Ok(()),
            (false, false, _) => Err(Mismatch::NoSubdomain),
            (false, true, true) => Err(Mismatch::NoWildcard),
        }
    }
}

/// Whether `domain` is `ancestor` with labels before it.
fn is_under(domain: &str, ancestor: &str) -> bool {
    !ancestor.is_empty()
        && domain
            .strip_suffix(ancestor)
            .is_some_and(|labels| labels.ends_with('.'))
}

/// No record of several authorises; the reasons are in the order of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoRecord {
    /// Records that could not be read.
    pub malformed: Vec<RecordError>,
    /// Records that say something else.
    pub mismatches: Vec<Mismatch>,
}

impl std::error::Error for NoRecord {}

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is about this CA explains more than what is about others.
        let about_us = self
            .mismatches
            .iter()
            .find(|mismatch| !matches!(mismatch, Mismatch::OtherIssuer(_)));
        match (about_us, self.malformed.first(), self.mismatches.first()) {
            (Some(mismatch), _, _) | (None, None, Some(mismatch)) => mismatch.fmt(f),
            (None, Some(error), _) => error.fmt(f),
            (None, None, None) => f.write_str("there is no record"),
        }
    }
}

/// The first of several TXT values that authorises what is expected; others are passed over.
pub fn find<V: AsRef<[u8]>>(
    values: impl IntoIterator<Item = V>,
    expected: &Expectation<'_>,
) -> Result<Record, NoRecord> {
    let mut none = NoRecord::default();
    for value in values {
        match Record::parse(value.as_ref()) {
            Err(error) => none.malformed.push(error),
            Ok(record) => match record.matches(expected) {
                Ok(()) => return Ok(record),
                Err(mismatch) => none.mismatches.push(mismatch),
            },
        }
    }
    Err(none)
}
