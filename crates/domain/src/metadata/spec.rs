//! A field of custom metadata as an operator writes it and as it is kept, and what may be wrong with it.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::values::optional_scalar;
use crate::id::FieldId;

/// A field of custom metadata, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub id: FieldId,
    /// What requests, filters and events call it.
    pub name: String,
    pub spec: FieldSpec,
    /// Counts its changes, from 1.
    pub version: u32,
    /// Since when nothing new gets a value for it. Those that have one keep it.
    pub retired_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The rules of a field, as an operator writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSpec {
    /// What people read; the name where it is empty.
    pub label: String,
    pub description: String,
    pub kind: FieldKind,
    /// Whether nothing is issued without a value.
    pub required: bool,
    /// Where nothing else gives a value.
    #[serde(deserialize_with = "optional_scalar")]
    pub default: Option<String>,
    /// A regular expression that the whole of a string has to match.
    pub pattern: Option<String>,
    /// The least number, the first date, the shortest string.
    #[serde(deserialize_with = "optional_scalar")]
    pub min: Option<String>,
    /// The greatest number, the last date, the longest string.
    #[serde(deserialize_with = "optional_scalar")]
    pub max: Option<String>,
    /// The values of a choice.
    pub choices: Vec<String>,
    pub applies: Applies,
    /// Where set, nobody gives the value: it is put together from these.
    pub template: Option<String>,
}

/// What values of a field are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    #[default]
    String,
    Number,
    Date,
    Choice,
    Boolean,
    User,
    Team,
}

/// Where a field applies: everywhere, or where every list that is not empty has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Applies {
    /// Names of profiles.
    pub profiles: Vec<String>,
    /// Names of ACME directories.
    pub directories: Vec<String>,
    /// Names of teams.
    pub teams: Vec<String>,
}

impl Applies {
    /// Whether it applies to a request under this profile, in this directory, for this team.
    pub fn to(&self, profile: &str, directory: Option<&str>, team: Option<&str>) -> bool {
        let has = |list: &[String], name: Option<&str>| {
            list.is_empty() || name.is_some_and(|name| list.iter().any(|listed| listed == name))
        };
        has(&self.profiles, Some(profile))
            && has(&self.directories, directory)
            && has(&self.teams, team)
    }
}

/// What is wrong with a field's rules, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct FieldFault {
    /// The member at fault: `pattern`, `choices[2]`, with the character where there is one.
    pub place: String,
    pub message: String,
}

impl FieldFault {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}
