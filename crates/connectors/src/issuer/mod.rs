//! Connectors to CAs, and the certificates of our own ones.
//!
//! A connector to a CA elsewhere is one file here, a [`RemoteCa`], and one arm in [`factory`].

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
pub use remote::{Remote, RemoteCa};
pub use scep::ScepConnector;
pub use vault::VaultConnector;
