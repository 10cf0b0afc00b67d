//! Teams: who owns certificates, ACME directories, binding keys and profiles.

use pki::time::Timestamp;

use crate::id::TeamId;

/// A team. Its name does not change: policies and files refer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    /// Lower-case letters, digits and hyphens.
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
