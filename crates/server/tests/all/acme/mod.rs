//! The ACME server seen through its own protocol.

mod caa;
mod finalize;
mod isolation;
mod issuance;
mod jws;
mod jws_forms;
mod key_change;
mod limits;
mod new_account;
mod new_order;
mod nonce;
mod problems;
mod refusals;
mod renewal_info;
mod revocation;
mod rfc8555;
pub mod support;
mod validation_age;
