//! Keys that are made here for requesters: handed out once, or destroyed.

use domain::enrollment::Enrollment;
use domain::held_key::{HELD_AFTER_ISSUANCE, HELD_FOR, HeldKey, HeldKeyError};
use domain::id::EnrollmentId;
use domain::keystore::KeyStoreError;
use pki::key::{KeyAlgorithm, KeyError, LocalKey};
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// Why a key is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum FetchKeyError {
    #[error("there is no enrollment {0}")]
    Unknown(EnrollmentId),
    #[error(transparent)]
    Refused(#[from] HeldKeyError),
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Hands a key out, this once: it is destroyed in the transaction that says who has it.
    pub async fn fetch_key(
        &self,
        id: &EnrollmentId,
        caller: &Caller,
    ) -> Result<(LocalKey, Enrollment), FetchKeyError> {
        let (wanted, now) = (id.clone(), self.now());
        let who = caller.actor.id.clone();
        let fetched = self.event(caller, "enrollment.key_fetched", id.as_str(), json!({}));
        let (held, enrollment) = self
            .store
            .write("held_key.fetch", move |tx| {
                Box::pin(async move {
                    let enrollment = tx
                        .find_enrollment_for_update(&wanted)
                        .await?
                        .ok_or_else(|| FetchKeyError::Unknown(wanted.clone()))?;
                    let held = tx.find_held_key(&wanted).await?.ok_or(HeldKeyError::Gone)?;
                    held.release(&who, &enrollment, now)?;
                    if !tx.delete_held_key(&wanted).await? {
                        return Err(HeldKeyError::Gone.into());
                    }
                    tx.insert_event(&fetched).await?;
                    Ok::<_, FetchKeyError>((held, enrollment))
                })
            })
            .await?;
        let pkcs8 = self.sealer.open(&seal_context(id), &held.sealed)?;
        Ok((LocalKey::from_pkcs8(&pkcs8)?, enrollment))
    }

    /// Whether the key of an enrollment can still be fetched by this caller.
    pub async fn holds_key_for(
        &self,
        enrollment: &Enrollment,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let id = enrollment.id.clone();
        let held = self
            .store
            .read("held_key.find", |tx| {
                Box::pin(async move { tx.find_held_key(&id).await })
            })
            .await?;
        let now = self.now();
        Ok(held.is_some_and(|held| held.release(&caller.actor.id, enrollment, now).is_ok()))
    }

    /// A new key as it is kept for an enrollment.
    pub(crate) fn hold(
        &self,
        enrollment: &EnrollmentId,
        key: &LocalKey,
        algorithm: KeyAlgorithm,
        caller: &Caller,
    ) -> Result<HeldKey, KeyError> {
        let now = self.now();
        let pkcs8 = key.to_pkcs8()?;
        Ok(HeldKey {
            enrollment: enrollment.clone(),
            owner: caller.actor.id.clone(),
            algorithm,
            sealed: self.sealer.seal(&seal_context(enrollment), &pkcs8),
            created_at: now,
            expires_at: now + HELD_FOR,
        })
    }

    /// Destroys the keys that nobody fetched in time.
    pub(crate) async fn destroy_overdue_keys(&self) -> Result<(), StoreError> {
        loop {
            let (now, issued_before) = (self.now(), self.now() - HELD_AFTER_ISSUANCE);
            let overdue = self
                .store
                .scan("held_key.overdue", move |tx| {
                    Box::pin(
                        async move { tx.list_overdue_held_keys(now, issued_before, BATCH).await },
                    )
                })
                .await?;
            if overdue.is_empty() {
                return Ok(());
            }
            let system = Caller::system();
            let events: Vec<_> = overdue
                .iter()
                .map(|id| self.event(&system, "enrollment.key_destroyed", id.as_str(), json!({})))
                .collect();
            self.store
                .write("held_key.destroy", move |tx| {
                    Box::pin(async move {
                        for (id, event) in overdue.iter().zip(&events) {
                            if tx.delete_held_key(id).await? {
                                tx.insert_event(event).await?;
                            }
                        }
                        Ok::<_, StoreError>(())
                    })
                })
                .await?;
        }
    }
}

fn seal_context(enrollment: &EnrollmentId) -> String {
    format!("held_keys/{enrollment}")
}

const BATCH: u32 = 200;
