//! The load driver behind `make bench`: ACME issuances, OCSP answers and starts, measured from outside.
//!
//! It shares no code with the server, so that it measures any other ACME server in the same way.

mod acme;
mod client;
mod compare;
mod connection;
mod csr;
mod der;
mod flow;
mod jws;
mod load;
mod message;
mod ocsp;
mod process;
mod ready;
mod report;
mod responder;
mod tally;
mod target;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measure an ACME server and an OCSP responder on this machine
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many threads the driver itself may use: it shares the machine with what it measures
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Whole ACME issuances, from the order to the certificate, with real http-01 validation
    Acme(acme::Options),
    /// OCSP answers
    Ocsp(ocsp::Options),
    /// The time from a server's start until it is ready
    Ready(ready::Options),
    /// Reports of `acme --json` side by side
    Compare(compare::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that the environment may ask for: the causes say what to mend.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let threads = usize::from(arguments.threads);
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads).enable_all().build()?;
    match arguments.command {
        Command::Acme(options) => runtime.block_on(acme::acme(options)),
        Command::Ocsp(options) => runtime.block_on(ocsp::ocsp(options)),
        Command::Ready(options) => runtime.block_on(ready::ready(options)),
        Command::Compare(options) => compare::compare(&options),
    }
}
