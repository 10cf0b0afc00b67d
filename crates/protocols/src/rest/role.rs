//! Roles and what they allow.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Role {
    #[schema(example = "revoker")]
    pub name: String,
    /// Absent for roles that are built in
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "rol_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: Option<String>,
    /// Built-in roles are always there and stay as they are
    pub built_in: bool,
    pub description: String,
    #[schema(example = json!(["certificates:read", "certificates:revoke"]))]
    pub permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
}

/// What a role is to allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRole {
    #[serde(default)]
    #[schema(example = "Night shift: sees and revokes", max_length = 1000)]
    pub description: String,
    #[schema(example = json!(["certificates:read", "certificates:revoke"]))]
    pub permissions: Vec<String>,
}

/// One thing that a role may allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permission {
    #[schema(example = "certificates:revoke")]
    pub name: String,
    pub description: String,
    /// The built-in roles that have it
    #[schema(example = json!(["administrator", "ca-operator"]))]
    pub roles: Vec<String>,
}
