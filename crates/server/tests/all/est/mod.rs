//! EST as its clients see it: RFC 7030, RFC 8951, RFC 9908.

mod binding;
mod credentials;
mod enrolling;
mod keys;
mod managing;
mod renewing;
pub mod support;
mod upstream;
