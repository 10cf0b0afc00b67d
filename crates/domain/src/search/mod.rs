//! The query language of the inventory: `expires<30d team:web billing=4711 "exact words"`.
//!
//! Terms stand side by side and all of them have to fit. A term is `field:value`, `name~part`,
//! `expires<when` or `created>when`, `metadata-field=value`, or words that stand somewhere in the
//! certificate. Values with spaces or signs go into quotes. What is not understood is refused with its
//! place: a term that were ignored would show too much.

mod lexer;
mod moment;
mod saved;

#[cfg(test)]
mod tests;

use std::time::Duration;

use pki::fingerprint::Fingerprint;
use pki::serial::Serial;
use pki::time::Timestamp;

use crate::certificate::{CertificateStatus, Origin};
use lexer::{Operator, Token};
pub use moment::{Moment, parse_duration};
pub use saved::SavedSearch;

/// What a query asks for; what it does not mention does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Each stands somewhere in names, subject or metadata, or begins serial number or fingerprint.
    pub texts: Vec<String>,
    /// Fields of custom metadata and the values they must have.
    pub metadata: Vec<(String, String)>,
    /// Exactly this name.
    pub name: Option<String>,
    /// This name and everything below it.
    pub suffix: Option<String>,
    /// Part of a name.
    pub name_contains: Option<String>,
    pub issuer: Option<String>,
    pub profile: Option<String>,
    pub team: Option<String>,
    pub account: Option<String>,
    pub serial: Option<Serial>,
    pub fingerprint: Option<Fingerprint>,
    pub status: Option<CertificateStatus>,
    pub origin: Option<Origin>,
    pub key_kind: Option<String>,
    pub weak: Option<bool>,
    pub replaced: Option<bool>,
    /// Whether a team owns it.
    pub owned: Option<bool>,
    /// Valid now and ending within this time.
    pub expires_within: Option<Duration>,
    pub expires_before: Option<Timestamp>,
    pub expires_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
    pub created_after: Option<Timestamp>,
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct SearchFault {
    /// The first character of what is wrong, counted from 1.
    pub at: usize,
    pub message: String,
}

/// More of either is no question that a person asks.
pub const MAX_LENGTH: usize = 1000;
const MAX_TERMS: usize = 16;
/// Shorter texts stand in almost everything.
pub const SHORTEST_TEXT: usize = 2;

