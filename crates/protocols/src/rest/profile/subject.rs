//! The rules for the subject.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The attributes of the subject, in the order in which they stand in the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRules {
    #[serde(default)]
    pub attributes: Vec<AttributeRule>,
    /// What becomes of attributes of a CSR that no rule names
    #[serde(default)]
    pub others: OtherAttributes,
}

/// The rule for one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeRule {
    /// `CN`, `O`, `OU`, `C`, `L`, `ST`, … or a dotted object identifier
    #[schema(example = "O")]
    pub attribute: String,
    pub presence: Presence,
    /// Of a fixed attribute; or what an optional one gets where the request has none
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Example GmbH")]
    pub value: Option<String>,
    /// A regular expression that a requested value has to match as a whole
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Whether an attribute is there, and who says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Always there, with the profile's value
    Fixed,
    /// The request has to give it
    Required,
    /// The request may give it
    Optional,
    /// A request that gives it is refused
    Forbidden,
}

/// What becomes of attributes that no rule names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OtherAttributes {
    /// Left out
    #[default]
    Dropped,
    /// The request is refused
    Refused,
}
