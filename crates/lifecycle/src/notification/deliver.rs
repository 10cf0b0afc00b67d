//! Deliveries are sent: several at once over a channel, one at a time for each object, at least once
//! and after a crash once more at most.

use std::sync::Arc;

use domain::event::Event;
use domain::notification::channel::Channel;
use domain::notification::delivery::{Delivery, DeliveryState, retry_after};
use domain::notification::notifier::{Notifier, NotifyError};
use futures::future::join_all;
use serde_json::json;
use store::StoreError;
use store::jobs::Lease;

use super::channels::ChannelError;
use super::message::Envelope;
use crate::Lifecycle;
use crate::actor::Caller;

/// Over one channel at once.
const AT_ONCE: u32 = 8;

impl Lifecycle {
    /// Whether something is to be sent over a channel now.
    pub(super) async fn has_due_deliveries(
        &self,
        channel: &domain::id::ChannelId,
    ) -> Result<bool, StoreError> {
        let (channel, now) = (channel.clone(), self.now());
        self.store
            .read("delivery.due", |tx| {
                Box::pin(async move { tx.has_due_deliveries(&channel, now).await })
            })
            .await
    }

    /// Sends what is due over a channel until nothing is.
    pub(super) async fn deliver(&self, channel: &Channel) -> Result<(), StoreError> {
        let notifier = self.open_channel(channel);
        loop {
            let now = self.now();
            let lease = self.lease(now);
            let (id, claim) = (channel.id.clone(), lease.clone());
            let claimed = self
                .store
                .write("delivery.claim", move |tx| {
                    Box::pin(async move { tx.claim_deliveries(&id, now, &claim, AT_ONCE).await })
                })
                .await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let attempts = claimed
                .into_iter()
                .map(|delivery| self.attempt(channel, &notifier, delivery));
            let settled = join_all(attempts).await;
            self.settle(channel, settled, lease).await?;
        }
    }

    /// Tries once, and gives the delivery as it stands afterwards.
    async fn attempt(
        &self,
        channel: &Channel,
        notifier: &Result<Arc<dyn Notifier>, ChannelError>,
        mut delivery: Delivery,
    ) -> Delivery {
        let sent = self.send_delivery(channel, notifier, &delivery).await;
        let now = self.now();
        delivery.updated_at = now;
        let outcome = match sent {
            Ok(()) => {
                delivery.state = DeliveryState::Delivered;
                delivery.last_error = None;
                "delivered"
            }
            Err(error) => {
                delivery.attempts += 1;
                let wait = match &error {
                    NotifyError::Unavailable {
                        retry_after: asked, ..
                    } => retry_after(delivery.attempts, *asked),
                    NotifyError::Refused(_) => None,
                };
                match wait {
                    Some(wait) => delivery.next_at = now + wait,
                    None => delivery.state = DeliveryState::Dead,
                }
                delivery.last_error = Some(error.to_string());
                "failed"
            }
        };
        metrics::counter!("certwright_notifications_total",
            "channel" => channel.name.clone(), "outcome" => outcome)
        .increment(1);
        delivery
    }

    async fn send_delivery(
        &self,
        channel: &Channel,
        notifier: &Result<Arc<dyn Notifier>, ChannelError>,
        delivery: &Delivery,
    ) -> Result<(), NotifyError> {
        let notifier = match notifier {
            Ok(notifier) => notifier,
            Err(error) => return Err(NotifyError::unavailable(error.to_string())),
        };
        let event_id = delivery.event_id.clone();
        let event = self
            .store
            .read("event.find", |tx| {
                Box::pin(async move { tx.find_event(&event_id).await })
            })
            .await
            .map_err(|error: StoreError| NotifyError::unavailable(error.to_string()))?
            .ok_or_else(|| NotifyError::Refused("its event is gone".to_owned()))?;
        let link = self
            .link_for(&event, &delivery.recipient)
            .await
            .map_err(|error| NotifyError::unavailable(error.to_string()))?;
        let envelope = Envelope {
            link,
            recipients: delivery.addresses.clone(),
            private: !delivery.recipient.is_empty(),
            ..Envelope::open(delivery.id.to_string(), Some(delivery.position))
        };
        let refused = |error: &dyn std::fmt::Display| NotifyError::Refused(error.to_string());
        let kind = self.kind(&channel.kind).map_err(|error| refused(&error))?;
        let message = self
            .message(&*kind, channel, event, envelope)
            .map_err(|error| refused(&error))?;
        notifier.send(&message).await
    }

    async fn settle(
        &self,
        channel: &Channel,
        settled: Vec<Delivery>,
        lease: Lease,
    ) -> Result<(), StoreError> {
        let given_up: Vec<(Delivery, Event)> = settled
            .iter()
            .filter(|delivery| delivery.state == DeliveryState::Dead)
            .map(|delivery| (delivery.clone(), self.given_up(channel, delivery)))
            .collect();
        self.store
            .write("delivery.settle", move |tx| {
                Box::pin(async move {
                    for delivery in &settled {
                        tx.settle_delivery(delivery, &lease).await?;
                    }
                    for (delivery, event) in &given_up {
                        // That a notice of this sort was given up is told to nobody, or two broken
                        // channels would tell each other for ever.
                        let told = tx.find_event(&delivery.event_id).await?;
                        if told.is_some_and(|told| told.name != event.name) {
                            tx.insert_event(event).await?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }

    fn given_up(&self, channel: &Channel, delivery: &Delivery) -> Event {
        tracing::warn!(channel = channel.name, delivery.id = %delivery.id, error = delivery.last_error, "notification given up");
        self.event(
            &Caller::system(),
            "notification.failed",
            channel.id.as_str(),
            json!({
                "channel": channel.name,
                "delivery": delivery.id,
                "event": delivery.event_id,
                "reason": delivery.last_error,
                "attempts": delivery.attempts,
            }),
        )
    }
}
