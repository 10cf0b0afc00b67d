//! What waits for a CA elsewhere.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Requests that are on their way to a CA or lie there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Requests to which the CA has not answered yet.
    pub unanswered: u64,
    /// Since when the oldest of them waits.
    pub unanswered_since: Option<Timestamp>,
    /// Requests that the CA took and has not decided yet.
    pub pending: u64,
    /// Since when the oldest of them waits.
    pub pending_since: Option<Timestamp>,
}

impl Backlog {
    /// Since when the oldest request waits.
    pub fn oldest(&self) -> Option<Timestamp> {
        let both = self.unanswered_since.into_iter().chain(self.pending_since);
        both.min()
    }
}
