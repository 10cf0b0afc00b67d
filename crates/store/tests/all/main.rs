//! The store's contract, on both engines.

mod crash;
mod fixture;
mod reading;
mod sqlite_file;
mod upgrade;
mod writing;
