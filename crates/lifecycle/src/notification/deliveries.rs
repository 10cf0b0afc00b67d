//! Deliveries as operators see them: what is on its way, what was given up, and another try.

use domain::id::DeliveryId;
use domain::notification::delivery::Delivery;
use serde_json::json;
use store::StoreError;
use store::notification::cursors::Cursor;
use store::notification::deliveries::DeliveryFilter;

use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// Deliveries that fit the filter, newest first.
    pub async fn list_deliveries(
        &self,
        filter: DeliveryFilter,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.store
            .scan("delivery.list", move |tx| {
                Box::pin(async move { tx.list_deliveries(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// The delivery with that id.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let id = id.clone();
        self.store
            .read("delivery.find", |tx| {
                Box::pin(async move { tx.find_delivery(&id).await })
            })
            .await
    }

    /// Where the stream of a channel stands, if it is one.
    pub async fn stream_position(
        &self,
        channel: &domain::id::ChannelId,
    ) -> Result<Option<Cursor>, StoreError> {
        let channel = channel.clone();
        self.store
            .read("stream.find", |tx| {
                Box::pin(async move { tx.find_cursor(channel.as_str()).await })
            })
            .await
    }

    /// Sends a delivery again that was given up or had arrived. `None` if there is none of that id,
    /// `false` if it is on its way anyhow.
    pub async fn resend_delivery(
        &self,
        id: &DeliveryId,
        caller: &Caller,
    ) -> Result<Option<bool>, StoreError> {
        let now = self.now();
        let event = self.event(caller, "notification.resent", id.as_str(), json!({}));
        let id = id.clone();
        let resent = self
            .store
            .write("delivery.resend", move |tx| {
                Box::pin(async move {
                    if tx.find_delivery(&id).await?.is_none() {
                        return Ok::<_, StoreError>(None);
                    }
                    let resent = tx.resend_delivery(&id, now).await?;
                    if resent {
                        tx.insert_event(&event).await?;
                    }
                    Ok(Some(resent))
                })
            })
            .await?;
        self.jobs.notify();
        Ok(resent)
    }

    /// Sends everything again that a channel gave up, and answers how many; `None` if there is no
    /// such channel.
    pub async fn resend_all(
        &self,
        channel: &str,
        caller: &Caller,
    ) -> Result<Option<u64>, StoreError> {
        let Some(channel) = self.channel(channel).await? else {
            return Ok(None);
        };
        let now = self.now();
        let mut event = self.event(
            caller,
            "notification.resent",
            channel.id.as_str(),
            json!({}),
        );
        let resent = self
            .store
            .write("delivery.resend_all", move |tx| {
                Box::pin(async move {
                    let resent = tx.resend_dead_deliveries(&channel.id, now).await?;
                    if resent > 0 {
                        event.note("channel", &channel.name);
                        event.note("deliveries", resent);
                        tx.insert_event(&event).await?;
                    }
                    Ok::<_, StoreError>(resent)
                })
            })
            .await?;
        self.jobs.notify();
        Ok(Some(resent))
    }

    /// Forgets what was delivered long ago, and certificates that ended long ago.
    pub(crate) async fn clean_up_notifications(&self) -> Result<(), StoreError> {
        let (delivered, ended) = (self.now() - KEPT, self.now() - super::expiry::LOOKED_AT);
        loop {
            let deleted = self
                .store
                .write("delivery.clean_up", move |tx| {
                    Box::pin(async move {
                        let deliveries = tx.delete_delivered(delivered, BATCH).await?;
                        let watched = tx.forget_watched(ended, BATCH).await?;
                        Ok::<_, StoreError>(deliveries + watched)
                    })
                })
                .await?;
            if deleted == 0 {
                return Ok(());
            }
        }
    }
}

/// How long a delivery that arrived can be looked at.
const KEPT: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);
const BATCH: u32 = 500;
