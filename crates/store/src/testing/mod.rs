//! Databases for tests: a private PostgreSQL cluster, shared by all test processes that run at once.

mod postgres;

pub use postgres::{PostgresCluster, PostgresError};
