//! Telling people and programs what happened: channels and rules, deliveries, and the watch over
//! certificates' ends.
//!
//! The sealed event log is the outbox. [`dispatch`] reads it behind a cursor and makes deliveries of
//! what rules choose; [`deliver`] sends them, with retries, in order for each object; [`stream`]
//! carries the whole log. [`expiry`] adds events of its own: what ends without a successor.

pub mod alerts;
pub mod channels;
mod deliver;
pub mod deliveries;
mod dispatch;
mod expiry;
mod incidents;
mod message;
mod people;
pub mod rules;
mod stream;
pub mod template;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use domain::id::ChannelId;
use domain::notification::channel::Channel;
use domain::notification::notifier::NotifierKind;
use domain::notification::rule::Rule;
use domain::team::Team;
use parking_lot::Mutex;
use store::StoreError;

use crate::Lifecycle;

/// The kinds of channels there are, and the channels that this process is sending over.
pub(crate) struct Notifiers {
    kinds: BTreeMap<&'static str, Arc<dyn NotifierKind>>,
    busy: Mutex<HashSet<ChannelId>>,
}

impl Notifiers {
    pub(crate) fn new(kinds: Vec<Arc<dyn NotifierKind>>) -> Self {
        Self {
            kinds: kinds.into_iter().map(|kind| (kind.name(), kind)).collect(),
            busy: Mutex::default(),
        }
    }

    /// One runner for each channel is enough; it is done when the guard is dropped.
    fn begin(self: &Arc<Self>, channel: &ChannelId) -> Option<Busy> {
        let began = self.busy.lock().insert(channel.clone());
        began.then(|| Busy {
            notifiers: Arc::clone(self),
            channel: channel.clone(),
        })
    }
}

/// While it lives no other runner of its channel begins.
struct Busy {
    notifiers: Arc<Notifiers>,
    channel: ChannelId,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.notifiers.busy.lock().remove(&self.channel);
    }
}

/// Rules name teams as people do; events name them by their ids.
fn name_teams(rules: &mut [Rule], teams: &[Team]) {
    for named in rules.iter_mut().flat_map(|rule| &mut rule.spec.teams) {
        if let Some(team) = teams.iter().find(|team| team.name == *named) {
            *named = team.id.to_string();
        }
    }
}

/// Channels and rules as they are now.
struct Setup {
    channels: Vec<Channel>,
    rules: Vec<Rule>,
}

impl Lifecycle {
    /// Every kind of channel.
    pub fn channel_kinds(&self) -> impl Iterator<Item = &Arc<dyn NotifierKind>> {
        self.notifiers.kinds.values()
    }

    /// Makes deliveries of what happened, and begins to send what is due. Says whether there may be
    /// more to read at once; what is sent goes on by itself.
    pub(crate) async fn notify(self: &Arc<Self>) -> Result<bool, StoreError> {
        let setup = self
            .store
            .read("notification.setup", |tx| {
                Box::pin(async move {
                    let channels = tx.list_channels().await?;
                    let mut rules = match channels.is_empty() {
                        true => Vec::new(),
                        false => tx.list_notification_rules().await?,
                    };
                    if rules.iter().any(|rule| !rule.spec.teams.is_empty()) {
                        name_teams(&mut rules, &tx.list_teams().await?);
                    }
                    Ok::<_, StoreError>(Setup { channels, rules })
                })
            })
            .await?;
        if setup.channels.is_empty() {
            return Ok(false);
        }
        let more = self.dispatch_events(&setup).await?;
        for channel in setup.channels {
            if channel.spec.enabled {
                self.begin_sending(channel).await?;
            }
        }
        Ok(more)
    }

    async fn begin_sending(self: &Arc<Self>, channel: Channel) -> Result<(), StoreError> {
        let deliveries = self.has_due_deliveries(&channel.id).await?;
        let stream = channel.spec.stream.is_some() && self.stream_is_behind(&channel.id).await?;
        if !deliveries && !stream {
            return Ok(());
        }
        let Some(busy) = self.notifiers.begin(&channel.id) else {
            return Ok(());
        };
        let lifecycle = Arc::clone(self);
        self.tasks.spawn(async move {
            let _busy = busy;
            let sent = lifecycle.send_due(&channel, deliveries, stream).await;
            if let Err(error) = sent {
                tracing::error!(channel = channel.name, error = %error, "notifications not sent; they are tried again");
            }
        });
        Ok(())
    }

    async fn send_due(
        &self,
        channel: &Channel,
        deliveries: bool,
        stream: bool,
    ) -> Result<(), StoreError> {
        if deliveries {
            self.deliver(channel).await?;
        }
        if stream {
            self.stream_log(channel).await?;
        }
        Ok(())
    }
}
