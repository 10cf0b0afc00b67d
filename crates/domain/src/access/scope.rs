//! Where a role is held, and what is seen by it.

use std::collections::BTreeSet;
use std::fmt;

use crate::id::TeamId;

/// Where a role is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Everywhere,
    /// For what this team owns.
    Team(TeamId),
}

impl Scope {
    /// The team, or everywhere without one.
    pub fn of(team: Option<TeamId>) -> Self {
        team.map_or(Self::Everywhere, Self::Team)
    }

    /// The team it is limited to.
    pub fn team(&self) -> Option<&TeamId> {
        match self {
            Self::Everywhere => None,
            Self::Team(team) => Some(team),
        }
    }

    /// Whether what holds here holds for an object of that owner. What no team owns is reached
    /// from everywhere only.
    pub fn covers(&self, owner: Option<&TeamId>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Team(team) => owner == Some(team),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("everywhere"),
            Self::Team(_) => f.write_str("in that team"),
        }
    }
}

/// Whose objects are seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody's, and what nobody owns.
    #[default]
    All,
    /// Those of these teams only.
    Teams(BTreeSet<TeamId>),
}

impl Visibility {
    /// Whether an object of that owner is seen. What no team owns is seen by those who see all.
    pub fn shows(&self, owner: Option<&TeamId>) -> bool {
        match self {
            Self::All => true,
            Self::Teams(teams) => owner.is_some_and(|team| teams.contains(team)),
        }
    }

    /// The same for profiles and directories, which everybody shares where no team owns them.
    pub fn shows_shared(&self, owner: Option<&TeamId>) -> bool {
        owner.is_none() || self.shows(owner)
    }
}
