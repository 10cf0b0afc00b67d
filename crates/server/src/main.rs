//! The `certwright` binary.

use std::process::ExitCode;

/// A request is a few hundred small allocations on whatever thread is free; the system's allocator
/// spends a tenth of a request's time on them and keeps an arena per thread.
/// Built without transparent huge pages, which took twice the memory and gained no time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that a provider is installed already; the tree holds no other one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    certwright::cli::run().await
}