impl Search {
    /// Reads a query; relative times count from `now`.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, SearchFault> {
        let length = query.chars().count();
        if length > MAX_LENGTH {
            let message = format!("a query has at most {MAX_LENGTH} characters");
            return Err(SearchFault::new(MAX_LENGTH + 1, message));
        }
        let tokens = lexer::tokens(query)?;
        if let Some(extra) = tokens.get(MAX_TERMS) {
            let message = format!("a query has at most {MAX_TERMS} terms");
            return Err(SearchFault::new(extra.at, message));
        }
        let mut search = Self::default();
        for token in &tokens {
            search.add(token, now)?;
        }
        Ok(search)
    }

    fn add(&mut self, token: &Token, now: Timestamp) -> Result<(), SearchFault> {
        match (&token.field, token.operator) {
            (None, _) => self.add_text(token),
            (Some(field), Operator::Has) => self.add_field(field, token),
            (Some(field), Operator::Equals) => {
                self.metadata.push((field.clone(), token.value.clone()));
                Ok(())
            }
            (Some(field), Operator::Contains) if field == "name" => {
                shortest(&token.value).map_err(|message| token.value_fault(message))?;
                set(&mut self.name_contains, token.value.to_lowercase(), token)
            }
            (Some(_), Operator::Contains) => {
                Err(token.fault("only `name` can be asked for a part: `name~shop`".to_owned()))
            }
            (Some(field), Operator::Before | Operator::After) => self.add_time(field, token, now),
        }
    }

    fn add_text(&mut self, token: &Token) -> Result<(), SearchFault> {
        shortest(&token.value).map_err(|message| token.value_fault(message))?;
        self.texts.push(token.value.to_lowercase());
        Ok(())
    }

    fn add_field(&mut self, field: &str, token: &Token) -> Result<(), SearchFault> {
        let value = &token.value;
        let text = || value.clone();
        match field {
            "name" => match value.strip_prefix('.') {
                Some(suffix) => set(&mut self.suffix, suffix.to_owned(), token),
                None => set(&mut self.name, text(), token),
            },
            "issuer" => set(&mut self.issuer, text(), token),
            "profile" => set(&mut self.profile, text(), token),
            "team" => set(&mut self.team, text(), token),
            "account" => set(&mut self.account, text(), token),
            "serial" => set(&mut self.serial, token.parse()?, token),
            "fingerprint" => set(&mut self.fingerprint, token.parse()?, token),
            "status" => set(&mut self.status, one_of(&STATUSES, token)?, token),
            "origin" => set(&mut self.origin, one_of(&ORIGINS, token)?, token),
            "replaced" => set(&mut self.replaced, one_of(&YES_OR_NO, token)?, token),
            "owned" => set(&mut self.owned, one_of(&YES_OR_NO, token)?, token),
            "key" if value == "weak" => set(&mut self.weak, true, token),
            "key" => {
                let kind: pki::key::KeyKind = token.parse()?;
                set(&mut self.key_kind, kind.to_string(), token)
            }
            _ => Err(token.fault(format!(
                "there is no field `{field}`; there are {FIELDS}. A metadata field is written \
                 `{field}=…`, and a text to look for goes into quotes: \"{field}:…\""
            ))),
        }
    }

    fn add_time(&mut self, field: &str, token: &Token, now: Timestamp) -> Result<(), SearchFault> {
        let moment = Moment::parse(&token.value).map_err(|message| token.value_fault(message))?;
        let before = token.operator == Operator::Before;
        match (field, before, moment) {
            ("expires", true, Moment::Away(time)) => set(&mut self.expires_within, time, token),
            ("expires", true, Moment::At(at)) => set(&mut self.expires_before, at, token),
            ("expires", false, moment) => set(&mut self.expires_after, moment.ahead(now), token),
            // An age: younger than seven days is created after seven days ago.
            ("created", true, Moment::Away(age)) => set(&mut self.created_after, now - age, token),
            ("created", true, Moment::At(at)) => set(&mut self.created_before, at, token),
            ("created", false, Moment::Away(age)) => {
                set(&mut self.created_before, now - age, token)
            }
            ("created", false, Moment::At(at)) => set(&mut self.created_after, at, token),
            _ => Err(token.fault(format!(
                "`{field}` is no time; `expires` and `created` are compared with `<` and `>`"
            ))),
        }
    }
}

impl SearchFault {
    fn new(at: usize, message: String) -> Self {
        Self { at, message }
    }
}

/// Two conditions of one kind could not both be kept, and dropping one would show too much.
fn set<T>(place: &mut Option<T>, value: T, token: &Token) -> Result<(), SearchFault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(token.fault("the query says this twice; say it once".to_owned())),
    }
}

fn one_of<T: Copy>(words: &[(&str, T)], token: &Token) -> Result<T, SearchFault> {
    let found = words.iter().find(|(word, _)| *word == token.value);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        token.value_fault(format!("this is one of {}", words.join(", ")))
    })
}

fn shortest(text: &str) -> Result<(), String> {
    match text.chars().filter(|c| c.is_alphanumeric()).count() {
        0..SHORTEST_TEXT => Err(format!(
            "a text to look for has at least {SHORTEST_TEXT} letters or digits"
        )),
        _ => Ok(()),
    }
}

const FIELDS: &str = "name, issuer, profile, team, account, serial, fingerprint, status, origin, key, \
                      replaced, owned";
const STATUSES: [(&str, CertificateStatus); 4] = [
    ("valid", CertificateStatus::Valid),
    ("expired", CertificateStatus::Expired),
    ("revoked", CertificateStatus::Revoked),
    ("not-yet-valid", CertificateStatus::NotYetValid),
];
const ORIGINS: [(&str, Origin); 3] = [
    ("issued", Origin::Issued),
    ("discovered", Origin::Discovered),
    ("imported", Origin::Imported),
];
const YES_OR_NO: [(&str, bool); 2] = [("yes", true), ("no", false)];
