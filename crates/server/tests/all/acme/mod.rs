//! The ACME server seen through its own protocol.

mod issuance;
