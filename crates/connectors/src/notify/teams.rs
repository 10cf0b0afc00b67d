//! Microsoft Teams: a webhook of the Workflows app, which takes an Adaptive Card.

use std::sync::Arc;

use async_trait::async_trait;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault, Words,
};
use domain::notification::severity::Severity;
use serde_json::{Value, json};

use super::chat::{Incoming, shortened, words};
use crate::net::Dialer;

/// The kind `teams`.
pub struct Teams {
    dialer: Dialer,
}

impl Teams {
    /// The kind, dialling through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }
}

impl NotifierKind for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn summary(&self) -> &'static str {
        "writes to a Microsoft Teams channel by a webhook of its Workflows app"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["url"]
    }

    fn destination(&self) -> &'static [&'static str] {
        &["ca"]
    }

    fn format(&self) -> Format {
        Format::Markdown
    }

    fn words(&self) -> Words {
        Words {
            subject: Some(include_str!("words/chat.subject.txt")),
            text: Some(include_str!("words/teams.txt")),
            html: None,
        }
    }

    fn open(&self, settings: Settings) -> Result<Arc<dyn Notifier>, SettingsFault> {
        let incoming = Incoming::open(&self.dialer, settings)?;
        Ok(Arc::new(TeamsNotifier(incoming)))
    }
}

struct TeamsNotifier(Incoming);

#[async_trait]
impl Notifier for TeamsNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        self.0.send(&body(message)).await
    }
}

fn body(message: &Message) -> Value {
    let (subject, text) = words(message);
    let colour = match message.severity {
        Severity::Info | Severity::Notice => "default",
        Severity::Warning => "warning",
        Severity::Critical => "attention",
    };
    let mut blocks = vec![json!({
        "type": "TextBlock", "text": shortened(subject, MOST), "wrap": true,
        "weight": "bolder", "size": "medium", "color": colour,
    })];
    // A card shows a new line for an empty one only.
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        blocks.push(json!({
            "type": "TextBlock", "text": shortened(line, MOST), "wrap": true, "spacing": "small",
        }));
    }
    blocks.truncate(MOST_BLOCKS);
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "body": blocks,
    });
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive", "content": card,
    });
    json!({ "type": "message", "attachments": [attachment] })
}

/// Teams takes 28 kB in a message.
const MOST: usize = 1000;
const MOST_BLOCKS: usize = 20;
