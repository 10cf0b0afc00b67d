//! The nouns of ACME (RFC 8555 section 7.1) and the ports that validation needs.

pub mod account;
pub mod authorization;
pub mod challenge;
pub mod directory;
pub mod eab;
pub mod email;
pub mod order;
pub mod validation;
