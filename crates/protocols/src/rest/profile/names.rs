//! The rules for names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which names are certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameRules {
    pub dns: bool,
    pub ip: bool,
    #[serde(default)]
    pub email: bool,
    #[serde(default)]
    pub uri: bool,
    /// Devices by an identifier that stays with them; ACME proves it by `device-attest-01`
    #[serde(default, skip_serializing_if = "is_false")]
    pub permanent_identifier: bool,
    /// Pieces of hardware by type and serial number; ACME proves it by `device-attest-01`
    #[serde(default, skip_serializing_if = "is_false")]
    pub hardware_module: bool,
    pub wildcards: bool,
    /// 0 where the subject says it all
    #[serde(default = "one")]
    pub min: usize,
    pub max: usize,
    /// At most so many of one type, within `max`
    #[serde(default)]
    pub limits: NameLimits,
    /// Where not empty, only these: a name, `.suffix`, a network, a mailbox, `@domain`, a URI (with
    /// `/*` for all below), `dns:/regex/`, `email:/regex/`, `uri:/regex/` or `device:/regex/`
    #[serde(default)]
    #[schema(example = json!([".example.org", "192.0.2.0/24", "@example.org"]))]
    pub allow: Vec<String>,
    /// Never these, even where `allow` has them
    #[serde(default)]
    pub deny: Vec<String>,
}

/// How many names of each type there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NameLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !*value
}

const fn one() -> usize {
    1
}
