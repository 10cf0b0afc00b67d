//! Shared secrets of CMP: a reference that clients send, and a secret that protects their messages.

use crate::enrolling::Terms;
use crate::id::{CmpSecretId, EntryPointId};

/// A secret as we keep it: sealed, for a MAC needs it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CmpSecret {
    pub id: CmpSecretId,
    /// What clients send as senderKID; one secret of an endpoint has it.
    pub reference: String,
    /// What people call it: the device, the batch.
    pub name: String,
    /// The endpoint that it opens, and no other.
    pub endpoint: EntryPointId,
    pub sealed_secret: String,
    pub terms: Terms,
}
