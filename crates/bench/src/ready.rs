//! `certwright-bench ready`: how long a server takes from its start until it says that it is ready.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::connection::{Connection, Method};
use crate::tally::Durations;
use crate::target::{Target, TargetOptions};

/// Neither starting nor stopping may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);

/// Options of `certwright-bench ready`.
#[derive(clap::Args)]
pub struct Options {
    /// What answers with status 200 when the server is ready
    #[arg(long, default_value = "https://localhost:8443/readyz")]
    url: Url,
    #[command(flatten)]
    target: TargetOptions,
    /// How often the server is started and stopped
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// The server's command line, after `--`
    #[arg(required = true, last = true)]
    command: Vec<String>,
}

/// Starts, measures and stops the server as often as asked for.
pub async fn ready(options: Options) -> anyhow::Result<()> {
    let target = Target::resolve(&options.url, &options.target)?;
    ensure!(
        probe(&target, &options.url).await.is_none(),
        "something answers at {} already",
        options.url
    );
    let mut times = Durations::default();
    for _ in 0..options.runs {
        let start = Instant::now();
        let mut child = start_server(&options.command)?;
        let outcome = timeout(
            PATIENCE,
            wait_until_ready(&target, &options.url, &mut child),
        )
        .await;
        times.record(start.elapsed());
        stop(&mut child).await?;
        outcome.context("the server did not become ready")??;
    }
    let summary = times.summary();
    writeln!(
        io::stdout(),
        "ready after {:.0} ms (median of {} starts; the slowest took {:.0} ms)",
        summary.p50_ms,
        options.runs,
        summary.max_ms
    )?;
    Ok(())
}

fn start_server(command: &[String]) -> anyhow::Result<Child> {
    let (program, arguments) = command.split_first().context("there is no command")?;
    Command::new(program)
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{program} cannot be started"))
}

async fn wait_until_ready(
    target: &Arc<Target>,
    url: &Url,
    child: &mut Child,
) -> anyhow::Result<()> {
    // Bounded by the caller's deadline.
    while probe(target, url).await != Some(200) {
        if let Some(status) = child.try_wait()? {
            bail!("the server ended with {status}");
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn probe(target: &Arc<Target>, url: &Url) -> Option<u16> {
    Connection::new(Arc::clone(target))
        .send(Method::Get, url.path(), "", &[])
        .await
        .ok()
        .map(|answer| answer.status)
}

/// Asks the server to shut down, as a service manager would, so that the next start is a warm one.
async fn stop(child: &mut Child) -> anyhow::Result<()> {
    if let Some(pid) = child.id() {
        Command::new("kill").arg(pid.to_string()).status().await?;
    }
    if timeout(PATIENCE, child.wait()).await.is_err() {
        child.kill().await?;
        bail!("the server did not stop within {} s", PATIENCE.as_secs());
    }
    Ok(())
}
