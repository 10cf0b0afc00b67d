//! `certwright-bench acme`: whole issuances per second, and what one of them costs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aws_lc_rs::rand;
use url::Url;

use crate::client::{Client, directory};
use crate::load::{Names, Pace, Stop, Worker, run};
use crate::process::{self, Usage};
use crate::report::{Report, ServerCost};
use crate::responder::http::Tokens;
use crate::responder::{dns, http};
use crate::target::{Target, TargetOptions};

/// Options of `certwright-bench acme`.
#[derive(clap::Args)]
pub struct Options {
    /// The ACME directory
    #[arg(long, value_name = "URL")]
    directory: Url,
    #[command(flatten)]
    target: TargetOptions,
    /// How many accounts order at once, each over its own connection
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    accounts: u32,
    /// How long to start new orders, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    duration: u64,
    /// Make this many orders instead, however long it takes
    #[arg(long, conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: Option<u64>,
    /// Start so many flows a second at most, by all accounts together; without it, as many as will go
    #[arg(long, value_name = "FLOWS", value_parser = rate)]
    rate: Option<f64>,
    /// Orders are made for so many seconds before anything is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    warmup: u64,
    /// The first pause between two polls, in milliseconds; the following ones double
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    poll_pause: u64,
    /// A flow that takes longer has failed, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
    /// How many names an order has
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    names: u32,
    /// Names are ordered below this domain
    #[arg(long, default_value = "bench.example.com")]
    domain: String,
    /// Where the http-01 challenges are answered
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5002")]
    http_listen: SocketAddr,
    /// Where DNS is answered: 127.0.0.1 for every name
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8053")]
    dns_listen: SocketAddr,
    /// The server's process, to account for its CPU time and memory; repeat it for a database beside it
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,
    /// Exit with an error if more flows than this fail
    #[arg(long, value_name = "COUNT")]
    max_failures: Option<u64>,
    /// How the run is called in reports
    #[arg(long, default_value = "acme")]
    label: String,
    /// Write the last certificate and its issuers there, as PEM
    #[arg(long, value_name = "FILE")]
    save_chain: Option<PathBuf>,
    /// Write the report there as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number from 0.1 to 100000".to_owned()),
    }
}

/// Runs the load, prints the report; fails if no flow succeeded or more failed than may.
pub async fn acme(options: Options) -> anyhow::Result<()> {
    let target = Target::resolve(&options.directory, &options.target)?;
    let tokens = start_responders(&options).await?;
    let workers = register(&options, &target, &tokens).await?;
    let warmup = Instant::now() + Duration::from_secs(options.warmup);
    let (workers, ..) = run(workers, Stop::At(warmup), Pace::Unbounded).await;

    let (workers, report) = measure(&options, workers).await?;
    report.print()?;
    if let Some(file) = &options.json {
        report.write(file)?;
    }
    let chain = workers.iter().find_map(Worker::chain);
    if let (Some(file), Some(chain)) = (&options.save_chain, chain) {
        std::fs::write(file, chain)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    ensure!(report.flows > 0, "no flow succeeded");
    ensure!(
        options
            .max_failures
            .is_none_or(|most| report.failures() <= most),
        "{} flows failed",
        report.failures()
    );
    Ok(())
}

async fn start_responders(options: &Options) -> anyhow::Result<Tokens> {
    let tokens = Tokens::default();
    let (web, names) = (options.http_listen, options.dns_listen);
    http::start(web, tokens.clone())
        .await
        .with_context(|| format!("the http-01 responder cannot listen on {web}"))?;
    dns::start(names)
        .await
        .with_context(|| format!("the name server cannot listen on {names}"))?;
    Ok(tokens)
}

/// New accounts, one after the other: registration is not what is measured.
async fn register(
    options: &Options,
    target: &Arc<Target>,
    tokens: &Tokens,
) -> anyhow::Result<Vec<Worker>> {
    let directory = directory(target, &options.directory)
        .await
        .with_context(|| format!("{} cannot be read", options.directory))?;
    let directory = Arc::new(directory);
    let poll_pause = Duration::from_millis(options.poll_pause);
    let patience = Duration::from_secs(options.patience);
    let run = run_id()?;
    let mut workers = Vec::new();
    for account in 0..options.accounts {
        let client = Client::register(target, &directory, poll_pause)
            .await
            .context("an account cannot be registered")?;
        let names = Names {
            suffix: format!("a{account}.r{run}.{}", options.domain),
            per_order: usize::try_from(options.names)?,
            next: 0,
        };
        workers.push(Worker::new(client, tokens.clone(), names, patience));
    }
    Ok(workers)
}

/// Keeps the names of this run apart from those of earlier runs against the same store.
fn run_id() -> anyhow::Result<String> {
    let mut octets = [0; 4];
    rand::fill(&mut octets).context("there is no randomness")?;
    Ok(format!("{:08x}", u32::from_be_bytes(octets)))
}

async fn measure(options: &Options, workers: Vec<Worker>) -> anyhow::Result<(Vec<Worker>, Report)> {
    let stop = match options.count {
        Some(count) => Stop::After(AtomicU64::new(count)),
        None => Stop::At(Instant::now() + Duration::from_secs(options.duration)),
    };
    let before = readings(options)?;
    let own_before = process::own_cpu();
    let requests_before = requests(&workers);
    let pace = options.rate.map_or(Pace::Unbounded, Pace::per_second);
    let (workers, tally, elapsed) = run(workers, stop, pace).await;
    let own = process::own_cpu().saturating_sub(own_before);
    let after = readings(options)?;

    let servers = options
        .pids
        .iter()
        .zip(before.iter().zip(&after))
        .map(|(_, (before, after))| ServerCost::between(before, after, tally.flows.count()))
        .collect();
    let mut report = Report::new(&options.label, options.accounts, &tally, elapsed);
    report.set_driver_cost(own, requests(&workers) - requests_before);
    report.nonce_retries = workers.iter().map(|w| w.client().nonce_retries).sum();
    report.servers = servers;
    Ok((workers, report))
}

fn readings(options: &Options) -> anyhow::Result<Vec<Usage>> {
    let read = |&pid: &u32| process::usage(pid).with_context(|| format!("process {pid} is gone"));
    options.pids.iter().map(read).collect()
}

fn requests(workers: &[Worker]) -> u64 {
    workers.iter().map(|worker| worker.client().requests).sum()
}
