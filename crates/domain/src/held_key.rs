//! A private key that was made here for a requester, kept sealed until it is fetched, once.

use std::time::Duration;

use pki::key::KeyAlgorithm;
use pki::time::Timestamp;

use crate::enrollment::{Enrollment, EnrollmentState};
use crate::id::EnrollmentId;

/// The key of one enrollment.
#[derive(Clone)]
pub struct HeldKey {
    pub enrollment: EnrollmentId,
    /// The id of who asked. Nobody else may fetch it, whatever their rights.
    pub owner: String,
    pub algorithm: KeyAlgorithm,
    /// PKCS#8, sealed for this enrollment.
    pub sealed: String,
    pub created_at: Timestamp,
    /// Destroyed then, also where it was never fetched.
    pub expires_at: Timestamp,
}

/// Why a key is not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldKeyError {
    #[error(
        "there is no key to fetch: it was not made here, was fetched already, or was destroyed \
         when its time was over; ask for a new certificate"
    )]
    Gone,
    #[error("only who asked for the certificate may fetch its key")]
    NotYours,
    #[error("the certificate is not issued yet; its key can be fetched when it is")]
    NotIssued,
}

impl HeldKey {
    /// Whether `who` may have it now.
    pub fn release(
        &self,
        who: &str,
        enrollment: &Enrollment,
        now: Timestamp,
    ) -> Result<(), HeldKeyError> {
        if self.owner != who {
            return Err(HeldKeyError::NotYours);
        }
        if now >= self.expires_at {
            return Err(HeldKeyError::Gone);
        }
        match &enrollment.state {
            EnrollmentState::Issued { .. } => {
                // An issued enrollment does not change any more: this is when it was issued.
                match now < enrollment.updated_at + HELD_AFTER_ISSUANCE {
                    true => Ok(()),
                    false => Err(HeldKeyError::Gone),
                }
            }
            state if state.is_final() => Err(HeldKeyError::Gone),
            _ => Err(HeldKeyError::NotIssued),
        }
    }
}

/// How long a key waits for its certificate and its owner; long enough for people to approve.
pub const HELD_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How long it waits once the certificate is there.
pub const HELD_AFTER_ISSUANCE: Duration = Duration::from_secs(24 * 60 * 60);
