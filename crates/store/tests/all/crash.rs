//! S3: what was acknowledged survives the process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use store::{Store, StoreConfig};

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

/// Run by itself this writes a few rows and finds them; as the child of the test below it writes and
/// reports until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_writes_and_reports_each_acknowledged_row() {
    let directory = tempfile::tempdir().unwrap();
    let killed_later = child_url();
    let own = sqlite_url(&directory.path().join("test.db"));
    let store = Store::open(StoreConfig::new(killed_later.as_ref().unwrap_or(&own)))
        .await
        .unwrap();
    let rounds = if killed_later.is_some() {
        usize::MAX
    } else {
        20
    };
    let running: Vec<_> = (0..16)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..rounds {
                    let id = format!("{task}-{round}");
                    add(&store, &id).await.unwrap();
                    // One write call, so that a line is whole or not there.
                    std::io::stdout()
                        .write_all(format!("acknowledged {id}\n").as_bytes())
                        .unwrap();
                }
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
    assert_eq!(ids(&store).await.len(), 16 * 20);
}

#[tokio::test]
async fn s03_a_killed_process_loses_no_acknowledged_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let mut expected = 0;
    for round in 1..=3 {
        // Each round goes on with the file that the last one left, under other ids.
        let url = sqlite_url(&path.with_extension(format!("{round}.db")));
        let acknowledged = run_until_killed(&url, 500 * round);
        let store = Store::open(StoreConfig::new(&url)).await.unwrap();
        let stored: std::collections::HashSet<_> = ids(&store).await.into_iter().collect();
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

/// Starts a writer, kills it with SIGKILL after `lines` reports, and answers all that it reported.
fn run_until_killed(url: &str, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("crash::a_process_writes_and_reports_each_acknowledged_row")
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
