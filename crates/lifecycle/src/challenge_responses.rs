//! Responses to challenges of CAs elsewhere, in the store: any node shows them, any node takes them away.

use async_trait::async_trait;
use domain::id::IssuerId;
use domain::issuer::response::{ChallengeResponse, ChallengeResponses, ResponsesError};
use pki::time::Timestamp;
use store::{Store, StoreError};

use crate::Lifecycle;

/// The port's side of the store.
pub struct StoredChallengeResponses {
    store: Store,
}

impl StoredChallengeResponses {
    /// Responses in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ChallengeResponses for StoredChallengeResponses {
    async fn note(&self, response: &ChallengeResponse) -> Result<(), ResponsesError> {
        let response = response.clone();
        self.store
            .write("challenge_response.note", move |tx| {
                Box::pin(async move { tx.note_challenge_response(&response).await })
            })
            .await
            .map_err(unavailable)
    }

    async fn of_order(
        &self,
        issuer: &IssuerId,
        order: &str,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError> {
        let (issuer, order) = (issuer.clone(), order.to_owned());
        self.store
            .read("challenge_response.of_order", |tx| {
                Box::pin(async move { tx.list_challenge_responses(&issuer, &order).await })
            })
            .await
            .map_err(unavailable)
    }

    async fn placed_before(
        &self,
        issuer: &IssuerId,
        before: Timestamp,
    ) -> Result<Vec<ChallengeResponse>, ResponsesError> {
        let issuer = issuer.clone();
        self.store
            .read("challenge_response.placed_before", |tx| {
                Box::pin(async move {
                    tx.list_challenge_responses_before(&issuer, before, BATCH)
                        .await
                })
            })
            .await
            .map_err(unavailable)
    }

    async fn forget(&self, response: &ChallengeResponse) -> Result<(), ResponsesError> {
        let response = response.clone();
        self.store
            .write("challenge_response.forget", move |tx| {
                Box::pin(async move { tx.delete_challenge_response(&response).await })
            })
            .await
            .map_err(unavailable)
    }
}

impl Lifecycle {
    /// What a CA elsewhere that asks this server by http-01 is to be shown.
    pub async fn http_challenge_response(&self, token: &str) -> Result<Option<String>, StoreError> {
        let token = token.to_owned();
        self.store
            .read("challenge_response.http", |tx| {
                Box::pin(async move { tx.find_http_response(&token).await })
            })
            .await
    }

    /// Has connectors take away what they left at others and nobody came back for.
    pub(crate) async fn tidy_issuers(&self) -> Result<(), StoreError> {
        for connected in self.connected_issuers().await?.iter() {
            if let Some(tidy) = connected.connector.abilities().tidy {
                tidy.tidy().await;
            }
        }
        Ok(())
    }
}

fn unavailable(error: StoreError) -> ResponsesError {
    ResponsesError(error.to_string())
}

const BATCH: u32 = 100;
