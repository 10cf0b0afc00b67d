//! What incoming webhooks of chat services have in common: a secret URL that takes JSON.

use bytes::Bytes;
use domain::notification::channel::Settings;
use domain::notification::notifier::{Message, NotifyError, SettingsFault};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{DEADLINE, settings, wire};
use crate::net::trust::verifying_client;
use crate::net::{Dialer, GuardedPost};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatSettings {
    /// Whoever knows it can write there.
    url: SecretString,
    /// Roots to trust, PEM.
    ca: Option<String>,
}

/// One incoming webhook.
pub(super) struct Incoming {
    url: Url,
    client: GuardedPost,
}

impl Incoming {
    pub(super) fn open(dialer: &Dialer, given: Settings) -> Result<Self, SettingsFault> {
        let read: ChatSettings = settings::read(given)?;
        let tls = verifying_client(read.ca.as_deref(), None, &[b"http/1.1"])
            .map_err(|error| SettingsFault(error.to_string()))?;
        Ok(Self {
            url: settings::url("url", read.url.expose_secret(), true)?,
            client: GuardedPost::new(dialer.clone(), tls, DEADLINE),
        })
    }

    pub(super) async fn send(&self, body: &Value) -> Result<(), NotifyError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let posted = self
            .client
            .post(&self.url, headers, Bytes::from(body.to_string()))
            .await
            .map_err(|error| wire::unreachable(&error))?;
        wire::judge(self.url.host_str().unwrap_or_default(), &posted)
    }
}

/// Heading and text of a message; an empty text has nothing to say.
pub(super) fn words(message: &Message) -> (&str, &str) {
    let text = message.text.as_deref().unwrap_or_default();
    let subject = message.subject.as_deref();
    (subject.unwrap_or(&message.event.name), text)
}

/// At most so many characters, the end cut off.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
