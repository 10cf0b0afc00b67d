//! Moving what one issuer signed to another.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::certificate::CertificateQuery;

/// What is to be moved, and how fast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "from": "old", "to": "new", "filter": { "q": "team:web" }, "wave_size": 500 }))]
pub struct MigrateIssuer {
    /// The issuer whose certificates are to be replaced
    pub from: String,
    /// The issuer that signs instead
    pub to: String,
    /// Of its valid certificates those that fit; all without it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<CertificateQuery>,
    /// The field of custom metadata that marks certificates which somebody relies on by heart
    #[serde(default = "pinned")]
    pub pin_field: String,
    /// Certificates in a wave
    #[serde(default = "five_hundred")]
    #[schema(minimum = 1, maximum = 100000)]
    pub wave_size: u32,
    /// How long a wave has; clients ask every six hours when to renew
    #[serde(default = "a_day")]
    #[schema(minimum = 600, maximum = 2592000)]
    pub wave_seconds: u64,
    /// It stops where more than so many of a hundred of a wave were not renewed in time
    #[serde(default = "five")]
    #[schema(maximum = 100)]
    pub stop_above_percent: u8,
}

impl MigrateIssuer {
    /// From one issuer to another, at the usual pace.
    pub fn new(from: String, to: String) -> Self {
        Self {
            from,
            to,
            filter: None,
            pin_field: pinned(),
            wave_size: five_hundred(),
            wave_seconds: a_day(),
            stop_above_percent: five(),
        }
    }
}

fn pinned() -> String {
    "pinned".to_owned()
}

const fn five_hundred() -> u32 {
    500
}

const fn a_day() -> u64 {
    24 * 60 * 60
}

const fn five() -> u8 {
    5
}

/// What a migration would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationPlan {
    pub readiness: MigrationReadiness,
    pub waves: u32,
    /// The profiles that would route to the new issuer
    pub profiles: Vec<String>,
}

/// Who renews the certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationReadiness {
    /// By ACME clients, which ask when to renew
    pub automatic: u64,
    /// Somebody has to renew them
    pub person: u64,
    /// Marked as pinned: somebody has to see to those who rely on them first
    pub pinned: u64,
}

/// A migration and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerMigration {
    #[schema(example = "mig_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub from: String,
    pub to: String,
    /// `running`, `paused`, `rolling-back`, `rolled-back` or `finished`
    #[schema(example = "running")]
    pub state: String,
    /// Why it is paused
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which wave is under way; 0 before the first
    pub wave: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub wave_started_at: Option<Timestamp>,
    pub wave_size: u32,
    pub wave_seconds: u64,
    pub stop_above_percent: u8,
    pub readiness: MigrationReadiness,
    /// All its certificates
    pub progress: MigrationProgress,
    /// Those of the wave
    pub wave_progress: MigrationProgress,
    /// The profiles that it routes to the new issuer
    pub profiles: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// How far it is, in certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationProgress {
    /// Their wave has not come
    pub waiting: u64,
    /// Their clients are told to renew now
    pub pulled: u64,
    pub renewed: u64,
    /// Not renewed in the time of their wave
    pub late: u64,
    /// Left to people
    pub left: u64,
}

/// One certificate of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationItem {
    pub certificate: String,
    /// The names in it
    #[serde(default)]
    pub names: Vec<String>,
    /// `automatic`, `person` or `pinned`
    pub readiness: String,
    /// `waiting`, `pulled`, `renewed`, `late` or `left`
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
    /// What took its place
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

/// Filter of the certificates of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MigrationItemQuery {
    /// `waiting`, `pulled`, `renewed`, `late` or `left`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<MigrationItemState>,
}

/// What became of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationItemState {
    Waiting,
    Pulled,
    Renewed,
    Late,
    Left,
}
