//! Who can hold a role.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::event::{Actor, ActorKind};
use crate::id::{TokenId, UserId};

/// Someone who is known by a credential and can be granted roles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    User(UserId),
    Token(TokenId),
}

impl Principal {
    /// The principal that an actor is, if it is one.
    pub fn of(actor: &Actor) -> Option<Self> {
        match actor.kind {
            ActorKind::User => actor.id.parse().ok().map(Self::User),
            ActorKind::Token => actor.id.parse().ok().map(Self::Token),
            ActorKind::AcmeAccount
            | ActorKind::Client
            | ActorKind::Anonymous
            | ActorKind::Console
            | ActorKind::System => None,
        }
    }

    /// The id of the user or the token, whose prefix tells which it is.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Token(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no principal.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither the id of a user (usr_…) nor that of a token (tok_…)")]
pub struct ParsePrincipalError(String);

impl FromStr for Principal {
    type Err = ParsePrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::User(id));
        }
        match text.parse() {
            Ok(id) => Ok(Self::Token(id)),
            Err(_) => Err(ParsePrincipalError(text.chars().take(64).collect())),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
