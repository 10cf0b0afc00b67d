//! The order of a list of certificates, and where a page of it ends.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use domain::id::CertificateId;
use pki::time::Timestamp;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateSort {
    pub key: SortKey,
    pub descending: bool,
}

/// What a list is sorted by; certificates that are equal in it come in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// When they became known.
    #[default]
    Created,
    /// When they end.
    NotAfter,
    /// The first of their names, by domain: `example.org`, `a.example.org`, `example.net`. Of names below
    /// a suffix that is asked for, the first of those.
    Name,
}

impl CertificateSort {
    /// Newest first.
    pub const NEWEST: Self = Self {
        key: SortKey::Created,
        descending: true,
    };
    /// Those that end first, first.
    pub const ENDING: Self = Self {
        key: SortKey::NotAfter,
        descending: false,
    };

    pub(super) fn direction(self) -> &'static str {
        match self.descending {
            true => "DESC",
            false => "ASC",
        }
    }

    pub(super) fn beyond(self) -> &'static str {
        match self.descending {
            true => "<",
            false => ">",
        }
    }
}

/// Where a page ends: what the next one goes on behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCursor {
    pub(super) id: CertificateId,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Created,
    NotAfter(Timestamp),
    Name(String),
}

/// A text that is no cursor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no `next` of a page of certificates")]
pub struct ParseCursorError;

impl CertificateCursor {
    /// The order that it is of.
    pub fn key(&self) -> SortKey {
        match self.place {
            Place::Created => SortKey::Created,
            Place::NotAfter(_) => SortKey::NotAfter,
            Place::Name(_) => SortKey::Name,
        }
    }
}

impl From<CertificateId> for CertificateCursor {
    fn from(id: CertificateId) -> Self {
        Self {
            id,
            place: Place::Created,
        }
    }
}

impl fmt::Display for CertificateCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Created => write!(f, "{}", self.id),
            Place::NotAfter(at) => write!(f, "{}-e{}", self.id, at.millis()),
            Place::Name(name) => {
                write!(
                    f,
                    "{}-n{}",
                    self.id,
                    BASE64URL_NOPAD.encode(name.as_bytes())
                )
            }
        }
    }
}

impl FromStr for CertificateCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (id, place) = match text.split_once('-') {
            None => (text, Place::Created),
            Some((id, place)) => (id, read_place(place).ok_or(ParseCursorError)?),
        };
        let id = id.parse().map_err(|_| ParseCursorError)?;
        Ok(Self { id, place })
    }
}

fn read_place(text: &str) -> Option<Place> {
    if let Some(millis) = text.strip_prefix('e') {
        return Some(Place::NotAfter(Timestamp::from_millis(
            millis.parse().ok()?,
        )));
    }
    let octets = BASE64URL_NOPAD
        .decode(text.strip_prefix('n')?.as_bytes())
        .ok()?;
    let name = String::from_utf8(octets).ok()?;
    (!name.contains('\0')).then_some(Place::Name(name))
}
