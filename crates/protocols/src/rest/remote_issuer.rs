//! CAs elsewhere: how they are configured, and what a look at them finds.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A secret on its way in; no answer has one.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct GivenSecret(pub SecretString);

impl Serialize for GivenSecret {
    /// Only the client writes it, to the server.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenSecret")
    }
}

/// A CA elsewhere that is to sign.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateIssuer {
    /// In URLs and profiles: lower-case letters, digits and hyphens
    #[schema(example = "vault")]
    pub name: String,
    /// One of `GET /api/v1/issuer-kinds`
    #[schema(example = "vault")]
    pub kind: String,
    /// What the kind needs; its example shows what there is
    #[schema(value_type = Object,
        example = json!({ "url": "https://vault.example.org:8200", "mount": "pki_int", "role": "web" }))]
    pub settings: Map<String, Value>,
    /// By name; sealed on arrival and never shown
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    pub secrets: BTreeMap<String, GivenSecret>,
    /// The CA's certificate and those above it, PEM, in any order; without it a test fetches them, where
    /// the CA has a way to be asked
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
}

/// Changes to a CA elsewhere; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateIssuer {
    /// In the place of all settings there are
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Map<String, Value>>,
    /// New ones by name; `null` removes one. Where they would be sent to another place than before, all
    /// have to be given again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object, write_only)]
    pub secrets: BTreeMap<String, Option<GivenSecret>>,
    /// PEM in the place of what is known; an empty text forgets it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
}

/// A kind of CA that can be configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IssuerKind {
    #[schema(example = "vault")]
    pub name: String,
    pub summary: String,
    pub secrets: Vec<IssuerSecretRule>,
    /// Whether it takes secrets of other names as well
    pub takes_any_secret: bool,
    /// Settings beside those of the example, which it can do without
    #[serde(default)]
    pub further: Vec<IssuerSettingRule>,
    /// Settings that could be somebody's
    #[schema(value_type = Object)]
    pub example: Value,
}

/// A setting that an issuer can do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerSettingRule {
    #[schema(example = "trust_anchors")]
    pub name: String,
    pub form: IssuerSettingForm,
    /// What can be chosen from; the first where nothing is chosen
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    pub summary: String,
}

/// What a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerSettingForm {
    /// A line
    Text,
    /// An array of lines
    List,
    /// Certificates in PEM
    Pem,
    /// True or false
    Flag,
    Number,
    /// One of `choices`
    Choice,
}

/// A secret that a kind of CA takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerSecretRule {
    #[schema(example = "token")]
    pub name: String,
    /// Whether there is no working without it, whatever the settings
    pub required: bool,
    pub summary: String,
}

/// What a look at an issuer found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerCheck {
    /// Whether nothing failed
    pub passed: bool,
    pub findings: Vec<IssuerFinding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerFinding {
    /// `reach`, `credentials`, `rights`, `chain`, `revocation`, `limits`, `answers`, `backlog` or `dry-run`
    #[schema(example = "credentials")]
    pub aspect: String,
    pub outcome: IssuerFindingOutcome,
    #[schema(example = "the token is valid for another 31 days and may be renewed")]
    pub message: String,
}

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerFindingOutcome {
    Passed,
    /// It works, but not for long or not in every case
    Warning,
    Failed,
    /// Not looked at, because something before it failed or the CA has no way to do it
    Skipped,
}
