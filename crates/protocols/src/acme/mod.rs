//! ACME (RFC 8555) and its extensions: ARI (RFC 9773), external accounts, profiles, `dns-account-01`,
//! `dns-persist-01`, CAA (RFC 8659, RFC 8657).
//!
//! The server reads a request with [`jws::FlattenedJws::parse`], verifies it, and reads the payload with
//! [`jws::VerifiedJws::json`] into one of the bodies below; every refusal becomes a [`problem::Problem`].

pub mod account;
pub mod authorization;
pub mod base64url;
pub mod caa;
pub mod challenge;
pub mod contact;
pub mod directory;
pub mod dns_account;
pub mod dns_persist;
pub mod eab;
pub mod finalize;
pub mod identifier;
pub mod issue_value;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod key_authorization;
pub mod key_change;
pub mod order;
pub mod problem;
pub mod renewal_info;
pub mod revocation;
