//! ACME (RFC 8555) and its extensions: ARI (RFC 9773), external accounts, profiles, `dns-account-01`,
//! `dns-persist-01`, CAA (RFC 8659, RFC 8657).
//!
//! The server reads a request with [`jws::FlattenedJws::parse`], verifies it, and reads the payload with
//! [`jws::VerifiedJws::json`] into one of the bodies below; every refusal becomes a [`problem::Problem`].

pub mod base64url;
pub mod identifier;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod problem;
