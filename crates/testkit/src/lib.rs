//! What tests stand on: a server in process, a clock to turn, clients that may misbehave, and
//! the other ends that validation talks to. Never part of the binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail where it could not"
)]

pub mod acme;
pub mod acme_ca;
pub mod adcs;
pub mod aws_pca;
pub mod ca;
pub mod clock;
pub mod cmp_ca;
pub mod command_ca;
pub mod dns;
pub mod ejbca;
pub mod est_ca;
pub mod http01;
pub mod issuer;
pub mod peer;
pub mod process;
pub mod receiver;
pub mod scep_ca;
pub mod server;
pub mod service;
pub mod tls_alpn;
pub mod vault;

pub use ca::TestCa;
pub use clock::MockClock;
pub use issuer::IssuerDouble;
pub use process::ServerProcess;
pub use server::TestServer;
