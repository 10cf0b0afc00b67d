//! In which order approvals are listed, and where a page of them ends.

use std::fmt;
use std::str::FromStr;

use domain::approval::Approval;
use domain::id::ApprovalId;
use pki::time::Timestamp;

/// The order of a list of approvals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApprovalSort {
    /// The newest first.
    #[default]
    Newest,
    /// The next to end first.
    Deadline,
    /// What changed last first.
    Changed,
}

impl ApprovalSort {
    /// What comes behind a cursor, its instant and id being `?`.
    pub(super) const fn behind(self) -> &'static str {
        match self {
            Self::Newest => "id < ?",
            Self::Deadline => "(deadline_at > ? OR (deadline_at = ? AND id > ?))",
            Self::Changed => "(updated_at < ? OR (updated_at = ? AND id < ?))",
        }
    }

    pub(super) const fn order(self) -> &'static str {
        match self {
            Self::Newest => "ORDER BY id DESC",
            Self::Deadline => "ORDER BY deadline_at, id",
            Self::Changed => "ORDER BY updated_at DESC, id DESC",
        }
    }

    /// Where a page ends whose last row is that of an approval with this deadline and change.
    pub fn cursor(
        self,
        id: ApprovalId,
        deadline_at: Timestamp,
        updated_at: Timestamp,
    ) -> ApprovalCursor {
        let at = match self {
            Self::Newest => None,
            Self::Deadline => Some(deadline_at),
            Self::Changed => Some(updated_at),
        };
        ApprovalCursor { id, at }
    }

    /// Where a page ends whose last row is `approval`.
    pub fn cursor_of(self, approval: &Approval) -> ApprovalCursor {
        self.cursor(
            approval.id.clone(),
            approval.deadline_at,
            approval.updated_at,
        )
    }
}

/// Where a page ends: what the next one goes on behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalCursor {
    pub(super) id: ApprovalId,
    /// The instant by which the list is in order, where it is in order by one.
    pub(super) at: Option<Timestamp>,
}

impl ApprovalCursor {
    /// Whether it is of a list in that order, as far as it tells.
    pub fn fits(&self, sort: ApprovalSort) -> bool {
        match sort {
            ApprovalSort::Newest => self.at.is_none(),
            ApprovalSort::Deadline | ApprovalSort::Changed => self.at.is_some(),
        }
    }
}

/// A text that is no cursor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no `next` of a page of approvals")]
pub struct ParseApprovalCursorError;

impl fmt::Display for ApprovalCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            None => write!(f, "{}", self.id),
            Some(at) => write!(f, "{}-{}", self.id, at.millis()),
        }
    }
}

impl FromStr for ApprovalCursor {
    type Err = ParseApprovalCursorError;

    fn from_str(text: &str) -> Result<Self, ParseApprovalCursorError> {
        let (id, at) = match text.split_once('-') {
            None => (text, None),
            Some((id, millis)) => {
                let millis = millis.parse().map_err(|_| ParseApprovalCursorError)?;
                (id, Some(Timestamp::from_millis(millis)))
            }
        };
        let id = id.parse().map_err(|_| ParseApprovalCursorError)?;
        Ok(Self { id, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written_and_fit_their_order_alone() {
        let id: ApprovalId = format!("apr_{:0>26}", 7).parse().unwrap();
        let [deadline, changed] = [1_000, 2_000].map(Timestamp::from_millis);
        for sort in [
            ApprovalSort::Newest,
            ApprovalSort::Deadline,
            ApprovalSort::Changed,
        ] {
            let cursor = sort.cursor(id.clone(), deadline, changed);
            assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
            assert!(cursor.fits(sort));
            assert_eq!(
                cursor.fits(ApprovalSort::Newest),
                sort == ApprovalSort::Newest
            );
        }
        for text in ["", "apr_1", &format!("{id}-"), &format!("{id}-x")] {
            assert_eq!(
                text.parse::<ApprovalCursor>(),
                Err(ParseApprovalCursorError)
            );
        }
    }
}
