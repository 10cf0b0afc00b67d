//! The event log on its way out.

use domain::event::Checkpoint;
use store::StoreError;

use crate::Lifecycle;
use crate::events::CheckpointError;

impl Lifecycle {
    /// Seals what is not sealed yet and signs where the chain stands, so that an export that ends
    /// there can be checked to its last event. `None` where nothing ever happened.
    pub async fn close_audit(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        while self.seal_events().await? {}
        match self.sign_checkpoint().await {
            // Another node signed the same position in this moment.
            Err(CheckpointError::Store(error)) if error.is_duplicate() => {}
            signed => signed?,
        }
        Ok(self.latest_checkpoint().await?)
    }

    /// The checkpoint that saw the most.
    pub async fn latest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.store
            .read("event.checkpoint.latest", |tx| {
                Box::pin(async move { tx.find_latest_checkpoint().await })
            })
            .await
    }
}
