//! The composition root: configuration, listener, command line, and the wiring between the layers.
//!
//! The binary is a thin shell over this library, so that tests start the real server in process.

pub mod cli;
pub mod config;
pub mod listener;
pub mod observability;
pub mod serve;
