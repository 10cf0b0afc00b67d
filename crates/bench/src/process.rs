//! What a process and its descendants cost: processor time and resident memory, from Linux' `/proc`.
//!
//! Descendants count because PostgreSQL works in one process per connection, and because a server may be
//! started through a wrapper.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// `/proc` counts in hundredths of a second on every architecture that Linux presents to programs (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// One reading of a process tree.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The root process' name, as `ps` shows it.
    pub name: String,
    /// User and system time of all threads, running descendants and reaped children.
    pub cpu: Duration,
    /// Resident memory in KiB, summed over the tree; pages that processes share count once per process.
    pub rss_kib: u64,
    /// The root process' highest resident memory so far, in KiB.
    pub peak_rss_kib: u64,
}

/// Reads the tree below `pid`; `None` if the process is gone.
pub fn usage(pid: u32) -> Option<Usage> {
    let processes = all_processes();
    let root = processes.get(&pid)?;
    let mut total = Usage {
        name: root.name.clone(),
        peak_rss_kib: memory_kib(pid, "VmHWM:"),
        ..Usage::default()
    };
    for (&candidate, process) in &processes {
        if descends_from(&processes, candidate, pid) {
            total.cpu += process.cpu;
            total.rss_kib += memory_kib(candidate, "VmRSS:");
        }
    }
    Some(total)
}

/// Processor time of this program itself.
pub fn own_cpu() -> Duration {
    read_stat(std::process::id()).map_or(Duration::ZERO, |process| process.cpu)
}

struct Process {
    name: String,
    parent: u32,
    cpu: Duration,
}

fn all_processes() -> HashMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return HashMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, read_stat(pid)?)))
        .collect()
}

fn descends_from(processes: &HashMap<u32, Process>, pid: u32, ancestor: u32) -> bool {
    let mut current = pid;
    // Bounded: a reading that is not atomic could show a parent that was reused, hence a cycle.
    for _ in 0..64 {
        if current == ancestor {
            return true;
        }
        match processes.get(&current) {
            Some(process) => current = process.parent,
            None => return false,
        }
    }
    false
}

fn read_stat(pid: u32) -> Option<Process> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc_pid_stat(5): the name stands in parentheses and may contain spaces and parentheses itself.
fn parse_stat(line: &str) -> Option<Process> {
    let (before, after) = line.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // After the name come state (3), parent (4) …; utime, stime, cutime, cstime are fields 14 to 17.
    let ticks: u32 = fields
        .get(11..15)?
        .iter()
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    Some(Process {
        name: name.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        cpu: TICK * ticks,
    })
}

fn memory_kib(pid: u32, key: &str) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_a_name_with_spaces_and_parentheses() {
        let line = "42 (a (b) c) S 7 42 42 0 -1 4194304 1 2 3 4 100 50 20 30 20 0 9 0 1 2 3";
        let process = parse_stat(line).unwrap();
        assert_eq!(process.name, "a (b) c");
        assert_eq!(process.parent, 7);
        assert_eq!(process.cpu, Duration::from_secs(2));
    }

    #[test]
    fn a_child_counts_for_its_parent_and_a_stranger_does_not() {
        let process = |parent| Process {
            name: String::new(),
            parent,
            cpu: Duration::ZERO,
        };
        let processes = HashMap::from([(1, process(0)), (5, process(1)), (6, process(5))]);
        assert!(descends_from(&processes, 6, 5));
        assert!(!descends_from(&processes, 1, 5));
    }
}
