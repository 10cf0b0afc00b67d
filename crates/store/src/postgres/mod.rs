//! PostgreSQL: a pool of connections, ordinary transactions, TLS by rustls.

mod address;
mod open;
mod run;
mod statement;
mod tls;

pub(crate) use open::Postgres;
pub(crate) use statement::{execute, execute_each, for_each, query};
