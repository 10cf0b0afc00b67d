//! Connectors to CAs, and the certificates of our own ones.
//!
//! A connector is one file here and one arm in [`factory`].

pub mod acme;
pub mod adcs;
pub mod aws_pca;
pub mod ca_certificate;
pub mod cmp;
pub mod command;
pub mod ejbca;
pub mod embedded;
pub mod environment;
pub mod est;
pub mod factory;
pub mod published;
mod remote;
pub mod scep;
pub mod vault;

use domain::certificate::Chain;
use pki::time::Timestamp;

pub use acme::AcmeConnector;
pub use adcs::AdcsConnector;
pub use aws_pca::AwsPcaConnector;
pub use cmp::CmpConnector;
pub use command::CommandConnector;
pub use ejbca::EjbcaConnector;
pub use embedded::EmbeddedConnector;
pub use environment::{Environment, IssuerHttp, PlainHttp};
pub use est::EstConnector;
pub use factory::Connectors;
pub use scep::ScepConnector;
pub use vault::VaultConnector;

/// The end of a CA elsewhere, as far as its certificate is known; else none (RFC 5280 section 4.1.2.5).
pub fn end_of(chain: &Chain) -> Timestamp {
    const NO_END: Timestamp = Timestamp::from_seconds(253_402_300_799);
    match chain.leaf() {
        Some(Ok(own)) => own.not_after,
        Some(Err(_)) | None => NO_END,
    }
}
