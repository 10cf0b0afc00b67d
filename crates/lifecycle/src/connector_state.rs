//! What connectors remember, in the store: sealed for its issuer and name.

use std::sync::Arc;

use async_trait::async_trait;
use domain::clock::Clock;
use domain::id::IssuerId;
use domain::issuer::{ConnectorState, StateError};
use domain::keystore::Sealer;
use store::{Store, StoreError};

/// The port's side of the store.
pub struct StoredConnectorState {
    store: Store,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
}

impl StoredConnectorState {
    /// Texts in `store`, sealed by `sealer`.
    pub fn new(store: Store, sealer: Arc<dyn Sealer>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            sealer,
            clock,
        }
    }
}

#[async_trait]
impl ConnectorState for StoredConnectorState {
    async fn get(&self, issuer: &IssuerId, name: &str) -> Result<Option<String>, StateError> {
        let (id, wanted) = (issuer.clone(), name.to_owned());
        let sealed = self
            .store
            .read("connector_state.find", |tx| {
                Box::pin(async move { tx.find_connector_state(&id, &wanted).await })
            })
            .await
            .map_err(unavailable)?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let open = self
            .sealer
            .open(&context(issuer, name), &sealed)
            .map_err(|error| StateError(error.to_string()))?;
        let text = std::str::from_utf8(&open).map_err(|error| StateError(error.to_string()))?;
        Ok(Some(text.to_owned()))
    }

    async fn put(&self, issuer: &IssuerId, name: &str, text: &str) -> Result<(), StateError> {
        let sealed = self.sealer.seal(&context(issuer, name), text.as_bytes());
        let (id, name, now) = (issuer.clone(), name.to_owned(), self.clock.now());
        self.store
            .write("connector_state.put", move |tx| {
                Box::pin(async move { tx.put_connector_state(&id, &name, &sealed, now).await })
            })
            .await
            .map_err(unavailable)
    }

    async fn put_if_absent(
        &self,
        issuer: &IssuerId,
        name: &str,
        text: &str,
    ) -> Result<String, StateError> {
        let sealed = self.sealer.seal(&context(issuer, name), text.as_bytes());
        let (id, wanted, now) = (issuer.clone(), name.to_owned(), self.clock.now());
        let is_first = self
            .store
            .write("connector_state.insert", move |tx| {
                Box::pin(async move {
                    tx.insert_connector_state_if_absent(&id, &wanted, &sealed, now)
                        .await
                })
            })
            .await
            .map_err(unavailable)?;
        match is_first {
            true => Ok(text.to_owned()),
            false => Ok(self
                .get(issuer, name)
                .await?
                .unwrap_or_else(|| text.to_owned())),
        }
    }

    async fn delete(&self, issuer: &IssuerId, name: &str) -> Result<(), StateError> {
        let (id, name) = (issuer.clone(), name.to_owned());
        self.store
            .write("connector_state.delete", move |tx| {
                Box::pin(async move { tx.delete_connector_state(&id, &name).await })
            })
            .await
            .map_err(unavailable)
    }
}

fn context(issuer: &IssuerId, name: &str) -> String {
    format!("connector_state/{issuer}/{name}")
}

fn unavailable(error: StoreError) -> StateError {
    StateError(error.to_string())
}
