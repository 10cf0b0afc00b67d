//! The verbs of ACME (RFC 8555), one file per resource.

pub mod accounts;
mod attestation;
pub mod authorizations;
mod bind;
mod caa;
pub mod challenges;
pub mod directories;
pub mod eab_keys;
pub mod email;
pub mod finalize;
pub mod new_order;
pub mod nonces;
pub mod orders;
mod refusals;
pub mod renewal_info;
pub mod validation;
