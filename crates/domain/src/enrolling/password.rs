//! Enrollment passwords: what HTTP Basic in EST and the challenge password in SCEP are checked against.

use pki::fingerprint::Fingerprint;

use super::Terms;
use crate::id::{EnrollmentPasswordId, EntryPointId};

/// A password as we keep it: by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentPassword {
    pub id: EnrollmentPasswordId,
    /// What people call it: the device, the batch.
    pub name: String,
    /// The entry point that it opens, and no other.
    pub entry_point: EntryPointId,
    pub hash: Fingerprint,
    /// Where set, the user name that has to come with it over HTTP Basic.
    pub username: Option<String>,
    pub terms: Terms,
}
