//! Custom metadata: its fields, and changes to the values of things.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

/// Values by the name of their field, as requests may write them.
pub type GivenValues = BTreeMap<String, Scalar>;

/// A value as requests may write it: a text, a number or a truth. It goes on as a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Scalar {
    Text(String),
    Truth(bool),
    #[schema(value_type = f64)]
    Number(serde_json::Number),
}

impl Scalar {
    /// The value as a text.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Truth(truth) => serializer.collect_str(truth),
            Self::Number(number) => serializer.collect_str(number),
        }
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Values as texts.
pub fn texts(values: GivenValues) -> BTreeMap<String, String> {
    values
        .into_iter()
        .map(|(name, value)| (name, value.into_text()))
        .collect()
}

/// A field of custom metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "cost_center", "id": "fld_06ek9q3v5c8m2k7t1r4x0z9w8y", "status": "active", "version": 1,
    "rules": {"label": "Cost center", "kind": "string", "required": true, "pattern": "[0-9]{4}"},
    "created_at": "2027-01-31T12:00:00Z", "updated_at": "2027-01-31T12:00:00Z"
}))]
pub struct Field {
    /// What requests, filters and events call it
    pub name: String,
    pub id: String,
    pub status: FieldStatus,
    /// Counts its changes, from 1
    pub version: u32,
    pub rules: FieldRules,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Whether anything new gets a value for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldStatus {
    Active,
    /// What has a value keeps it
    Retired,
}

/// The rules of a field; what a `PUT` leaves out gets its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"label": "Cost center", "required": true, "pattern": "[0-9]{4}"}))]
pub struct FieldRules {
    /// What people read; the name where it is empty
    #[schema(max_length = 100)]
    pub label: String,
    #[schema(max_length = 2000)]
    pub description: String,
    pub kind: FieldKind,
    /// Whether nothing is issued without a value
    pub required: bool,
    /// Where nothing else gives a value
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// A regular expression that the whole of a string has to match
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub pattern: Option<String>,
    /// The least number, the first date, the shortest string
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Scalar>,
    /// The greatest number, the last date, the longest string
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Scalar>,
    /// The values of a choice
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    #[serde(skip_serializing_if = "Applies::is_everywhere")]
    pub applies: Applies,
    /// Where set, nobody gives the value: it is put together from these. `{eab.name}`, `{eab.id}`,
    /// `{account}`, `{directory}`, `{profile}`, `{team}`, `{name}`, `{field:other}`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "{field:cost_center}-{team}")]
    pub template: Option<String>,
}

/// What values of a field are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Applies {
    /// Names of profiles
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// Names of ACME directories
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<String>,
    /// Names of teams
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}

impl Applies {
    /// Whether it is not narrowed at all.
    pub fn is_everywhere(&self) -> bool {
        self.profiles.is_empty() && self.directories.is_empty() && self.teams.is_empty()
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataSource {
    Requested,
    /// The certificate that was renewed
    Renewed,
    EabKey,
    Account,
    Directory,
    /// The enrollment password
    Password,
    /// The EST label or SCEP service
    EntryPoint,
    Profile,
    Computed,
    Default,
}

/// What is to become of single values; those that are not named stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metadata": {"cost_center": "4711", "contact": null}}))]
pub struct MetadataChange {
    /// The value of each field from now on; `null` takes it away
    #[schema(schema_with = wishes)]
    pub metadata: BTreeMap<String, Option<Scalar>>,
}

pub(super) fn wishes() -> Object {
    let kinds = [Type::String, Type::Number, Type::Boolean, Type::Null];
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds));
    ObjectBuilder::new()
        .additional_properties(Some(value))
        .build()
}

/// All values of a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"metadata": {"cost_center": "4711"}}))]
pub struct Metadata {
    pub metadata: BTreeMap<String, String>,
}

/// The fields that a CA is told, and what it calls them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metadata_fields": {"cost_center": "Custom Field 1"}}))]
pub struct IssuerMetadataFields {
    /// Name of a field, and the CA's name for it
    pub metadata_fields: BTreeMap<String, String>,
}
