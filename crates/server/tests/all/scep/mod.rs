//! SCEP as its clients see it: RFC 8894.

mod enrolling;
mod messages;
mod renewing;
mod rollover;
pub mod support;
mod upstream;
