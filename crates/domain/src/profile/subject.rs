//! Which attributes the subject of a certificate has (RFC 5280 section 4.1.2.6).

use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;

/// The rules for the subject. Attributes stand in the certificate in the order of the rules, so the
/// most general one comes first: `C`, `O`, `CN`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectRules {
    #[serde(default)]
    pub attributes: Vec<AttributeRule>,
    /// What becomes of attributes of a request that no rule names.
    #[serde(default)]
    pub others: OtherAttributes,
}

impl SubjectRules {
    /// The rule for an attribute, by its short name or object identifier.
    pub fn rule(&self, attribute: &str) -> Option<&AttributeRule> {
        self.attributes
            .iter()
            .find(|rule| rule.attribute.eq_ignore_ascii_case(attribute))
    }
}

/// The rule for one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeRule {
    /// `CN`, `O`, `OU`, `C`, `L`, `ST`, `emailAddress`, … or a dotted object identifier.
    pub attribute: String,
    pub presence: Presence,
    /// The value of a fixed attribute; what an optional one gets where the request has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What a requested value has to match as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

/// Whether an attribute is there, and who says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Always there, with the profile's value, whatever a CSR says.
    Fixed,
    /// The request has to give it.
    Required,
    /// The request may give it.
    Optional,
    /// A request that gives it is refused.
    Forbidden,
}

/// What becomes of attributes that no rule names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherAttributes {
    /// They are left out; many clients fill in a country and an organisation of their own.
    #[default]
    Dropped,
    /// The request is refused.
    Refused,
}
