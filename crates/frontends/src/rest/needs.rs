//! What a route asks of whoever calls it.

use std::fmt;

use domain::access::Rights;
use domain::permission::Permission;

/// What has to be held for a route to be entered. What is done behind it may take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The permission everywhere: the route is about what no team owns.
    Everywhere(Permission),
    /// The permission for any team, or everywhere: the handler looks at whose the object is.
    SomeTeam(Permission),
    /// Any credential.
    Credential,
    /// The session of somebody who signed in: the route is about themselves.
    Session,
    /// Nothing: the route is for those who are yet to sign in.
    Nobody,
}

impl Needs {
    /// Whether who has these rights may enter.
    pub(crate) fn are_met(self, rights: &Rights) -> bool {
        match self {
            Self::Everywhere(permission) => rights.allows(permission, None),
            Self::SomeTeam(permission) => rights.allows_somewhere(permission),
            Self::Credential | Self::Session | Self::Nobody => true,
        }
    }

    /// Why somebody is turned away.
    pub(crate) fn refusal(self, name: &str, rights: &Rights) -> String {
        let held: Vec<&str> = rights.roles().iter().map(|held| &*held.name).collect();
        let held = match held.is_empty() {
            true => "holds no role".to_owned(),
            false => format!("holds {}", held.join(", ")),
        };
        match self {
            Self::Everywhere(permission) if rights.allows_somewhere(permission) => format!(
                "this needs the permission `{permission}` everywhere, not in a team only; `{name}` {held}"
            ),
            Self::Everywhere(permission) | Self::SomeTeam(permission) => format!(
                "this needs the permission `{permission}`, which `{name}` does not have: it {held}"
            ),
            Self::Session => format!(
                "this is about somebody who signed in; `{name}` is a token, which has no password, \
                 authenticator or session"
            ),
            Self::Credential | Self::Nobody => "this needs a credential".to_owned(),
        }
    }
}

/// As descriptions and the manual write it.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(permission) | Self::SomeTeam(permission) => permission.fmt(f),
            Self::Credential => f.write_str("any"),
            Self::Session => f.write_str("session"),
            Self::Nobody => f.write_str("none"),
        }
    }
}
