//! The figures of one run: for people, and as JSON for comparisons.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::flow::Step;
use crate::process::Usage;
use crate::tally::{Failures, Percentiles, Tally};

/// One run of `certwright-bench acme`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was measured.
    pub label: String,
    /// How many accounts ordered at once.
    pub accounts: u32,
    /// Whole flows that succeeded.
    pub flows: u64,
    /// How long they took together.
    pub elapsed_s: f64,
    /// Whole flows per second.
    pub flows_per_s: f64,
    /// One flow's time.
    pub flow: Percentiles,
    /// Its steps' times.
    pub steps: Vec<StepReport>,
    /// Requests that one flow took, polls included.
    pub requests_per_flow: f64,
    /// Requests repeated since the program's start because their nonce was refused.
    pub nonce_retries: u64,
    /// The driver's own work, both responders included.
    pub driver_cpu_ms_per_flow: f64,
    /// The server's work, and that of its database where it is asked for.
    pub servers: Vec<ServerCost>,
    /// Failed flows by kind.
    pub errors: BTreeMap<String, Failures>,
}

/// One step of the flow.
#[derive(Debug, Serialize, Deserialize)]
pub struct StepReport {
    /// [`Step::name`].
    pub name: String,
    /// Its time.
    #[serde(flatten)]
    pub times: Percentiles,
}

/// What a server process spent on the run.
#[derive(Debug, Serialize, Deserialize)]
pub struct ServerCost {
    /// The process' name.
    pub name: String,
    /// User and system time for one flow.
    pub cpu_ms_per_flow: f64,
    /// Resident memory before the first measured flow.
    pub rss_before_mib: f64,
    /// And after the last.
    pub rss_after_mib: f64,
    /// The most it ever was.
    pub rss_peak_mib: f64,
}

impl ServerCost {
    /// The difference of two readings.
    pub fn between(before: &Usage, after: &Usage, flows: u64) -> Self {
        Self {
            name: after.name.clone(),
            cpu_ms_per_flow: ms_per_flow(after.cpu.saturating_sub(before.cpu), flows),
            rss_before_mib: mib(before.rss_kib),
            rss_after_mib: mib(after.rss_kib),
            rss_peak_mib: mib(after.peak_rss_kib),
        }
    }
}

impl Report {
    /// Without costs yet.
    pub fn new(label: &str, accounts: u32, tally: &Tally, elapsed: Duration) -> Self {
        let steps = Step::ALL.iter().zip(&tally.steps);
        Self {
            label: label.to_owned(),
            accounts,
            flows: tally.flows.count(),
            elapsed_s: elapsed.as_secs_f64(),
            flows_per_s: float(tally.flows.count()) / elapsed.as_secs_f64(),
            flow: tally.flows.summary(),
            steps: steps
                .map(|(step, durations)| StepReport {
                    name: step.name().to_owned(),
                    times: durations.summary(),
                })
                .collect(),
            requests_per_flow: 0.0,
            nonce_retries: 0,
            driver_cpu_ms_per_flow: 0.0,
            servers: Vec::new(),
            errors: tally.errors.clone(),
        }
    }

    /// What the driver did for it.
    pub fn set_driver_cost(&mut self, cpu: Duration, requests: u64) {
        self.driver_cpu_ms_per_flow = ms_per_flow(cpu, self.flows);
        self.requests_per_flow = float(requests) / float(self.flows.max(1));
    }

    /// To standard output.
    pub fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{}, {} account(s): {} flows in {:.1} s = {:.1} flows/s, {:.1} requests each",
            self.label,
            self.accounts,
            self.flows,
            self.elapsed_s,
            self.flows_per_s,
            self.requests_per_flow
        )?;
        writeln!(
            out,
            "{:>16} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "ms", "mean", "p50", "p95", "p99", "max"
        )?;
        print_times(&mut out, "flow", &self.flow)?;
        for step in &self.steps {
            print_times(&mut out, &step.name, &step.times)?;
        }
        self.print_costs(&mut out)?;
        if self.nonce_retries > 0 {
            writeln!(out, "{} nonces refused and replaced", self.nonce_retries)?;
        }
        for (kind, failures) in &self.errors {
            writeln!(
                out,
                "{} flows failed, {kind}: {}",
                failures.count, failures.example
            )?;
        }
        Ok(())
    }

    fn print_costs(&self, out: &mut impl io::Write) -> io::Result<()> {
        for server in &self.servers {
            writeln!(
                out,
                "{}: {:.2} ms CPU per flow, resident {:.0} MiB before, {:.0} MiB after, {:.0} MiB at most",
                server.name,
                server.cpu_ms_per_flow,
                server.rss_before_mib,
                server.rss_after_mib,
                server.rss_peak_mib
            )?;
        }
        writeln!(
            out,
            "driver: {:.2} ms CPU per flow",
            self.driver_cpu_ms_per_flow
        )
    }

    /// To a file.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(file, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} cannot be written", file.display()))
    }

    /// From a file.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is no report of this program", file.display()))
    }

    /// How many flows failed.
    pub fn failures(&self) -> u64 {
        self.errors.values().map(|failures| failures.count).sum()
    }
}

fn print_times(out: &mut impl io::Write, name: &str, times: &Percentiles) -> io::Result<()> {
    writeln!(
        out,
        "{name:>16} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
        times.mean_ms, times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms
    )
}

fn ms_per_flow(cpu: Duration, flows: u64) -> f64 {
    cpu.as_secs_f64() * 1000.0 / float(flows.max(1))
}

fn mib(kib: u64) -> f64 {
    float(kib) / 1024.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run stay far below 2^53"
)]
fn float(count: u64) -> f64 {
    count as f64
}
