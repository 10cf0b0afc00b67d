//! The one integration test binary: one module per resource or rim.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows test functions, but not their helpers"
)]

mod acme;
mod cli;
mod interop;
mod listener;
mod rest;
