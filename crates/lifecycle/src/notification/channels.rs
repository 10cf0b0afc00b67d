//! Channels: made, changed, tried out, deleted.

use std::sync::Arc;

use domain::id::ChannelId;
use domain::keystore::KeyStoreError;
use domain::notification::channel::{
    Channel, ChannelSpec, Settings, StreamFrom, Template, is_name,
};
use domain::notification::notifier::{Notifier, NotifierKind, NotifyError, SettingsFault};
use pki::time::Timestamp;
use serde_json::{Value, json};
use store::{StoreError, Tx};
use zeroize::Zeroizing;

use super::message::{Envelope, Rendered, texts};
use super::template::{self, Place, TemplateFault};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::{Expected, version_after};

/// What a channel is to be. Settings may hold secrets; those that are left out stay as they are.
#[derive(Clone)]
pub struct ChannelChange {
    pub kind: String,
    pub enabled: bool,
    pub settings: Settings,
    pub template: Template,
    pub stream: Option<StreamFrom>,
}

/// Why a channel stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("`{0}` is no name: lower-case letters, digits and hyphens, at most 63")]
    BadName(String),
    #[error("there is no kind of channel `{kind}`; there are {known}")]
    UnknownKind { kind: String, known: String },
    #[error("the kind of a channel does not change; make another channel")]
    KindChanges,
    #[error("a channel of the kind `{0}` cannot carry the event log; webhook and syslog can")]
    NoStream(String),
    #[error(transparent)]
    Settings(#[from] SettingsFault),
    #[error(
        "the channel would send to another place than before, so its secrets have to be given again: \
         {}", .0.join(", ")
    )]
    SecretsNeeded(Vec<String>),
    #[error("the template cannot be used: {0}")]
    Template(#[from] TemplateFault),
    #[error("the channel was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error("rules send to this channel: {}; change them first", .0.join(", "))]
    InUse(Vec<String>),
    #[error("there is no notification channel `{0}`")]
    Unknown(String),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// All channels by name.
    pub async fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        self.store
            .scan("channel.list", |tx| {
                Box::pin(async move { tx.list_channels().await })
            })
            .await
    }

    /// The channel with that name.
    pub async fn channel(&self, name: &str) -> Result<Option<Channel>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("channel.find", |tx| {
                Box::pin(async move { tx.find_channel(&name).await })
            })
            .await
    }

    /// Makes a channel, or changes the one with that name, if it is as expected. Nothing is sent.
    pub async fn put_channel(
        &self,
        name: String,
        change: ChannelChange,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Channel, ChannelError> {
        let kind = self.check_channel(&name, &change)?;
        let known = self.channel(&name).await?;
        if !expected.agrees(known.as_ref().map(|channel| &channel.updated_at)) {
            return Err(ChannelError::Changed);
        }
        let fresh = self.channel_of(name, change, &*kind, known.as_ref())?;
        let event = self.event(
            caller,
            match known {
                None => "channel.created",
                Some(_) => "channel.changed",
            },
            fresh.id.as_str(),
            json!({
                "name": fresh.name,
                "before": known.as_ref().map(|known| &known.spec),
                "after": fresh.spec,
            }),
        );
        let stored = fresh.clone();
        let now = self.now();
        self.store
            .write("channel.put", move |tx| {
                Box::pin(async move {
                    store_channel(tx, &stored, known.as_ref(), now).await?;
                    Ok::<_, ChannelError>(tx.insert_event(&event).await?)
                })
            })
            .await?;
        self.jobs.notify();
        Ok(fresh)
    }

    /// Deletes a channel that no rule sends to, with what waits on it. Says whether it was there.
    pub async fn delete_channel(&self, name: &str, caller: &Caller) -> Result<bool, ChannelError> {
        let Some(channel) = self.channel(name).await? else {
            return Ok(false);
        };
        let data = json!({ "name": channel.name, "before": channel.spec, "after": null });
        let event = self.event(caller, "channel.deleted", channel.id.as_str(), data);
        self.store
            .write("channel.delete", move |tx| {
                Box::pin(async move {
                    let rules = tx.list_notification_rules().await?;
                    let users: Vec<String> = rules
                        .into_iter()
                        .filter(|rule| rule.spec.channels.contains(&channel.name))
                        .map(|rule| rule.name)
                        .collect();
                    if !users.is_empty() {
                        return Err(ChannelError::InUse(users));
                    }
                    let deleted = tx.delete_channel(&channel.id).await?;
                    if deleted {
                        tx.insert_event(&event).await?;
                    }
                    Ok(deleted)
                })
            })
            .await
    }

    /// Sends a message over a channel at once, enabled or not, and says what became of it.
    pub async fn test_channel(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<Result<(), NotifyError>, ChannelError> {
        let channel = self
            .channel(name)
            .await?
            .ok_or_else(|| ChannelError::Unknown(name.to_owned()))?;
        let data = json!({ "name": channel.name });
        let event = self.event(caller, "channel.tested", channel.id.as_str(), data);
        let written = event.clone();
        self.store
            .write("channel.test", move |tx| {
                Box::pin(async move { tx.insert_event(&written).await })
            })
            .await?;
        let kind = self.kind(&channel.kind)?;
        let notifier = self.open_channel(&channel)?;
        let envelope = Envelope::open(event.id.to_string(), None);
        let message = self.message(&*kind, &channel, event, envelope)?;
        Ok(notifier.send(&message).await)
    }

    /// What a channel of that kind would send of the sample event with that name, or of the first.
    pub fn preview(
        &self,
        kind: &str,
        template: &Template,
        event: Option<domain::event::Event>,
    ) -> Result<Rendered, ChannelError> {
        let kind = self.kind(kind)?;
        check_template(&*kind, template)?;
        let sample = || template::samples().swap_remove(0);
        let event = event.unwrap_or_else(sample);
        let subject = template::Subject {
            server: &self.settings.public_url,
            ..template::sample_subject(&event)
        };
        Ok(texts(&*kind, template, &subject)?)
    }

    /// The kind of that name.
    pub(super) fn kind(&self, name: &str) -> Result<Arc<dyn NotifierKind>, ChannelError> {
        let found = self.notifiers.kinds.get(name).cloned();
        found.ok_or_else(|| ChannelError::UnknownKind {
            kind: name.chars().take(64).collect(),
            known: self
                .notifiers
                .kinds
                .keys()
                .copied()
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// The notifier of a channel, with its secrets.
    pub(super) fn open_channel(
        &self,
        channel: &Channel,
    ) -> Result<Arc<dyn Notifier>, ChannelError> {
        let kind = self.kind(&channel.kind)?;
        let mut settings = channel.spec.settings.clone();
        settings.extend(self.secrets_of(channel)?);
        Ok(kind.open(settings)?)
    }

    fn check_channel(
        &self,
        name: &str,
        change: &ChannelChange,
    ) -> Result<Arc<dyn NotifierKind>, ChannelError> {
        if !is_name(name) {
            return Err(ChannelError::BadName(name.chars().take(80).collect()));
        }
        let kind = self.kind(&change.kind)?;
        if change.stream.is_some() && !kind.streams() {
            return Err(ChannelError::NoStream(change.kind.clone()));
        }
        check_template(&*kind, &change.template)?;
        Ok(kind)
    }

    fn channel_of(
        &self,
        name: String,
        change: ChannelChange,
        kind: &dyn NotifierKind,
        known: Option<&Channel>,
    ) -> Result<Channel, ChannelError> {
        if known.is_some_and(|known| known.kind != change.kind) {
            return Err(ChannelError::KindChanges);
        }
        let (settings, given) = part(change.settings, kind.secrets());
        let kept = match known {
            None => Settings::new(),
            Some(known) => self.secrets_of(known)?,
        };
        if let Some(known) = known
            && moves(kind, &known.spec.settings, &settings)
        {
            let missing: Vec<String> = kept
                .keys()
                .filter(|name| !given.contains_key(*name))
                .cloned()
                .collect();
            if !missing.is_empty() {
                return Err(ChannelError::SecretsNeeded(missing));
            }
        }
        let mut secrets = kept;
        secrets.extend(given);
        secrets.retain(|_, value| !value.is_null());
        // What cannot be opened now could not be opened later.
        let mut all = settings.clone();
        all.extend(secrets.clone());
        kind.open(all)?;
        let now = self.now();
        let id = match known {
            Some(known) => known.id.clone(),
            None => ChannelId::mint(now, &*self.random),
        };
        Ok(Channel {
            kind: change.kind,
            spec: ChannelSpec {
                enabled: change.enabled,
                settings,
                secrets: secrets.keys().cloned().collect(),
                template: change.template,
                stream: change.stream,
            },
            sealed_secrets: self.seal_secrets(&id, &secrets),
            created_at: known.map_or(now, |known| known.created_at),
            updated_at: known.map_or(now, |known| version_after(known.updated_at, now)),
            name,
            id,
        })
    }

    fn seal_secrets(&self, id: &ChannelId, secrets: &Settings) -> Option<String> {
        if secrets.is_empty() {
            return None;
        }
        let text = Zeroizing::new(Value::Object(secrets.clone()).to_string());
        Some(self.sealer.seal(&seal_context(id), text.as_bytes()))
    }

    fn secrets_of(&self, channel: &Channel) -> Result<Settings, ChannelError> {
        let Some(sealed) = &channel.sealed_secrets else {
            return Ok(Settings::new());
        };
        let opened = self.sealer.open(&seal_context(&channel.id), sealed)?;
        serde_json::from_slice(&opened).map_err(|_| {
            ChannelError::Store(StoreError::Corrupt {
                cause: format!("the secrets of the channel `{}` are no JSON", channel.name),
            })
        })
    }
}

/// Writes the channel. A stream begins where it was asked to, and once begun goes on where it was.
async fn store_channel(
    tx: &mut Tx<'_>,
    channel: &Channel,
    known: Option<&Channel>,
    now: Timestamp,
) -> Result<(), ChannelError> {
    let stored = tx.find_channel(&channel.name).await?;
    let unchanged =
        stored.as_ref().map(|stored| stored.updated_at) == known.map(|known| known.updated_at);
    if !unchanged {
        return Err(ChannelError::Changed);
    }
    match known {
        None => tx.insert_channel(channel).await?,
        Some(_) => {
            tx.update_channel(channel).await?;
        }
    }
    let name = channel.id.as_str();
    if let Some(from) = channel.spec.stream
        && (known.is_none_or(|known| known.spec.stream.is_none())
            || tx.find_cursor(name).await?.is_none())
    {
        let position = match from {
            StreamFrom::Beginning => 0,
            StreamFrom::Now => tx.chain_end().await?.0,
        };
        tx.set_cursor(name, position, now).await?;
    }
    Ok(())
}

fn check_template(kind: &dyn NotifierKind, template: &Template) -> Result<(), TemplateFault> {
    let format = kind.format();
    for (place, source) in [
        (Place::Subject(format), &template.subject),
        (Place::Text(format), &template.text),
        (Place::Html, &template.html),
    ] {
        if let Some(source) = source {
            template::check(place, source)?;
        }
    }
    Ok(())
}

/// Settings without secrets, and the secrets.
fn part(settings: Settings, names: &[&str]) -> (Settings, Settings) {
    settings
        .into_iter()
        .partition(|(name, _)| !names.contains(&name.as_str()))
}

/// Whether messages would go elsewhere.
fn moves(kind: &dyn NotifierKind, before: &Settings, after: &Settings) -> bool {
    kind.destination()
        .iter()
        .any(|name| before.get(*name) != after.get(*name))
}

fn seal_context(id: &ChannelId) -> String {
    format!("notification_channels/{id}")
}
