//! What CMP keeps: endpoints, secrets, transactions, signers.

mod endpoints;
mod secrets;
pub mod signers;
mod transactions;
