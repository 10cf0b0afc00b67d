//! A channel: a way to people or programs outside, with the settings that its kind needs.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ChannelId;

/// What a channel's notifier is told, by name.
pub type Settings = Map<String, Value>;

/// A configured channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: ChannelId,
    /// What rules and people call it: lower-case letters, digits and hyphens.
    pub name: String,
    /// Which notifier: `smtp`, `webhook`, ….
    pub kind: String,
    pub spec: ChannelSpec,
    /// The secret settings as one sealed JSON object, where there are any.
    pub sealed_secrets: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What may be seen and changed of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSpec {
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Without secrets.
    #[serde(default)]
    pub settings: Settings,
    /// Which secret settings there are.
    #[serde(default)]
    pub secrets: Vec<String>,
    #[serde(default)]
    pub template: Template,
    /// Carries the whole event log in its order, whatever the rules say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamFrom>,
}

/// Where a stream of the event log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamFrom {
    /// With the first event there is.
    Beginning,
    /// With what happens after the channel was made.
    Now,
}

/// The words of a channel's messages; what is not set is the kind's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// One line: the subject of a mail, the heading of a chat message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Beside the text, for mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

fn yes() -> bool {
    true
}

/// Whether a channel or rule may be called that.
pub fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
