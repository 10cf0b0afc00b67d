//! People: who they are, and whether they may sign in.

use std::fmt;
use std::str::FromStr;

use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::{ProviderId, UserId};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub name: UserName,
    /// What others see.
    pub display_name: String,
    pub email: Option<String>,
    pub state: UserState,
    /// The sign-on provider that vouches for this person; `None` signs in here.
    pub vouched: Option<Vouched>,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
}

/// What a sign-on provider says about a person, as of the last sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    pub provider: ProviderId,
    /// The claim `sub`, which never changes (OpenID Connect Core section 5.7).
    pub subject: String,
    pub groups: Vec<String>,
}

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserState {
    /// Has not opened the setup link yet.
    Invited,
    Active,
    /// Kept, but stays out, whoever vouches.
    Disabled,
}

impl User {
    /// Whether a session of this person opens anything.
    pub fn may_act(&self) -> bool {
        self.state == UserState::Active
    }
}

/// What a person signs in as: in lower case, unique.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// A text that is no user name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be a user name: write 1 to {MAX_NAME} of a-z, 0-9 and . _ - @ +, and begin with a \
     letter or digit; an e-mail address is fine"
)]
pub struct ParseUserNameError(String);

impl UserName {
    /// The name as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest name to what somebody else calls a person, where there is one.
    pub fn resembling(text: &str) -> Option<Self> {
        let kept: String = text
            .chars()
            .map(|c| c.to_ascii_lowercase())
            .filter(|c| is_inner(*c))
            .collect();
        let begun = kept.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        begun
            .chars()
            .take(MAX_NAME)
            .collect::<String>()
            .parse()
            .ok()
    }

    /// The same with something behind it, for when the name is taken.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Option<Self> {
        let room = MAX_NAME.checked_sub(suffix.len() + 1)?;
        let stem: String = self.0.chars().take(room).collect();
        format!("{stem}.{suffix}").parse().ok()
    }
}

/// Longest user name.
pub const MAX_NAME: usize = 64;

fn is_inner(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '@' | '+')
}

impl FromStr for UserName {
    type Err = ParseUserNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_ascii_lowercase();
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        match begins_well && name.len() <= MAX_NAME && name.chars().all(is_inner) {
            true => Ok(Self(name)),
            false => Err(ParseUserNameError(text.chars().take(MAX_NAME).collect())),
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_whatever_their_case() {
        for (text, name) in [
            ("ada", Some("ada")),
            (" Ada ", Some("ada")),
            ("Ada.Lovelace@Example.org", Some("ada.lovelace@example.org")),
            ("4711", Some("4711")),
            ("", None),
            (".ada", None),
            ("ada lovelace", None),
            ("ädä", None),
            ("a\0", None),
            ("../ada", None),
        ] {
            let parsed = text.parse::<UserName>().ok();
            assert_eq!(parsed.as_ref().map(UserName::as_str), name, "{text:?}");
        }
        assert!("a".repeat(MAX_NAME).parse::<UserName>().is_ok());
        assert!("a".repeat(MAX_NAME + 1).parse::<UserName>().is_err());
    }

    #[test]
    fn a_providers_name_for_somebody_becomes_one_of_ours() {
        for (theirs, ours) in [
            ("Ada Lovelace", Some("adalovelace")),
            ("CORP\\ada", Some("corpada")),
            ("_ada", Some("ada")),
            ("アダ", None),
        ] {
            let name = UserName::resembling(theirs);
            assert_eq!(name.as_ref().map(UserName::as_str), ours, "{theirs}");
        }
        let long: UserName = "a".repeat(MAX_NAME).parse().unwrap();
        assert_eq!(long.with_suffix("corp").unwrap().as_str().len(), MAX_NAME);
    }
}
