//! What tests stand on: a server in process, a clock to turn, clients that may misbehave, and
//! the other ends that validation talks to. Never part of the binary.

pub mod acme;
pub mod clock;
pub mod dns;
pub mod http01;
pub mod issuer;
pub mod server;
pub mod tls_alpn;

pub use clock::MockClock;
pub use issuer::IssuerDouble;
pub use server::TestServer;
