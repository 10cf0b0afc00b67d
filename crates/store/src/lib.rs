//! The only SQL of the project: [`Store`] and [`Tx`] over SQLite or PostgreSQL.
//!
//! A verb opens a transaction with [`Store::write`] and calls methods of [`Tx`], which are grouped in one
//! file per aggregate. Acknowledged means durable: `write` answers after the commit, and on SQLite one
//! writer commits all waiting transactions as a group.

mod config;
mod dialect;
mod error;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod store;
mod telemetry;
#[cfg(feature = "test-postgres")]
pub mod testing;
mod tx;
mod value;

pub use config::StoreConfig;
pub use dialect::{Engine, Sql};
pub use error::StoreError;
pub use row::{FromColumn, Row};
pub use store::Store;
pub use tx::Tx;
pub use value::Value;
