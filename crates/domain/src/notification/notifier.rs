//! The port to what carries messages: one kind of channel is one implementation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pki::time::Timestamp;

use super::channel::Settings;
use super::severity::Severity;
use crate::event::Event;

/// A kind of channel. Knows its settings, and connects to nothing until something is sent.
pub trait NotifierKind: Send + Sync {
    /// `smtp`, `webhook`, ….
    fn name(&self) -> &'static str;

    /// What people should know when they choose it: one line.
    fn summary(&self) -> &'static str;

    /// The settings that are never shown again.
    fn secrets(&self) -> &'static [&'static str];

    /// The settings that say where messages go. A secret that was given for one place is not sent to
    /// another: where one of these changes, the secrets have to be given again.
    fn destination(&self) -> &'static [&'static str];

    /// How its texts are written, which decides how values are escaped in them.
    fn format(&self) -> Format;

    /// The words it uses where a channel has none of its own.
    fn words(&self) -> Words {
        Words::default()
    }

    /// Whether it may carry the whole event log.
    fn streams(&self) -> bool {
        false
    }

    /// Whether it carries messages to single people by their mail addresses.
    fn reaches_people(&self) -> bool {
        false
    }

    /// A notifier with these settings, secrets among them.
    fn open(&self, settings: Settings) -> Result<Arc<dyn Notifier>, SettingsFault>;
}

/// Carries messages to one place.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends one message. `Ok` means that the receiver took it.
    async fn send(&self, message: &Message) -> Result<(), NotifyError>;

    /// Sends several in their order. Gives how many the receiver took for certain, and why no more.
    async fn stream(&self, messages: &[Message]) -> (usize, Option<NotifyError>) {
        for (count, message) in messages.iter().enumerate() {
            if let Err(error) = self.send(message).await {
                return (count, Some(error));
            }
        }
        (messages.len(), None)
    }
}

/// How a kind's texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    Plain,
    /// Slack's: `&`, `<` and `>` are escaped, and nothing becomes a mention.
    Mrkdwn,
    /// What Adaptive Cards show: links and emphasis of values are not taken for such.
    Markdown,
    /// The text is one JSON value; what is put in becomes JSON.
    Json,
}

/// Templates of a kind. A kind without a text sends the event itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub subject: Option<&'static str>,
    pub text: Option<&'static str>,
    /// For mails, always escaped as HTML.
    pub html: Option<&'static str>,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// The same for all attempts: what a receiver knows a repeat by.
    pub id: String,
    pub event: Event,
    pub severity: Severity,
    /// Where the event stands in the log, where it stands there.
    pub position: Option<i64>,
    /// In one line, where the kind has subjects.
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    /// Mail addresses beside those of the channel.
    pub recipients: Vec<String>,
    /// Whether only `recipients` get it.
    pub private: bool,
    /// When it is sent.
    pub now: Timestamp,
}

/// What is wrong with a channel's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsFault(pub String);

/// Why a message was not taken. The texts are for operators and hold nothing that the receiver
/// wrote but its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Another try may do.
    #[error("{reason}")]
    Unavailable {
        reason: String,
        /// What the receiver asked to wait.
        retry_after: Option<Duration>,
    },
    /// Another try will not do.
    #[error("{0}")]
    Refused(String),
}

impl NotifyError {
    /// Another try may do.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            retry_after: None,
        }
    }
}
