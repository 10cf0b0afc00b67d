//! The event log: sealed into a chain, signed at checkpoints, exported, verified.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::event::{ChainFault, Checkpoint, Event, EventHash, SealedEvent, verify_chain};
use domain::id::EventId;
use pki::key::{KeyAlgorithm, KeyError, LocalKey, PublicKey, SigningKey};
use pki::time::Timestamp;
use store::StoreError;
use store::events::EventFilter;

use crate::Lifecycle;
use crate::setup::SecretError;

/// Why a checkpoint is not made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Events, newest first.
    pub async fn list_events(
        &self,
        filter: EventFilter,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.store
            .scan("event.list", move |tx| {
                Box::pin(async move { tx.list_events(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// Sealed events from a position on, in order: the export, and what delivery reads.
    pub async fn sealed_events(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        self.store
            .scan("event.sealed", move |tx| {
                Box::pin(async move { tx.list_sealed_events(after, limit).await })
            })
            .await
    }

    /// Signed checkpoints, in order.
    pub async fn checkpoints(&self, after: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
        self.store
            .scan("event.checkpoints", move |tx| {
                Box::pin(async move { tx.list_checkpoints(after, limit).await })
            })
            .await
    }

    /// Gives events their place in the chain. Says whether there may be more.
    pub async fn seal_events(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let sealed = self
            .store
            .write("event.seal", move |tx| {
                Box::pin(async move { tx.seal_events(SEAL_BATCH, now).await })
            })
            .await?;
        Ok(sealed == u64::from(SEAL_BATCH))
    }

    /// Signs where the chain stands, if it moved since the last time.
    pub async fn sign_checkpoint(&self) -> Result<(), CheckpointError> {
        let (end, latest) = self
            .store
            .read("event.end", |tx| {
                Box::pin(async move {
                    let end = tx.chain_end().await?;
                    let latest = tx.find_latest_checkpoint().await?;
                    Ok::<_, StoreError>((end, latest))
                })
            })
            .await?;
        let (position, hash) = end;
        if position == 0 || latest.is_some_and(|latest| latest.position >= position) {
            return Ok(());
        }
        let key = self.checkpoint_key().await?;
        let checkpoint = checkpoint(&key, position, hash, self.now())?;
        self.store
            .write("event.checkpoint", move |tx| {
                Box::pin(async move { tx.insert_checkpoint(&checkpoint).await })
            })
            .await?;
        Ok(())
    }

    /// The key that signs checkpoints: the installation's own, sealed in the store.
    pub async fn checkpoint_key(&self) -> Result<Arc<LocalKey>, CheckpointError> {
        let pkcs8 = self
            .installation_secret_with("checkpoint-key", || {
                let key = LocalKey::generate(KeyAlgorithm::EcP256)?;
                Ok(key.to_pkcs8()?.to_vec())
            })
            .await?;
        Ok(Arc::new(LocalKey::from_pkcs8(&pkcs8)?))
    }
}

fn checkpoint(
    key: &LocalKey,
    position: i64,
    hash: EventHash,
    at: Timestamp,
) -> Result<Checkpoint, KeyError> {
    let signature = key.sign(&Checkpoint::statement(position, hash, at))?;
    Ok(Checkpoint {
        position,
        hash,
        at,
        signature: STANDARD.encode(signature),
        key_id: key_id(key.public_key()),
    })
}

/// How a checkpoint names the key that signed it.
pub fn key_id(key: &PublicKey) -> String {
    data_encoding::HEXLOWER.encode(&key.spki_sha256())
}

/// Verifies an export: the chain from its first event to its last, and every checkpoint in it.
/// With `key`, the checkpoints' signatures too. Needs nothing but the export.
pub fn verify_export(
    events: &[SealedEvent],
    checkpoints: &[Checkpoint],
    key: Option<&PublicKey>,
) -> Result<(i64, EventHash), ChainFault> {
    let end = verify_chain((0, EventHash::GENESIS), events)?;
    for checkpoint in checkpoints {
        let position = checkpoint.position;
        let Some(event) = usize::try_from(position - 1)
            .ok()
            .and_then(|index| events.get(index))
        else {
            return Err(ChainFault::Truncated {
                end: end.0,
                seen: position,
            });
        };
        if event.hash != checkpoint.hash {
            return Err(ChainFault::CheckpointDisagrees { position });
        }
        if let Some(key) = key {
            verify_signature(checkpoint, key)?;
        }
    }
    Ok(end)
}

/// Checks a checkpoint's signature.
pub fn verify_signature(checkpoint: &Checkpoint, key: &PublicKey) -> Result<(), ChainFault> {
    let position = checkpoint.position;
    let fault = || ChainFault::CheckpointSignature { position };
    let signature = STANDARD
        .decode(&checkpoint.signature)
        .map_err(|_| fault())?;
    let statement = Checkpoint::statement(position, checkpoint.hash, checkpoint.at);
    key.verify(
        pki::key::SignatureAlgorithm::EcdsaSha256,
        &statement,
        &signature,
    )
    .map_err(|_| fault())
}

const SEAL_BATCH: u32 = 200;
