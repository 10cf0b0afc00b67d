//! Enrollment passwords: HTTP Basic of EST, challenge passwords of SCEP.

use std::collections::BTreeMap;
use std::fmt;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::metadata::GivenValues;

/// A password that opens an entry point. Its secret is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollmentPassword {
    #[schema(example = "pwd_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What people call it
    pub name: String,
    pub status: PasswordStatus,
    pub protocol: EntryProtocol,
    /// Name of the EST label or SCEP service that it opens
    pub entry_point: String,
    /// Where set, the user name that has to come with it over HTTP Basic
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Where not empty, only these names may be asked for with it
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_names: Vec<String>,
    /// How many enrollments it opens; any number without it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// Values of custom metadata that enrollments with it inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Name of the team that owns it, and what is enrolled with it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Whether a password or a shared secret still opens something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordStatus {
    Usable,
    /// As often as it may be
    Used,
    Expired,
    Revoked,
}

/// The protocols whose clients show enrollment passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryProtocol {
    Est,
    Scep,
}

impl fmt::Display for EntryProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Est => "est",
            Self::Scep => "scep",
        })
    }
}

/// A password to be made. It is for one EST label or one SCEP service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEnrollmentPassword {
    /// Which device or batch it is for
    #[schema(example = "printers of the third floor", min_length = 1)]
    pub name: String,
    /// The EST label that it opens
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "printers")]
    pub est_label: Option<String>,
    /// The SCEP service that it opens
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scep_service: Option<String>,
    /// A user name that has to come with it over HTTP Basic; any does without it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `host.example.org`, `.example.org` for everything below, `192.0.2.0/24`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_names: Vec<String>,
    /// How many enrollments it opens; absent for any number
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, minimum = 1)]
    pub max_uses: Option<u32>,
    /// Values of custom metadata that enrollments with it inherit
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
    /// Seconds until it opens nothing more; absent means never
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
    /// Name of the team that it is for; absent for the one of the entry point
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// A password that was made, with its secret: shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedEnrollmentPassword {
    #[serde(flatten)]
    pub password: EnrollmentPassword,
    /// The password itself
    pub secret: String,
}

impl fmt::Debug for CreatedEnrollmentPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedEnrollmentPassword")
            .field("password", &self.password)
            .finish_non_exhaustive()
    }
}

/// Filters of the list of passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EnrollmentPasswordFilter {
    /// Those of this EST label
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub est_label: Option<String>,
    /// Those of this SCEP service
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scep_service: Option<String>,
}
