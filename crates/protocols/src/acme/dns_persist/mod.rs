//! `dns-persist-01`: a TXT record that lasts and names issuer and account (draft-ietf-acme-dns-persist).
//!
//! Drafts -00 and -01 name the account by its URL, draft -02 by a hash; both are read here, and the
//! [`Expectation`] says which is accepted.

mod account;
mod matching;
mod record;

pub use account::{AccountUri, hashed_uri};
pub use matching::{Expectation, Mismatch, NoRecord, find};
pub use record::{Record, RecordError};

/// The label under which the record stands.
pub const LABEL: &str = "_validation-persist";

/// The name that holds the records of `domain`.
pub fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// Names are compared in one form: lower case, no trailing dot.
fn normalize(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
