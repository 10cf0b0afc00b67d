//! Bulk actions: many certificates at once, looked at before anything is done.

use std::collections::BTreeMap;

use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::certificate::CertificateQuery;
use super::metadata::{Scalar, wishes};

/// A wish for a plan. Nothing is done before it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "action": { "kind": "revoke", "reason": "superseded" },
    "filter": { "suffix": "old.example.org", "status": "valid" },
}))]
pub struct PlanBulk {
    pub action: BulkAction,
    /// Ids of certificates; or else `filter`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 10000)]
    pub ids: Option<Vec<String>>,
    /// The filters of the list of certificates; or else `ids`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<CertificateQuery>,
    /// Certificates per minute
    #[serde(default = "ten_a_second")]
    #[schema(minimum = 1, maximum = 6000)]
    pub per_minute: u32,
}

/// The pace where nobody says.
pub const fn ten_a_second() -> u32 {
    600
}

/// What is done to each certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BulkAction {
    /// A new certificate for the same names and key
    Renew {},
    /// Revoked, for good
    Revoke {
        #[schema(value_type = String, example = "superseded")]
        reason: RevocationReason,
    },
    /// Other values of custom metadata; `null` takes one away, what is not named stays
    EditMetadata {
        #[schema(schema_with = wishes)]
        metadata: BTreeMap<String, Option<Scalar>>,
    },
    /// Given to another team
    Transfer {
        /// Name of the team, or null: nobody's
        // Not absent by accident: that would give them away.
        #[serde(deserialize_with = "Option::deserialize")]
        #[schema(example = "web", required = true)]
        team: Option<String>,
    },
}

/// A plan, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bulk {
    #[schema(example = "blk_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub action: BulkAction,
    pub status: BulkStatus,
    /// Who planned it: a user or a token
    pub planner: String,
    /// What the people and programs are called whose ids stand here
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, String>,
    pub per_minute: u32,
    pub counts: BulkCounts,
    /// The first certificates that it is about
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<BulkItem>,
    /// The first certificates that it leaves alone, and why
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<BulkItem>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When a plan that was not run is void
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// Where a bulk action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BulkStatus {
    Planned,
    Running,
    Paused,
    Cancelled,
    Finished,
}

/// How many certificates there are of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkCounts {
    /// Left alone: the plan found that it cannot be done
    pub excluded: u64,
    /// Still to be done
    pub pending: u64,
    pub done: u64,
    pub failed: u64,
}

/// One certificate of a bulk action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkItem {
    pub certificate: String,
    pub outcome: BulkOutcome,
    /// What would change, why it is left alone or failed, or the enrollment of its renewal
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BulkOutcome {
    Excluded,
    Pending,
    Done,
    Failed,
}

/// Filters of the certificates of a bulk action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BulkItemQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub outcome: Option<BulkOutcome>,
}
