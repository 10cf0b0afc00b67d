//! The issuance pipeline: admit, (approve), sign, record, announce.
//!
//! What is true after a power cut between any two steps:
//! - before *sign* has written `Signing`: nothing happened; the order is still ready.
//! - after: serial and to-be-signed octets are durable; the job's lease ends, another try signs
//!   the same octets. What an earlier try may have signed never left this process.
//! - where people are asked: the request and its approval are durable and nothing is prepared; what
//!   they agree to is prepared, and made durable, when they have agreed.
//! - after *record*: the certificate is in the inventory, the enrollment is issued, the event is
//!   written: one transaction, so all of it or none.

pub mod admit;
mod approved;
pub mod cancel;
pub(crate) mod check;
pub(crate) mod consider;
pub mod enroll;
mod evidence;
pub mod explain;
pub(crate) mod facts;
mod file;
mod outcome;
mod record;
mod resume;
pub mod sign;
pub mod submit;

use domain::enrollment::Enrollment;
use domain::profile::Profile;
use std::sync::Arc;

use crate::approvals::Waiting;
pub use admit::{AdmitError, EnrollmentRequest};
pub use check::RecordError;
pub use enroll::EnrollError;
pub use sign::DriveError;
pub use submit::{KeySource, Submission, SubmitError, ValidityWish};

/// What becomes of a request that breaks no rule.
pub(crate) enum Admission {
    /// It is signed.
    Sign(Box<Admitted>),
    /// People have to agree first.
    Wait(Box<Waiting>),
    /// No issuer has room for it now; a job goes on with it when one has.
    Later(Box<Deferred>),
}

impl Admission {
    /// The request, as it is to be stored.
    pub(crate) fn enrollment(&self) -> &Enrollment {
        match self {
            Self::Sign(admitted) => &admitted.enrollment,
            Self::Wait(waiting) => &waiting.enrollment,
            Self::Later(deferred) => &deferred.enrollment,
        }
    }
}

/// An enrollment that is signed later, under the profile that it was decided by.
pub(crate) struct Deferred {
    pub(crate) enrollment: Enrollment,
    pub(crate) profile: Arc<Profile>,
}

/// An enrollment with what its next steps need, so that the fast path reads nothing twice.
pub(crate) struct Admitted {
    pub(crate) enrollment: Enrollment,
    pub(crate) profile: Arc<Profile>,
    pub(crate) request: domain::issuer::SigningRequest,
    pub(crate) issuer: Arc<crate::issuers::ConnectedIssuer>,
}
