//! The REST API's wire types, shared by server, command line and agent.
//!
//! JSON with members in snake case, instants in RFC 3339 UTC, absent members left out. Unknown
//! members of requests are refused, so that a misspelt one is noticed; those of answers are not,
//! so that a newer server can say more.

pub mod account;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod authorization;
pub mod blocked_key;
pub mod bulk;
pub mod certificate;
pub mod client_certificate;
pub mod cmp;
pub mod directory;
pub mod eab_key;
pub mod enroll;
pub mod enrollment;
pub mod enrollment_password;
pub mod entry_point;
pub mod grant;
pub mod inventory;
pub mod issuer;
pub mod issuer_migration;
pub mod me;
pub mod metadata;
pub mod notification;
pub mod order;
pub mod page;
pub mod problem;
pub mod profile;
pub mod remote_issuer;
pub mod role;
pub mod session;
pub mod sign_on;
pub mod team;
pub mod token;
pub mod user;

#[cfg(test)]
mod tests;
