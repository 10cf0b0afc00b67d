//! Notification channels.

use domain::id::ChannelId;
use domain::notification::channel::Channel;

use crate::codec::json;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, kind, created_at, spec, sealed_secrets, updated_at"
    };
}

impl Tx<'_> {
    /// Adds a channel.
    pub async fn insert_channel(&mut self, channel: &Channel) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO notification_channels (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
        );
        let values = params![
            channel.id.as_str(),
            &channel.name,
            &channel.kind,
            channel.created_at,
            json(&channel.spec)?,
            channel.sealed_secrets.as_deref(),
            channel.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// Writes kind, settings and secrets, and answers whether the channel is there.
    pub async fn update_channel(&mut self, channel: &Channel) -> Result<bool, StoreError> {
        let sql = "UPDATE notification_channels SET kind = $2, spec = $3, sealed_secrets = $4, \
                   updated_at = $5 WHERE id = $1";
        let values = params![
            channel.id.as_str(),
            &channel.kind,
            json(&channel.spec)?,
            channel.sealed_secrets.as_deref(),
            channel.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The channel with that name.
    pub async fn find_channel(&mut self, name: &str) -> Result<Option<Channel>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_channels WHERE name = $1"
        );
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All channels by name; there are few.
    pub async fn list_channels(&mut self) -> Result<Vec<Channel>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_channels ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Deletes a channel with everything that was on its way over it.
    pub async fn delete_channel(&mut self, id: &ChannelId) -> Result<bool, StoreError> {
        for sql in [
            "DELETE FROM notification_deliveries WHERE channel_id = $1",
            "DELETE FROM notification_cursors WHERE name = $1",
        ] {
            self.execute(sql, params![id.as_str()]).await?;
        }
        let sql = "DELETE FROM notification_channels WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: row.parse(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        created_at: row.get(3)?,
        spec: row.json(4)?,
        sealed_secrets: row.get(5)?,
        updated_at: row.get(6)?,
    })
}
