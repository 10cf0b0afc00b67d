//! SCEP as its clients see it: RFC 8894.

mod enrolling;
mod messages;
mod renewing;
pub mod support;
mod upstream;
