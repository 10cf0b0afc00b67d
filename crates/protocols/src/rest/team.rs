//! Teams: who owns certificates, ACME directories, binding keys and profiles.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    #[schema(example = "web")]
    pub name: String,
    #[schema(example = "team_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub description: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What is said about a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutTeam {
    #[serde(default)]
    #[schema(example = "Web shop and its back ends", max_length = 1000)]
    pub description: String,
}

/// To whom something is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOwner {
    /// Name of the team, or null: nobody's, which for profiles and directories means everybody's
    // Not absent by accident: that would give it away.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(example = "web", required = true)]
    pub team: Option<String>,
}

/// Whose something new is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OwnerQuery {
    /// Name of the team that something new is of; nothing else changes its team by this
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}
