//! Alerts: certificates that end without a successor, from the first notice until it is over.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What goes wrong with one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    #[schema(example = "inc_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub state: AlertState,
    #[schema(example = "crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub certificate: String,
    pub names: Vec<String>,
    /// Name of the team that owns the certificate
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_after: Option<Timestamp>,
    /// The lowest threshold that was told, in per cent of the certificate's life; 100 is an overdue
    /// renewal, 0 the end
    pub threshold: u8,
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who looks after it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_reason: Option<ClosingReason>,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    Open,
    Acknowledged,
    Closed,
}

/// Why an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClosingReason {
    Renewed,
    Revoked,
    /// It expired long ago, and nobody missed it
    Abandoned,
}

/// Somebody looks after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Id of a user or token
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is said when somebody takes an alert on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ticket 4711", max_length = 1000)]
    pub note: Option<String>,
}

/// Filters of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<AlertState>,
    /// Id of a certificate
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}
