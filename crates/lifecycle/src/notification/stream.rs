//! A stream: the whole event log, in its order, over one channel. Nothing is skipped or given up;
//! what the receiver does not take is offered again, later and later.

use domain::id::ChannelId;
use domain::notification::channel::Channel;
use domain::notification::delivery::stream_retry_after;
use domain::notification::notifier::{Message, NotifyError};
use store::StoreError;
use store::notification::cursors::Cursor;

use super::message::Envelope;
use crate::Lifecycle;

const PAGE: u32 = 200;

impl Lifecycle {
    /// Whether there is something in the log that a channel was not offered, and it is time to.
    pub(super) async fn stream_is_behind(&self, channel: &ChannelId) -> Result<bool, StoreError> {
        let (channel, now) = (channel.clone(), self.now());
        self.store
            .read("stream.behind", |tx| {
                Box::pin(async move {
                    let Some(cursor) = tx.find_cursor(channel.as_str()).await? else {
                        return Ok::<_, StoreError>(false);
                    };
                    let (end, _) = tx.chain_end().await?;
                    Ok(cursor.position < end && cursor.is_due(now))
                })
            })
            .await
    }

    /// Sends the log from where the channel stands to its end.
    pub(super) async fn stream_log(&self, channel: &Channel) -> Result<(), StoreError> {
        loop {
            let now = self.now();
            let lease = self.lease(now);
            let (name, claim) = (channel.id.to_string(), lease.clone());
            let claimed = self
                .store
                .write("stream.claim", move |tx| {
                    Box::pin(async move { tx.claim_cursor(&name, now, &claim).await })
                })
                .await?;
            let Some(cursor) = claimed else {
                return Ok(());
            };
            let (cursor, more) = self.stream_page(channel, cursor).await?;
            let name = channel.id.to_string();
            self.store
                .write("stream.release", move |tx| {
                    Box::pin(async move { tx.release_cursor(&name, &lease, &cursor).await })
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Offers a page, and gives the cursor behind what was taken. Says whether there may be more.
    async fn stream_page(
        &self,
        channel: &Channel,
        mut cursor: Cursor,
    ) -> Result<(Cursor, bool), StoreError> {
        let events = self.sealed_events(cursor.position, PAGE).await?;
        let full = events.len() == PAGE as usize;
        let positions: Vec<i64> = events.iter().map(|sealed| sealed.position).collect();
        let mut messages = Vec::with_capacity(events.len());
        let mut fault = None;
        for sealed in events {
            let id = sealed.event.id.to_string();
            let envelope = Envelope::open(id, Some(sealed.position));
            let made = self
                .kind(&channel.kind)
                .map_err(|error| error.to_string())
                .and_then(|kind| {
                    self.message(&*kind, channel, sealed.event, envelope)
                        .map_err(|error| error.to_string())
                });
            match made {
                Ok(message) => messages.push(message),
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        let (taken, error) = self.offer(channel, &messages).await;
        let error = error.map(|error| error.to_string()).or(fault);
        if let Some(last) = taken.checked_sub(1).and_then(|last| positions.get(last)) {
            cursor.position = *last;
            cursor.attempts = 0;
        }
        cursor.next_at = self.now();
        if let Some(error) = &error {
            cursor.attempts = cursor.attempts.saturating_add(1);
            cursor.next_at = self.now() + stream_retry_after(cursor.attempts);
            tracing::warn!(
                channel = channel.name,
                error,
                "the stream of the event log is held up"
            );
        }
        let more = full && error.is_none();
        cursor.last_error = error;
        Ok((cursor, more))
    }

    async fn offer(&self, channel: &Channel, messages: &[Message]) -> (usize, Option<NotifyError>) {
        if messages.is_empty() {
            return (0, None);
        }
        match self.open_channel(channel) {
            Ok(notifier) => notifier.stream(messages).await,
            Err(error) => (0, Some(NotifyError::unavailable(error.to_string()))),
        }
    }
}
