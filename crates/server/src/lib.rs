//! The composition root: configuration, listener, command line, and the wiring between the layers.
//!
//! The binary is a thin shell over this library, so that tests start the real server in process.

pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
mod email;
mod first_start;
pub mod health;
pub mod listener;
pub mod observability;
pub mod own_certificate;
pub mod serve;
pub mod wiring;
