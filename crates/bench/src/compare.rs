//! `certwright-bench compare`: reports side by side, each rate as a share of the first one's.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::report::Report;

/// Options of `certwright-bench compare`.
#[derive(clap::Args)]
pub struct Options {
    /// JSON files that `acme --json` wrote; each is compared to the first one with at least as many accounts
    #[arg(required = true)]
    reports: Vec<PathBuf>,
}

/// Prints the table.
pub fn compare(options: &Options) -> anyhow::Result<()> {
    let reports = options
        .reports
        .iter()
        .map(|file| Report::read(file))
        .collect::<anyhow::Result<Vec<_>>>()?;
    table(&mut io::stdout().lock(), &reports)?;
    Ok(())
}

fn table(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    writeln!(
        out,
        "{:<24} {:>8} {:>9} {:>8} {:>9} {:>9} {:>14} {:>8} {:>7}",
        "server",
        "accounts",
        "flows/s",
        "of first",
        "p50 ms",
        "p99 ms",
        "CPU ms/flow",
        "RSS MiB",
        "failed"
    )?;
    for report in reports {
        let base = reports
            .iter()
            .find(|candidate| candidate.accounts >= report.accounts)
            .map_or(f64::NAN, |base| base.flows_per_s);
        let costs: Vec<String> = report
            .servers
            .iter()
            .map(|server| format!("{:.2}", server.cpu_ms_per_flow))
            .collect();
        let memory = report.servers.first().map_or(0.0, |s| s.rss_after_mib);
        writeln!(
            out,
            "{:<24} {:>8} {:>9.1} {:>6.1} % {:>9.2} {:>9.2} {:>14} {:>8.0} {:>7}",
            report.label,
            report.accounts,
            report.flows_per_s,
            100.0 * report.flows_per_s / base,
            report.flow.p50_ms,
            report.flow.p99_ms,
            costs.join("+"),
            memory,
            report.failures()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flow::Timing;
    use crate::tally::Tally;

    fn report(label: &str, accounts: u32, flows: u32) -> Report {
        let mut tally = Tally::default();
        for _ in 0..flows {
            tally.succeeded(&Timing::default());
        }
        Report::new(label, accounts, &tally, Duration::from_secs(1))
    }

    #[test]
    fn a_rate_is_compared_to_the_first_with_at_least_as_many_accounts() {
        let reports = [report("a", 1, 10), report("a", 32, 100), report("b", 8, 25)];
        let mut out = Vec::new();
        table(&mut out, &reports).unwrap();
        let out = String::from_utf8(out).unwrap();
        let ratios: Vec<&str> = out
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(3))
            .collect();
        assert_eq!(ratios, ["100.0", "100.0", "25.0"]);
    }
}
