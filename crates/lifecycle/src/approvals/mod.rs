//! Approvals: people decide whether a request is signed.
//!
//! *Ask* puts a request before people instead of an issuer. *Decide* takes what they say, under
//! lock and with another look at everything the request stands on. *Tick* reminds, escalates and
//! ends what nobody decided. *Reconsider* begins anew what was changed meanwhile.

mod absences;
mod ask;
mod decide;
mod dossier;
mod explained;
mod facts;
mod links;
mod list;
mod people;
mod reconsider;
mod standing;
mod tell;
mod tick;

pub use absences::{DelegationError, NewDelegation};
pub use ask::Waiting;
pub use decide::{DecideError, Decided, Saying};
pub use dossier::{Difference, Dossier, PolicyOutcome};
pub use links::{LinkError, LinkView, MintedLink};
pub use tick::TickError;

pub(crate) use ask::insert_waiting;
pub(crate) use standing::{Standing, standing};
