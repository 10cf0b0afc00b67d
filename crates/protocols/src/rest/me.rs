//! Who a caller is, and what it may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grant::HeldRole;

/// The caller, with all that its roles add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub kind: CallerKind,
    #[schema(example = "tok_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    #[schema(example = "deploy pipeline")]
    pub name: String,
    pub roles: Vec<HeldRole>,
    pub permissions: Vec<HeldPermission>,
}

/// What a caller is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A person
    User,
    /// A program
    Token,
}

/// A permission, and for whose objects it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldPermission {
    #[schema(example = "certificates:request")]
    pub permission: String,
    /// Also for what no team owns
    pub everywhere: bool,
    /// Where not everywhere: the teams
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["web"]))]
    pub teams: Vec<String>,
}
