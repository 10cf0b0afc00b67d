//! Who there is: what fields of the kinds `user` and `team` may name.

use std::collections::BTreeMap;

/// The users and teams of the installation, by everything they may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    users: BTreeMap<String, String>,
    teams: BTreeMap<String, String>,
}

impl People {
    /// Adds a user under each of these spellings; a value is kept as `name`.
    pub fn add_user<'a>(&mut self, name: &str, spellings: impl IntoIterator<Item = &'a str>) {
        add(&mut self.users, name, spellings);
    }

    /// Adds a team under each of these spellings; a value is kept as `name`.
    pub fn add_team<'a>(&mut self, name: &str, spellings: impl IntoIterator<Item = &'a str>) {
        add(&mut self.teams, name, spellings);
    }

    /// Whether no user is known at all: then people can only be named as they call each other.
    pub fn has_no_users(&self) -> bool {
        self.users.is_empty()
    }

    /// What the user is called that a text names.
    pub fn user(&self, text: &str) -> Option<&str> {
        self.users.get(&text.to_lowercase()).map(String::as_str)
    }

    /// What the team is called that a text names.
    pub fn team(&self, text: &str) -> Option<&str> {
        self.teams.get(&text.to_lowercase()).map(String::as_str)
    }
}

fn add<'a>(
    known: &mut BTreeMap<String, String>,
    name: &str,
    spellings: impl IntoIterator<Item = &'a str>,
) {
    known.insert(name.to_lowercase(), name.to_owned());
    for spelling in spellings {
        known.insert(spelling.to_lowercase(), name.to_owned());
    }
}
