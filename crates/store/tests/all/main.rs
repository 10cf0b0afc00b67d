//! The store's contract, on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aggregates;
mod backup;
mod crash;
mod fixture;
mod postgres_server;
mod postgres_tls;
mod reading;
mod samples;
mod sqlite_file;
mod upgrade;
mod writing;
