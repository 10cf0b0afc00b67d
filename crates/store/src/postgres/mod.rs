//! PostgreSQL: a pool of connections, ordinary transactions, TLS by rustls.

mod address;
mod open;
mod pending;
mod run;
mod statement;
mod tls;
mod transaction;

pub(crate) use open::Postgres;
pub(crate) use pending::Pending;
pub(crate) use statement::{execute, execute_each, for_each, query, send_one};
