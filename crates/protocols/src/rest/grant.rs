//! Grants: who holds which role where.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One role, held by one user or token, everywhere or in one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    #[schema(example = "grt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// Id of the user or token
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub principal: String,
    #[schema(example = "requester")]
    pub role: String,
    /// Absent: everywhere
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A role to be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGrant {
    /// Id of the user or token
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub principal: String,
    #[schema(example = "requester")]
    pub role: String,
    /// Absent: everywhere
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
}

/// Filters of the list of grants; all that are given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantQuery {
    /// Id of a user or token
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Name of a role
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Name of a team
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// A role as it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldRole {
    #[schema(example = "requester")]
    pub role: String,
    /// Absent: everywhere
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
}
