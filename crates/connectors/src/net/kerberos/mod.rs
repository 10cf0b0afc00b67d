//! Kerberos (RFC 4120) as a client with a password: a ticket for a service, and what shows it over HTTP.
//!
//! Small, because little of it is needed: two exchanges with a KDC, two encryption types of AES-256, one token.

mod cipher;
mod client;
mod error;
mod kdc;
mod key;
mod negotiate;
mod nfold;
mod reply;
mod request;
mod ticket;
mod wire;

pub use client::{KerberosClient, KerberosUser};
pub use error::KerberosError;
pub use kdc::PORT;
pub use negotiate::Negotiation;
pub use ticket::Ticket;

#[cfg(test)]
mod tests;
