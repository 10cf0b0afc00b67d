//! Tickets: handed out with what the second half needs, taken back once.

use std::time::Duration;

use domain::id::UserId;
use domain::keystore::KeyStoreError;
use domain::ticket::TicketSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::StoreError;
use store::tickets::{Ticket, TicketPurpose};

use crate::Lifecycle;

/// Why a ticket is not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TicketError {
    #[error("what a ticket holds cannot be written or read: {0}")]
    Content(#[from] serde_json::Error),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Hands out a ticket that holds `content`, sealed.
    pub(crate) async fn hand_out<T: Serialize>(
        &self,
        purpose: TicketPurpose,
        user: Option<&UserId>,
        content: &T,
        lifetime: Duration,
    ) -> Result<TicketSecret, TicketError> {
        let secret = TicketSecret::generate(&*self.random);
        let hash = secret.hash();
        let octets = serde_json::to_vec(content)?;
        let ticket = Ticket {
            hash,
            purpose,
            user: user.cloned(),
            sealed: Some(self.sealer.seal(&format!("tickets/{hash}"), &octets)),
            expires_at: self.now() + lifetime,
        };
        self.store
            .write("ticket.insert", move |tx| {
                Box::pin(async move { tx.insert_ticket(&ticket).await })
            })
            .await?;
        Ok(secret)
    }

    /// Takes a ticket back, with what it holds. `None` for one that is unknown, spent, too old, or
    /// for something else.
    pub(crate) async fn take_back_ticket<T: DeserializeOwned>(
        &self,
        presented: &str,
        purpose: TicketPurpose,
    ) -> Result<Option<(T, Option<UserId>)>, TicketError> {
        let (hash, now) = (TicketSecret::from_presented(presented).hash(), self.now());
        let taken = self
            .store
            .write("ticket.take", move |tx| {
                Box::pin(async move {
                    let found = tx.find_ticket(&hash, purpose, now).await?;
                    match found.is_some() && tx.delete_ticket(&hash).await? {
                        true => Ok::<_, StoreError>(found),
                        false => Ok(None),
                    }
                })
            })
            .await?;
        let Some(ticket) = taken else {
            return Ok(None);
        };
        let sealed = ticket.sealed.as_deref().unwrap_or_default();
        let octets = self.sealer.open(&format!("tickets/{hash}"), sealed)?;
        Ok(Some((serde_json::from_slice(&octets)?, ticket.user)))
    }
}
