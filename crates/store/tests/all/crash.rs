//! S2, S3: what was acknowledged survives the process and the disk.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use store::{Store, StoreConfig, StoreError};

use crate::fixture::{add, ids, sqlite_url};

/// Set for the child only: the data file to write to.
const CHILD: &str = "CERTWRIGHT_TEST_CRASH_CHILD";

#[expect(
    clippy::disallowed_methods,
    reason = "a child learns what it is from its environment"
)]
fn child_url() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// Run by itself this writes a few rows and finds them; as the child of the tests below it writes and
/// reports until it is killed, or until the disk takes no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_writes_and_reports_each_acknowledged_row() {
    let directory = tempfile::tempdir().unwrap();
    let given = child_url();
    let own = sqlite_url(&directory.path().join("test.db"));
    let store = Store::open(StoreConfig::new(given.as_ref().unwrap_or(&own)))
        .await
        .unwrap();
    let rounds = if given.is_some() { usize::MAX } else { 20 };
    let running: Vec<_> = (0..16)
        .map(|task| tokio::spawn(write_until_refused(store.clone(), task, rounds)))
        .collect();
    for task in running {
        task.await.unwrap();
    }
    if given.is_none() {
        assert_eq!(ids(&store).await.len(), 16 * 20);
    }
}

async fn write_until_refused(store: Store, task: usize, rounds: usize) {
    for round in 0..rounds {
        let id = format!("{task}-{round}");
        let line = match add(&store, &id).await {
            Ok(()) => format!("acknowledged {id}\n"),
            Err(StoreError::Unavailable { .. }) => format!("refused {id}\n"),
            Err(other) => panic!("{other}"),
        };
        // One write call, so that a line is whole or not there.
        std::io::stdout().write_all(line.as_bytes()).unwrap();
        if line.starts_with("refused") {
            return;
        }
    }
}

#[tokio::test]
async fn s03_a_killed_process_loses_no_acknowledged_row() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = 0;
    for round in 1..=3 {
        let url = sqlite_url(&directory.path().join(format!("{round}.db")));
        let acknowledged = run_until_killed(&url, 500 * round);
        let store = Store::open(StoreConfig::new(&url)).await.unwrap();
        let stored: HashSet<_> = ids(&store).await.into_iter().collect();
        for id in &acknowledged {
            assert!(stored.contains(id), "{id} was acknowledged and is lost");
        }
        add(&store, "after the crash").await.unwrap();
        expected += acknowledged.len();
    }
    assert!(
        expected >= 3000,
        "the child was killed in the middle of its work"
    );
}

/// The system refuses to let a file grow: to the process that is a disk that takes no more.
#[cfg(unix)]
#[tokio::test]
async fn s02_when_the_disk_takes_no_more_exactly_what_was_acknowledged_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let url = sqlite_url(&directory.path().join("test.db"));
    // In units of 512 or 1024 octets, by shell. The signal would end the process instead.
    let script = "trap '' XFSZ; ulimit -f 6000; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(CHILD_ARGUMENTS)
        .env(CHILD, &url)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let with = |word: &str| -> HashSet<String> {
        text.lines()
            .filter_map(|line| Some(line.split_once(word)?.1.to_owned()))
            .collect()
    };
    assert_eq!(with("refused ").len(), 16, "every task was told");
    let store = Store::open(StoreConfig::new(&url)).await.unwrap();
    let stored: HashSet<_> = ids(&store).await.into_iter().collect();
    assert_eq!(stored, with("acknowledged "));
    add(&store, "with room again").await.unwrap();
}

/// What makes the test binary run the child's test alone.
const CHILD_ARGUMENTS: [&str; 3] = [
    "--exact",
    "--nocapture",
    "crash::a_process_writes_and_reports_each_acknowledged_row",
];

/// Starts a writer, kills it with SIGKILL after `lines` reports, and answers all that it reported.
fn run_until_killed(url: &str, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(CHILD_ARGUMENTS)
        .env(CHILD, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < lines {
        let line = output
            .next()
            .expect("the child writes until it is killed")
            .unwrap();
        acknowledged.extend(
            line.split_once("acknowledged ")
                .map(|(_, id)| id.to_owned()),
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in output.map_while(Result::ok) {
        acknowledged.extend(
            line.split_once("acknowledged ")
                .map(|(_, id)| id.to_owned()),
        );
    }
    acknowledged
}
