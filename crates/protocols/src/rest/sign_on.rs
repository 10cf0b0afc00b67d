//! Sign-on providers, as operators set them up.

use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An OpenID Connect provider. The client's secret is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    #[schema(example = "staff")]
    pub name: String,
    #[serde(flatten)]
    pub rules: ProviderRules,
    /// Whether there is a client secret
    pub has_client_secret: bool,
    /// What the provider has to know as the client's redirect URI
    #[schema(example = "https://ca.example/api/v1/session/sign-on/callback")]
    pub redirect_uri: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What an operator says about a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderRules {
    /// What people read on the button
    #[schema(example = "Staff directory", min_length = 1)]
    pub title: String,
    /// The issuer's URL exactly as it stands in its tokens
    #[schema(example = "https://login.example.org/realms/staff")]
    pub issuer: String,
    #[schema(example = "certwright", min_length = 1)]
    pub client_id: String,
    #[serde(default = "default_scopes")]
    #[schema(example = json!(["openid", "profile", "email", "groups"]))]
    pub scopes: Vec<String>,
    /// How its ID tokens may be signed: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA
    #[serde(default = "default_algorithms")]
    #[schema(example = json!(["RS256"]))]
    pub algorithms: Vec<String>,
    /// The claim with the person's groups; a path with dots where it lies deeper
    #[serde(default = "default_groups_claim")]
    #[schema(example = "groups")]
    pub groups_claim: String,
    /// What groups may do here
    #[serde(default)]
    pub grants: Vec<GroupGrant>,
    /// Whether somebody without a group of `grants` may come in, too
    #[serde(default)]
    pub admits_everybody: bool,
    /// PEM: whom to trust for the provider's TLS, in place of the system's authorities
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificates: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn default_algorithms() -> Vec<String> {
    ["RS256", "ES256"].map(str::to_owned).to_vec()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

fn yes() -> bool {
    true
}

/// One group's role, everywhere or in one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupGrant {
    #[schema(example = "pki-operators")]
    pub group: String,
    #[schema(example = "ca-operator")]
    pub role: String,
    /// Absent: everywhere
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
}

/// A provider to be made or changed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PutProvider {
    #[serde(flatten)]
    pub rules: ProviderRules,
    /// The client's secret; absent: stays as it is, empty: there is none
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password, write_only)]
    pub client_secret: Option<String>,
}

impl fmt::Debug for PutProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutProvider")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
