//! The only SQL of the project: [`Store`] and [`Tx`] over SQLite or PostgreSQL.
//!
//! A verb opens a transaction with [`Store::write`] and calls methods of [`Tx`], which are grouped in one
//! file per aggregate. Acknowledged means durable: `write` answers after the commit, and on SQLite one
//! writer commits all waiting transactions as a group.

pub mod accounts;
mod approval_links;
pub mod approvals;
mod attempts;
mod authorizations;
mod backup;
pub mod blocked_keys;
mod bulks;
pub mod certificates;
mod chains;
mod challenge_responses;
mod client_certificates;
pub mod client_requests;
pub mod cmp;
mod codec;
mod config;
mod connector_state;
pub mod credentials;
pub mod crls;
pub mod delegates;
pub mod delegations;
mod dialect;
mod directories;
mod eab_keys;
mod email_challenges;
mod enrollment_passwords;
pub mod enrollments;
mod entry_points;
mod error;
mod event_facts;
mod event_owners;
pub mod events;
mod floors;
pub mod grants;
mod held_keys;
mod issuer_migrations;
mod issuers;
pub mod jobs;
mod list;
mod metadata;
mod migrate;
mod nonces;
pub mod notification;
mod ocsp_responders;
pub mod orders;
mod passkeys;
mod postgres;
mod principals;
mod profiles;
mod ra_certificates;
mod rate_limits;
pub mod renewal_advice;
mod roles;
mod row;
mod saved_searches;
mod sessions;
mod settings;
mod sign_in_attempts;
mod sign_on_providers;
mod sqlite;
mod store;
pub mod teams;
mod telemetry;
mod terms;
#[cfg(feature = "test-postgres")]
pub mod testing;
pub mod tickets;
mod tokens;
mod tx;
pub mod usage;
mod users;
mod value;

pub use backup::{BackupError, BackupReport};
pub use config::StoreConfig;
pub use dialect::{Engine, Sql};
pub use error::StoreError;
pub use row::{FromColumn, Row};
pub use store::Store;
pub use tx::Tx;
pub use value::Value;
