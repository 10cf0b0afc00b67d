//! CMP endpoints and their shared secrets (RFC 9810).

use std::collections::BTreeMap;
use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::enrollment_password::PasswordStatus;
use super::metadata::GivenValues;

/// Where CMP clients come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CmpEndpoint {
    #[schema(example = "plant")]
    pub name: String,
    #[schema(example = "ept_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What clients are given
    #[schema(example = "https://ca.example/.well-known/cmp/p/plant")]
    pub url: String,
    pub rules: CmpEndpointRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The rules of a CMP endpoint; what a `PUT` leaves out gets its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CmpEndpointRules {
    /// Profiles that requests may name by `certProfile`; the first is what they get unasked
    #[schema(example = json!(["device"]))]
    pub profiles: Vec<String>,
    /// Whether messages protected with a shared secret are taken
    pub secrets: bool,
    /// What a certificate that was issued here opens beside its own update and revocation
    pub certificates: CmpCertificateUse,
    /// Certificates of trusted registration authorities, each in PEM
    pub authorities: Vec<String>,
    /// Whether a requester may do without confirming the certificate
    pub implicit_confirm: bool,
    /// How long a confirmation is waited for before the certificate is revoked
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub confirm_wait_seconds: u64,
    /// How far a message's time may be from ours; 0 does not look
    #[schema(maximum = 86_400)]
    pub max_clock_skew_seconds: u64,
    /// Values of custom metadata for requests that get them from nowhere nearer
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
}

impl Default for CmpEndpointRules {
    fn default() -> Self {
        Self {
            profiles: vec!["default".to_owned()],
            secrets: true,
            certificates: CmpCertificateUse::SameNames,
            authorities: Vec::new(),
            implicit_confirm: true,
            confirm_wait_seconds: 60 * 60,
            max_clock_skew_seconds: 5 * 60,
            metadata: GivenValues::new(),
        }
    }
}

/// What the certificate that a client holds already opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CmpCertificateUse {
    /// Nothing but its own update and revocation
    Off,
    /// Further certificates for the names that it has
    SameNames,
    /// Every name that the profile allows
    AnyNames,
}

/// A shared secret of a CMP endpoint. It is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CmpSecret {
    #[schema(example = "cms_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What people call it
    #[schema(example = "line 7")]
    pub name: String,
    /// What clients send as reference (senderKID)
    #[schema(example = "line-7")]
    pub reference: String,
    pub status: PasswordStatus,
    /// Name of the endpoint that it opens
    #[schema(example = "plant")]
    pub endpoint: String,
    /// Where not empty, only these names may be asked for with it
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_names: Vec<String>,
    /// How many certificates it opens; any number without it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// How many it has opened
    pub uses: u32,
    /// Name of the team that owns it, and what is asked for with it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Values of custom metadata that requests with it inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Which secrets are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CmpSecretFilter {
    /// Of this endpoint only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// A secret to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCmpSecret {
    /// Who it is for
    #[schema(example = "line 7", min_length = 1)]
    pub name: String,
    /// Name of the endpoint that it opens
    #[schema(example = "plant")]
    pub endpoint: String,
    /// What clients shall send as reference; made up without it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "line-7")]
    pub reference: Option<String>,
    /// `host.example.org`, `.example.org` for everything below, `192.0.2.0/24`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([".plant.example.org"]))]
    pub allowed_names: Vec<String>,
    /// How many certificates it opens; any number without it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_uses: Option<u32>,
    /// Name of the team that it is for; may be left out by who can make secrets in one team only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Values of custom metadata that requests with it inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
    /// Seconds until it opens nothing any more; absent means never
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
}

/// A secret that was made: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedCmpSecret {
    #[serde(flatten)]
    pub details: CmpSecret,
    /// What clients protect their messages with, as text
    pub secret: String,
}

impl fmt::Debug for CreatedCmpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedCmpSecret")
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}
