//! After a restore: the log says that the database went back in time.

use domain::event::Checkpoint;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// Notes that the database was restored from a backup with so many rows. Whoever compares the
    /// log with an earlier export finds here why its end is missing.
    pub async fn note_restore(&self, rows: u64, caller: &Caller) -> Result<(), StoreError> {
        let last = self.latest_checkpoint().await?;
        let checkpoint =
            last.map(|Checkpoint { position, at, .. }| json!({ "position": position, "at": at }));
        let data = json!({ "rows": rows, "last_checkpoint": checkpoint });
        let event = self.event(caller, "installation.restored", "installation", data);
        self.store
            .write("installation.restored", move |tx| {
                Box::pin(async move {
                    // Sessions and links that were ended since the backup must not come back.
                    tx.delete_all_sessions().await?;
                    tx.delete_all_tickets().await?;
                    tx.insert_event(&event).await
                })
            })
            .await
    }
}
