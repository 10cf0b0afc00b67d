//! Searches that people keep.

use std::collections::BTreeMap;

use pki::time::Timestamp;

use crate::access::Principal;
use crate::id::{SavedSearchId, TeamId};

/// A search under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSearch {
    pub id: SavedSearchId,
    /// Who keeps it and may change it.
    pub owner: Principal,
    /// The team that sees it as well.
    pub team: Option<TeamId>,
    pub name: String,
    /// Parameters of the list of certificates, as they are written in its URL.
    pub parameters: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
