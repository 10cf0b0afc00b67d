//! Roles that operators make, and references to roles of either kind.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::RoleId;
use crate::permission::Permission;
use crate::role::Role;

/// A set of permissions that operators gave a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    pub id: RoleId,
    /// Lower-case letters, digits and hyphens; none of the built-in names.
    pub name: String,
    pub description: String,
    pub permissions: BTreeSet<Permission>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which role a grant gives. By id where it is custom: a role that is made anew under an old
/// name does not inherit that one's grants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleRef {
    BuiltIn(Role),
    Custom(RoleId),
}

impl RoleRef {
    /// As it is stored: a name, or an id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.as_str(),
            Self::Custom(id) => id.as_str(),
        }
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that refers to no role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a built-in role nor the id of a custom one")]
pub struct ParseRoleRefError(String);

impl FromStr for RoleRef {
    type Err = ParseRoleRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Custom(id));
        }
        match text.parse() {
            Ok(role) => Ok(Self::BuiltIn(role)),
            Err(_) => Err(ParseRoleRefError(text.chars().take(64).collect())),
        }
    }
}

impl Serialize for RoleRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RoleRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
