//! Slack: an incoming webhook (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use std::sync::Arc;

use async_trait::async_trait;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault, Words,
};
use serde_json::{Value, json};

use super::chat::{Incoming, shortened, words};
use crate::net::Dialer;

/// The kind `slack`.
pub struct Slack {
    dialer: Dialer,
}

impl Slack {
    /// The kind, dialling through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }
}

impl NotifierKind for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn summary(&self) -> &'static str {
        "writes to a Slack channel by its incoming webhook"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["url"]
    }

    fn destination(&self) -> &'static [&'static str] {
        &["ca"]
    }

    fn format(&self) -> Format {
        Format::Mrkdwn
    }

    fn words(&self) -> Words {
        Words {
            subject: Some(include_str!("words/chat.subject.txt")),
            text: Some(include_str!("words/slack.txt")),
            html: None,
        }
    }

    fn open(&self, settings: Settings) -> Result<Arc<dyn Notifier>, SettingsFault> {
        let incoming = Incoming::open(&self.dialer, settings)?;
        Ok(Arc::new(SlackNotifier(incoming)))
    }
}

struct SlackNotifier(Incoming);

#[async_trait]
impl Notifier for SlackNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        self.0.send(&body(message)).await
    }
}

fn body(message: &Message) -> Value {
    let (subject, text) = words(message);
    let mut blocks = vec![section(&format!("*{subject}*"))];
    if !text.trim().is_empty() {
        blocks.push(section(text));
    }
    // What stands alone in notifications of the operating system.
    json!({ "text": shortened(subject, MOST), "blocks": blocks })
}

fn section(text: &str) -> Value {
    let text = shortened(text, MOST);
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

/// Slack takes 3000 characters in a section.
const MOST: usize = 2900;
