//! Deferred work: what waits, retries or was left by a crash. The fast path does not come here.
//!
//! A job is a row written in the transaction of the change that needs it. A node claims due
//! jobs for the time of a lease; one that dies loses its lease, and another node goes on.

mod clean_up;
mod dispatch;
mod failing;
mod job;
mod places;
mod schedule;
mod worker;

pub use job::Job;
pub(crate) use places::Places;
pub(crate) use worker::JobSignal;
