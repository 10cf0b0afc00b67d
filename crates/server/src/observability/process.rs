//! The process's own figures, under the names that Prometheus's client libraries use.

use std::fmt::Write;
use std::fs;

/// Appends the figures that can be read; a system without `/proc` has none.
pub(super) fn append(page: &mut String) {
    let figures = [
        (
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory.",
            resident_bytes(),
        ),
        (
            "process_cpu_seconds_total",
            "counter",
            "Processor time, user and system.",
            cpu_seconds(),
        ),
        (
            "process_open_fds",
            "gauge",
            "Open file descriptors.",
            entries("/proc/self/fd"),
        ),
        (
            "process_max_fds",
            "gauge",
            "File descriptors this process may open.",
            max_descriptors(),
        ),
        (
            "process_threads",
            "gauge",
            "Threads.",
            entries("/proc/self/task"),
        ),
    ];
    for (name, kind, help, value) in figures {
        if let Some(value) = value {
            let _ = writeln!(
                page,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
    }
}

/// Field 2 of `/proc/self/statm`, in pages.
fn resident_bytes() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}

/// Fields 14 and 15 of `/proc/self/stat`, in clock ticks. Field 2 is the program's name in
/// parentheses, which may hold spaces: counting begins behind it.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / rustix::param::clock_ticks_per_second() as f64)
}

fn entries(directory: &str) -> Option<f64> {
    Some(fs::read_dir(directory).ok()?.count() as f64)
}

fn max_descriptors() -> Option<f64> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map(|limit| limit as f64)
}
