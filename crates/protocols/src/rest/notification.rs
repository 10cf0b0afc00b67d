//! Notification channels, the rules that choose them, and messages on their way.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::audit::Event;

/// A way to people or programs outside. Its secrets are never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    pub name: String,
    #[schema(example = "chn_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub rules: ChannelRules,
    /// Which secret settings there are
    pub secrets: Vec<String>,
    /// How far the event log was carried, where the channel streams it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_status: Option<StreamStatus>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What a channel is. A secret that a `PUT` leaves out stays, one that is `null` goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelRules {
    /// `smtp`, `webhook`, `slack`, `teams`, `syslog`
    #[schema(example = "webhook")]
    pub kind: String,
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    /// By the kind: `docs/notifications.md`
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"url": "https://hooks.example.org/certwright", "secret": "a shared secret of at least 24 octets"}))]
    pub settings: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Template::is_empty")]
    pub template: Template,
    /// Carries the whole event log, whatever the rules say
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamFrom>,
}

/// Texts of messages (Jinja's syntax); what is not set is the kind's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "{{ title }}: {{ event.object }}")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Beside the text, for mails
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Template {
    /// Whether all texts are the kind's own.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a stream of the event log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StreamFrom {
    /// With the first event there is
    Beginning,
    /// With what happens from now on
    Now,
}

/// How far a stream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamStatus {
    /// The event that was taken last, by its position in the log
    pub position: i64,
    /// How often the receiver did not take what comes next
    pub failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// What became of a trial message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    /// Whether the receiver took it
    pub delivered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A kind of channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelKind {
    #[schema(example = "webhook")]
    pub name: String,
    pub summary: String,
    /// The settings that are never shown again
    pub secrets: Vec<String>,
    /// Whether it may carry the whole event log
    pub streams: bool,
    /// The words it uses where a channel has none of its own
    pub template: Template,
}

/// A template to be tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// For which kind of channel
    #[schema(example = "smtp")]
    pub kind: String,
    #[serde(default)]
    pub template: Template,
    /// Without it a certificate that ends soon
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
}

/// What a template makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// Which events go to which channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationRule {
    pub name: String,
    pub rules: NotificationRules,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The conditions of a rule; an empty list of names is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationRules {
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    /// Names of channels
    #[schema(example = json!(["operations"]))]
    pub channels: Vec<String>,
    /// `certificate.expiring`, `certificate.*`, `*`
    #[schema(example = json!(["certificate.expiring", "certificate.expired", "renewal.overdue"]))]
    pub events: Vec<String>,
    /// Only of these teams
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Only under these profiles
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// Only by these issuers
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    #[serde(default)]
    pub min_severity: Severity,
    /// An expression over `event` and `severity` that has to be true
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "event.data.metadata.stage == 'production'")]
    pub when: Option<String>,
    /// Per cent of a certificate's life at which its end is told; 0 is the end
    #[serde(default = "default_ladder")]
    #[schema(example = json!([33, 15, 5, 0]))]
    pub ladder: Vec<u8>,
    #[serde(default, skip_serializing_if = "Recipients::is_empty")]
    pub recipients: Recipients,
}

/// Whom mails go to, beside the addresses of the channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// A mail to each user whose turn it is to decide, with a one-time link for that user
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approvers: bool,
    /// A mail to each user who holds one of these roles for the event's team
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["ca-operator"]))]
    pub roles: Vec<String>,
}

impl Recipients {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn yes() -> bool {
    true
}

fn default_ladder() -> Vec<u8> {
    vec![33, 15, 5, 0]
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    #[default]
    Info,
    Notice,
    Warning,
    Critical,
}

/// One event on its way over one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The same for all attempts; receivers know repeats by it
    #[schema(example = "dlv_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// Name of the channel
    pub channel: String,
    pub event: String,
    /// What the event happened to
    pub object: String,
    pub state: DeliveryState,
    /// How often it failed
    pub attempts: u32,
    /// When it is tried next, while it waits
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// Given up; it can be sent again
    Dead,
}

/// Filters of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Name of a channel
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeliveryState>,
    /// What the event happened to
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// How many messages were sent off again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resent {
    pub deliveries: u64,
}
