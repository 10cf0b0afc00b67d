//! Generic webhook: the event as JSON, signed as the Standard Webhooks specification says
//! (<https://www.standardwebhooks.com>): `webhook-id`, `webhook-timestamp`, `webhook-signature`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::notification::channel::Settings;
use domain::notification::notifier::{
    Format, Message, Notifier, NotifierKind, NotifyError, SettingsFault,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::{DEADLINE, settings, wire};
use crate::net::trust::verifying_client;
use crate::net::{Dialer, GuardedPost};

/// The kind `webhook`.
pub struct Webhook {
    dialer: Dialer,
}

impl Webhook {
    /// The kind, dialling through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSettings {
    url: String,
    /// What messages are signed with: text, or `whsec_` and base64.
    secret: SecretString,
    /// The header `Authorization`, as it is.
    authorization: Option<SecretString>,
    /// Roots to trust, PEM.
    ca: Option<String>,
}

impl NotifierKind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn summary(&self) -> &'static str {
        "posts the event as JSON, signed with a shared secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["secret", "authorization"]
    }

    fn destination(&self) -> &'static [&'static str] {
        &["url", "ca"]
    }

    fn format(&self) -> Format {
        Format::Json
    }

    fn streams(&self) -> bool {
        true
    }

    fn open(&self, given: Settings) -> Result<Arc<dyn Notifier>, SettingsFault> {
        let read: WebhookSettings = settings::read(given)?;
        let tls = verifying_client(read.ca.as_deref(), None, &[b"http/1.1"])
            .map_err(|error| SettingsFault(error.to_string()))?;
        let authorization = match &read.authorization {
            None => None,
            Some(text) => {
                let value = HeaderValue::from_str(text.expose_secret());
                let fault = |_| SettingsFault("`authorization` is no header value".to_owned());
                let mut value = value.map_err(fault)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Arc::new(WebhookNotifier {
            url: settings::url("url", &read.url, authorization.is_some())?,
            key: signing_key(&read.secret)?,
            authorization,
            client: GuardedPost::new(self.dialer.clone(), tls, DEADLINE),
        }))
    }
}

fn signing_key(secret: &SecretString) -> Result<hmac::Key, SettingsFault> {
    let text = secret.expose_secret();
    let octets = Zeroizing::new(match text.strip_prefix("whsec_") {
        None => text.as_bytes().to_vec(),
        Some(encoded) => STANDARD
            .decode(encoded)
            .map_err(|_| SettingsFault("`secret` is no base64 behind `whsec_`".to_owned()))?,
    });
    if octets.len() < SHORTEST_SECRET {
        return Err(SettingsFault(format!(
            "`secret` must have at least {SHORTEST_SECRET} octets; `openssl rand -base64 32` makes \
             a good one"
        )));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &octets))
}

const SHORTEST_SECRET: usize = 24;

struct WebhookNotifier {
    url: Url,
    key: hmac::Key,
    authorization: Option<HeaderValue>,
    client: GuardedPost,
}

#[async_trait]
impl Notifier for WebhookNotifier {
    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let body = match &message.text {
            Some(text) => text.clone().into_bytes(),
            None => serde_json::to_vec(&wire::event(message)?)
                .map_err(|error| NotifyError::Refused(error.to_string()))?,
        };
        let headers = self.headers(message, &body)?;
        let posted = self
            .client
            .post(&self.url, headers, Bytes::from(body))
            .await
            .map_err(|error| wire::unreachable(&error))?;
        wire::judge(self.url.host_str().unwrap_or_default(), &posted)
    }
}

impl WebhookNotifier {
    fn headers(&self, message: &Message, body: &[u8]) -> Result<HeaderMap, NotifyError> {
        let timestamp = message.now.seconds();
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| NotifyError::Refused("a header cannot be written".to_owned()))
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ID, value(&message.id)?);
        headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
        headers.insert(
            SIGNATURE,
            value(&signature(&self.key, &message.id, timestamp, body))?,
        );
        headers.insert(EVENT, value(&message.event.name)?);
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(headers)
    }
}

/// `v1,` and base64 of HMAC-SHA-256 over id, timestamp and body with dots between them.
fn signature(key: &hmac::Key, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const EVENT: HeaderName = HeaderName::from_static("certwright-event");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // From the specification's own example.
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = signing_key(&secret).unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn short_or_broken_secrets_are_refused() {
        for secret in ["", "short", "whsec_!", "whsec_c2hvcnQ="] {
            assert!(
                signing_key(&SecretString::from(secret)).is_err(),
                "{secret}"
            );
        }
    }
}
