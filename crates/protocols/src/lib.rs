//! Wire types and codecs, one module per protocol, pure: no IO, no clock, no store.
//!
//! Everything that arrives is hostile until a parser of this crate has turned it into a type.

pub mod acme;
pub mod cmp;
pub mod est;
pub mod rest;
pub mod scep;
pub mod siem;
