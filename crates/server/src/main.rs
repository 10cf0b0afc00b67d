//! The `certwright` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that a provider is installed already; the tree holds no other one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    certwright::cli::run().await
}
