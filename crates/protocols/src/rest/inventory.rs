//! The inventory as a whole: figures, exports, imports, searches that people keep.

use std::collections::BTreeMap;

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many certificates fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    #[schema(example = 1204)]
    pub count: u64,
}

/// Figures of all certificates that the requester sees; each is what the list counts with the same filter
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventorySummary {
    /// The moment that the figures are of
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    #[serde(flatten)]
    pub all: Figures,
    /// Requests that failed in the last seven days, as `/enrollments` lists them by `status` and `changed_since`
    #[serde(default)]
    pub failed_requests: u64,
    /// Those with keys that can be broken
    pub weak_key: Figures,
    /// By name of the issuer; what others issued comes without one
    pub by_issuer: Vec<Slice>,
    pub by_profile: Vec<Slice>,
    pub by_team: Vec<Slice>,
    pub by_key_kind: Vec<Slice>,
    pub by_origin: Vec<Slice>,
}

/// Numbers of certificates by what they are at one moment
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    pub total: u64,
    /// Not revoked, begun and not over
    pub valid: u64,
    pub not_yet_valid: u64,
    pub expired: u64,
    pub revoked: u64,
    /// Valid, and ending within 7 days
    pub expiring_7_days: u64,
    pub expiring_30_days: u64,
    pub expiring_90_days: u64,
}

/// Figures of the certificates that have something in common
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Slice {
    /// What they have in common; absent where they have none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub name: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv` or `jsonl`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub format: Option<ExportFormat>,
}

/// Forms of an export of the inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// A table (RFC 4180); a cell that a spreadsheet would compute begins with `'`
    #[default]
    Csv,
    /// One certificate in each line, as JSON
    Jsonl,
}

impl ExportFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
        }
    }

    /// What file names of this form end with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// What holds for all certificates of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Only say what would be done
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Name of the team that is to own the certificates
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Metadata that each certificate gets, as a JSON object: `{"billing": "4711"}`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}

/// What became of an upload
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    pub dry_run: bool,
    /// Under which the events of this import are found
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: Option<String>,
    /// Certificates that are new to the inventory; of a table, those that have other values now
    pub added: u64,
    /// Certificates that were known, or had these values, and stay as they are
    pub known: u64,
    /// What could not be read, or cannot be what it says
    pub broken: u64,
    /// Private keys that came along: they were thrown away
    #[serde(default)]
    pub keys_dropped: u64,
    /// Why reading ended before the end of the upload; what came before it is imported
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What became of each; of many, the first thousand and a thousand broken ones
    pub entries: Vec<ImportEntry>,
}

/// What became of one certificate
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportEntry {
    /// Where it stands in the upload
    #[schema(example = "line 17")]
    pub place: String,
    pub verdict: ImportVerdict,
    /// Its id in the inventory
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Why it is broken
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub fingerprint: Option<Fingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_after: Option<Timestamp>,
    /// How many certificates above it are known, each of which signed the one below
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<u64>,
    /// Whether an issuer of this installation signed it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<bool>,
    /// Whether its key can be broken
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak_key: Option<bool>,
}

/// The three ends of a certificate in an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportVerdict {
    New,
    Known,
    Broken,
}

/// Media types of uploads.
pub mod media {
    /// PEM, one certificate or many
    pub const PEM: &str = "application/x-pem-file";
    /// PEM, as chains are served
    pub const PEM_CHAIN: &str = "application/pem-certificate-chain";
    /// DER, one certificate
    pub const DER: &str = "application/pkix-cert";
    /// PKCS #7, certificates only
    pub const PKCS7: &str = "application/x-pkcs7-certificates";
    /// PKCS #7, as RFC 8551 calls it
    pub const PKCS7_MIME: &str = "application/pkcs7-mime";
    /// PKCS #12, with its password in a header
    pub const PKCS12: &str = "application/x-pkcs12";
    /// A certificate in each line, with metadata of its own
    pub const LINES: &str = "application/x-ndjson";
    /// The same by another name
    pub const JSONL: &str = "application/jsonl";
    /// A table of metadata for certificates that are known
    pub const CSV: &str = "text/csv";
}

/// A search that somebody keeps
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedSearch {
    #[schema(example = "srch_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub name: String,
    /// Id of the user or token that keeps it
    pub owner: String,
    /// Whether the requester keeps it, and may change it
    pub own: bool,
    /// Name of the team that sees it as well
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Parameters of the list of certificates
    #[schema(value_type = Object, example = json!({"q": "expires<30d team:web", "sort": "not_after"}))]
    pub search: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What a person decides about a search
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedSearchRequest {
    #[schema(example = "ending soon", min_length = 1, max_length = 100)]
    pub name: String,
    /// Name of the team that is to see it as well
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Parameters of the list of certificates
    #[schema(value_type = Object, example = json!({"q": "expires<30d team:web", "sort": "not_after"}))]
    pub search: BTreeMap<String, String>,
}

/// How far the days of trends reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrendsQuery {
    /// Days to come, 1 to 400; 90 unless told
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 400)]
    pub ahead: Option<u16>,
    /// Days past, 1 to 90; 30 unless told
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 90)]
    pub back: Option<u16>,
}

/// The inventory by day (UTC): what ends, and what came in. Days without any are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryTrends {
    /// The moment that the figures are of
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Certificates that are not revoked, by the day of their end, from today on
    pub ending: Vec<DayCount>,
    /// What came into the inventory, by day, issuer, profile, team, origin and protocol
    pub arrived: Vec<Arrivals>,
}

/// A number of certificates on a day
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayCount {
    #[schema(example = "2027-01-31")]
    pub day: String,
    pub count: u64,
}

/// What came in on a day
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Arrivals {
    #[schema(example = "2027-01-31")]
    pub day: String,
    /// Name of the issuer, where it is one of ours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Name of the team that owns them
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// `issued`, `discovered` or `imported`
    #[schema(example = "issued")]
    pub origin: String,
    /// How they were asked for: `acme`, `est`, `scep`, `cmp`, `rest` (dashboard and command line, too) or
    /// `system`, for this server itself; not known of what came in otherwise
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "acme")]
    pub protocol: Option<String>,
    pub count: u64,
}
