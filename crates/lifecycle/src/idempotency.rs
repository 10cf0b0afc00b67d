//! Creations that are done once, however often their caller asks for them by the same name.
//!
//! The name is taken before the work begins and the answer kept after it. What a crash cut off
//! between the two is not repeated by itself: nobody could tell whether it was done.

use std::time::Duration;

use domain::idempotency::{Attempt, IdempotencyKey, KEPT_FOR, UNDER_WAY};
use domain::keystore::KeyStoreError;
use pki::fingerprint::Fingerprint;
use store::StoreError;
use zeroize::Zeroizing;

use crate::Lifecycle;
use crate::actor::Caller;

/// What is to be done with a named request.
pub enum Begun {
    /// Do it; nobody asked for it before.
    First,
    /// It was done, with this answer.
    Answered(Zeroizing<Vec<u8>>),
}

/// Why a named request is not done.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    #[error(
        "this `Idempotency-Key` belongs to another request; send a new key with a new request, and \
         the same body with the same key"
    )]
    OtherRequest,
    #[error("the first request with this `Idempotency-Key` is still being worked on; ask again")]
    UnderWay(Duration),
    #[error(
        "the first request with this `Idempotency-Key` was cut off, and it is not known what came of \
         it; look whether it was done, and if not send it with a new key"
    )]
    CutOff,
    #[error(transparent)]
    Seal(#[from] KeyStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Takes a caller's name for a request, or gives the answer that it got before.
    pub async fn begin_attempt(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        request: Fingerprint,
    ) -> Result<Begun, AttemptError> {
        let now = self.now();
        let attempt = Attempt {
            principal: caller.actor.id.clone(),
            key: key.clone(),
            request,
            sealed_answer: None,
            created_at: now,
            expires_at: now + KEPT_FOR,
        };
        let earlier = self
            .store
            .write("attempt.begin", move |tx| {
                Box::pin(async move { tx.begin_attempt(&attempt).await })
            })
            .await?;
        let Some(earlier) = earlier else {
            return Ok(Begun::First);
        };
        if earlier.request != request {
            return Err(AttemptError::OtherRequest);
        }
        match &earlier.sealed_answer {
            Some(sealed) => {
                let context = seal_context(&earlier.principal, &earlier.key);
                Ok(Begun::Answered(self.sealer.open(&context, sealed)?))
            }
            None => match UNDER_WAY.checked_sub(now.since(earlier.created_at)) {
                Some(left) if !left.is_zero() => Err(AttemptError::UnderWay(left.min(ASK_AGAIN))),
                Some(_) | None => Err(AttemptError::CutOff),
            },
        }
    }

    /// Keeps the answer to a named request; without one, the request came to nothing and may be
    /// tried again by the same name.
    pub async fn end_attempt(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        answer: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let (principal, key) = (caller.actor.id.clone(), key.clone());
        let sealed = answer.map(|octets| self.sealer.seal(&seal_context(&principal, &key), octets));
        self.store
            .write("attempt.end", move |tx| {
                Box::pin(async move {
                    match sealed {
                        Some(sealed) => tx.answer_attempt(&principal, &key, &sealed).await,
                        None => tx.forget_attempt(&principal, &key).await,
                    }
                    .map(drop)
                })
            })
            .await
    }
}

fn seal_context(principal: &str, key: &IdempotencyKey) -> String {
    format!("idempotency_keys/{principal}/{key}")
}

const ASK_AGAIN: Duration = Duration::from_secs(2);
