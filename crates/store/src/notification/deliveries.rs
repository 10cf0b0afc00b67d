//! Deliveries: claimed for the time of a lease, in order for each object, kept until they are old.

use domain::id::{ChannelId, DeliveryId};
use domain::notification::delivery::{Delivery, DeliveryState};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::jobs::Lease;
use crate::list::List;
use crate::{Row, Sql, StoreError, Tx, params};

/// Which deliveries to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub channel: Option<ChannelId>,
    pub state: Option<DeliveryState>,
    pub object: Option<String>,
}

macro_rules! columns {
    () => {
        "id, channel_id, event_id, object, position, recipient, addresses, created_at, state, \
         attempts, next_at, last_error, updated_at"
    };
}

/// Due, nobody's, and nothing of the same object waits before it. No wait and no lease is of two
/// hours: a time further away was written by a clock that was set back since.
macro_rules! due {
    () => {
        "SELECT d.id FROM notification_deliveries AS d WHERE d.channel_id = $3 \
         AND d.state = 'waiting' AND (d.next_at <= $4 OR d.next_at > $4 + 7200000) \
         AND (d.lease_until IS NULL OR d.lease_until <= $4 OR d.lease_until > $4 + 7200000) \
         AND NOT EXISTS (SELECT 1 FROM notification_deliveries AS e \
         WHERE e.channel_id = d.channel_id AND e.object = d.object AND e.state = 'waiting' \
         AND e.recipient = d.recipient AND e.position < d.position) \
         ORDER BY d.next_at, d.id LIMIT $5"
    };
}

const CLAIM: Sql<'static> = Sql::each(
    concat!(
        "UPDATE notification_deliveries SET lease_owner = $1, lease_until = $2 WHERE id IN (",
        due!(),
        ") RETURNING ",
        columns!()
    ),
    concat!(
        "UPDATE notification_deliveries SET lease_owner = $1, lease_until = $2 WHERE id IN (",
        due!(),
        " FOR UPDATE OF d SKIP LOCKED) RETURNING ",
        columns!()
    ),
);

impl Tx<'_> {
    /// Adds deliveries; what is on its way or was delivered already stays as it is.
    pub async fn insert_deliveries(&mut self, deliveries: &[Delivery]) -> Result<u64, StoreError> {
        let sql = concat!(
            "INSERT INTO notification_deliveries (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (event_id, channel_id, recipient) DO NOTHING"
        );
        let mut sets = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            sets.push(vec![
                delivery.id.as_str().into(),
                delivery.channel_id.as_str().into(),
                delivery.event_id.as_str().into(),
                (&delivery.object).into(),
                delivery.position.into(),
                (&delivery.recipient).into(),
                json(&delivery.addresses)?.into(),
                delivery.created_at.into(),
                word(&delivery.state)?.into(),
                delivery.attempts.into(),
                delivery.next_at.into(),
                delivery.last_error.as_deref().into(),
                delivery.updated_at.into(),
            ]);
        }
        self.execute_each(sql, &sets).await
    }

    /// Whether there is something to send over a channel now.
    pub async fn has_due_deliveries(
        &mut self,
        channel: &ChannelId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM notification_deliveries WHERE channel_id = $1 \
                   AND state = 'waiting' AND (next_at <= $2 OR next_at > $2 + 7200000) \
                   AND (lease_until IS NULL OR lease_until <= $2 \
                   OR lease_until > $2 + 7200000) LIMIT 1";
        let rows = self.query(sql, params![channel.as_str(), now]).await?;
        Ok(!rows.is_empty())
    }

    /// Claims up to `limit` deliveries of a channel that are due.
    pub async fn claim_deliveries(
        &mut self,
        channel: &ChannelId,
        now: Timestamp,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let values = params![
            lease.owner.as_str(),
            lease.until,
            channel.as_str(),
            now,
            limit
        ];
        let rows = self.query(CLAIM, values).await?;
        let mut claimed: Vec<Delivery> = rows.iter().map(read).collect::<Result<_, _>>()?;
        claimed.sort_by_key(|delivery| delivery.position);
        Ok(claimed)
    }

    /// Writes how an attempt ended, where the delivery is still this node's.
    pub async fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        lease: &Lease,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE notification_deliveries SET lease_owner = NULL, lease_until = NULL, \
                   state = $3, attempts = $4, next_at = $5, last_error = $6, updated_at = $7 \
                   WHERE id = $1 AND lease_owner = $2";
        let values = params![
            delivery.id.as_str(),
            lease.owner.as_str(),
            word(&delivery.state)?,
            delivery.attempts,
            delivery.next_at,
            delivery.last_error.as_deref(),
            delivery.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The delivery with that id.
    pub async fn find_delivery(&mut self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_deliveries WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deliveries that fit the filter, newest first.
    pub async fn list_deliveries(
        &mut self,
        filter: &DeliveryFilter,
        after: Option<&DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let select = concat!("SELECT ", columns!(), " FROM notification_deliveries");
        let state = filter.state.as_ref().map(word).transpose()?;
        let (sql, values) = List::new(select)
            .and_if(
                "channel_id = ?",
                filter.channel.as_ref().map(ChannelId::as_str),
            )
            .and_if("state = ?", state)
            .and_if("object = ?", filter.object.as_deref())
            .and_if("id < ?", after.map(DeliveryId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Sends one that was given up, or delivered, off again; answers whether it was.
    pub async fn resend_delivery(
        &mut self,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE notification_deliveries SET state = 'waiting', attempts = 0, \
                   next_at = $2, updated_at = $2 WHERE id = $1 AND state <> 'waiting'";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Sends those of a channel that were given up off again, and answers how many.
    pub async fn resend_dead_deliveries(
        &mut self,
        channel: &ChannelId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE notification_deliveries SET state = 'waiting', attempts = 0, \
                   next_at = $2, updated_at = $2 WHERE channel_id = $1 AND state = 'dead'";
        self.execute(sql, params![channel.as_str(), now]).await
    }

    /// Forgets what was delivered before a time, up to `limit` at once.
    pub async fn delete_delivered(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM notification_deliveries WHERE id IN (SELECT id FROM \
                   notification_deliveries WHERE state = 'delivered' AND updated_at < $1 LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}

fn read(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.parse(0)?,
        channel_id: row.parse(1)?,
        event_id: row.parse(2)?,
        object: row.get(3)?,
        position: row.get(4)?,
        recipient: row.get(5)?,
        addresses: row.json(6)?,
        created_at: row.get(7)?,
        state: row.word(8)?,
        attempts: row.get(9)?,
        next_at: row.get(10)?,
        last_error: row.get(11)?,
        updated_at: row.get(12)?,
    })
}
