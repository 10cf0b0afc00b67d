//! The store's contract, on both engines.

mod aggregates;
mod crash;
mod fixture;
mod reading;
mod samples;
mod sqlite_file;
mod upgrade;
mod writing;
