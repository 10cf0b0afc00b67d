//! The event log as it is listed.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// The media type of an export: one JSON value per line.
pub const EXPORT_MEDIA_TYPE: &str = "application/jsonl";

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    #[schema(example = "evt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Dotted, in the past tense
    #[schema(example = "certificate.issued")]
    pub name: String,
    pub actor: Actor,
    /// Id or name of what it happened to
    pub object: String,
    /// Details by name
    #[schema(value_type = Object)]
    pub data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: String,
    /// The address the request came from
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    AcmeAccount,
    /// A client of EST or SCEP, by the id of what it showed
    Client,
    /// Without credentials, or with the key of a certificate
    Anonymous,
    /// An operator at the machine's own console
    Console,
    System,
    Token,
    /// Someone who signed in
    User,
}

/// Filters of the event log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Beginning of the name: `certificate.`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id or name of what it happened to
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Id of who did it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The HTTP request in whose course it happened
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// At this instant or later
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Before this instant
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// In which words the log is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// JSON Lines with hash chain and checkpoints: what can be verified
    #[default]
    Jsonl,
    /// ArcSight Common Event Format, a line for each event
    Cef,
    /// Open Cybersecurity Schema Framework, a JSON value a line for each event
    Ocsf,
}

/// How the log is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    #[serde(default)]
    #[param(inline)]
    pub format: ExportFormat,
}

/// The public key that checks the signatures of checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditKey {
    /// SHA-256 of the public key, hexadecimal: what checkpoints name
    pub key_id: String,
    /// SubjectPublicKeyInfo, PEM
    pub public_key: String,
}

/// How the event log is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// `false`: end after what happened since `Last-Event-ID`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
}
