//! Connectors to CAs, and the certificates of our own ones.
//!
//! A connector is one file here and one arm in [`factory`].

pub mod ca_certificate;
pub mod embedded;
pub mod factory;

pub use embedded::EmbeddedConnector;
pub use factory::Connectors;
