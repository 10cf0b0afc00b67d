//! SQLite: one writer that commits in groups, readers beside it, one process per data file.

mod lock;
mod open;
mod queue;
mod readers;
mod statement;
mod writer;

pub(crate) use open::Sqlite;
pub(crate) use statement::{execute, for_each, query};
pub(crate) use writer::{Operation, Outcome};
