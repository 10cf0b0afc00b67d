//! The one writer: it commits all waiting operations as a group, with one fsync for all of them.
//!
//! An operation is acknowledged only after the commit of its group. Each runs under a savepoint, so
//! that one that fails takes nothing of the others with it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::queue::Queue;
use crate::{StoreError, telemetry};

/// Larger groups gain nothing: the fsync is spread over enough operations by then.
const GROUP_LIMIT: usize = 512;

/// One closure on its way through the writer, together with the way back to its caller.
pub(crate) trait Operation: Send {
    /// Runs the closure; its caller is told later.
    fn run(self: Box<Self>, connection: &mut Connection) -> Outcome;

    /// Tells the caller that the closure was not run.
    fn refuse(self: Box<Self>, reason: StoreError);
}

struct Queued {
    since: Instant,
    operation: Box<dyn Operation>,
}

/// What became of one closure, still to be told to its caller.
pub(crate) struct Outcome {
    /// Whether its changes are to be committed.
    pub(crate) kept: bool,
    /// Tells the caller, given the fate of the commit.
    pub(crate) answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// A handle on the writer's thread.
pub(super) struct Writer {
    queue: Arc<Queue<Queued>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, capacity: usize) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(capacity));
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let queue = Arc::clone(&queue);
                move || write_until_closed(connection, &queue)
            })
            .map_err(|error| StoreError::Unavailable {
                cause: error.to_string(),
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Lines up an operation; its answer comes by the way it carries.
    pub(super) async fn submit(&self, operation: Box<dyn Operation>) -> Result<(), StoreError> {
        self.queue
            .push(Queued {
                since: Instant::now(),
                operation,
            })
            .await
    }
}

impl Drop for Writer {
    /// Finishes what waits and closes the file, so that whoever opens it next finds it complete.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // The thread catches panics; there is nothing to learn from how it ended.
            drop(thread.join());
        }
    }
}

fn write_until_closed(mut connection: Connection, queue: &Queue<Queued>) {
    let mut pace = Pace::default();
    loop {
        let mut waiting: VecDeque<_> = queue.take_all(pace.expected, pace.patience()).into();
        if waiting.is_empty() {
            return;
        }
        while !waiting.is_empty() {
            let started = Instant::now();
            let size = commit_group(&mut connection, &mut waiting);
            pace.learn(size, started.elapsed());
        }
    }
}

/// How long it pays to wait for a group to fill.
///
/// The callers of one commit wake together and most come back with their next operation at once.
/// Starting with the first of them would leave the others waiting for a whole fsync.
#[derive(Default)]
struct Pace {
    expected: usize,
    last: Duration,
}

impl Pace {
    fn learn(&mut self, size: usize, took: Duration) {
        self.expected = size;
        self.last = took;
    }

    fn patience(&self) -> Duration {
        match self.expected {
            0 | 1 => Duration::ZERO,
            _ => (self.last / 4).min(Duration::from_millis(1)),
        }
    }
}

/// Runs the operations in front of `waiting` in one transaction and answers how many there were.
fn commit_group(connection: &mut Connection, waiting: &mut VecDeque<Queued>) -> usize {
    if let Err(error) = control(connection, "BEGIN IMMEDIATE") {
        for queued in waiting.drain(..) {
            queued.operation.refuse(error.clone());
        }
        return 0;
    }
    let mut outcomes = Vec::with_capacity(waiting.len().min(GROUP_LIMIT));
    while outcomes.len() < GROUP_LIMIT
        && let Some(queued) = waiting.pop_front()
    {
        telemetry::queue_wait(queued.since.elapsed());
        outcomes.extend(run_under_savepoint(connection, queued.operation));
        if connection.is_autocommit() {
            // A full disk and the like make SQLite undo the whole transaction by itself.
            break;
        }
    }
    let size = outcomes.len();
    telemetry::group(size);
    let committed = commit(connection, &outcomes);
    for outcome in outcomes {
        (outcome.answer)(committed.clone());
    }
    size
}

fn run_under_savepoint(
    connection: &mut Connection,
    operation: Box<dyn Operation>,
) -> Option<Outcome> {
    if let Err(error) = control(connection, "SAVEPOINT operation") {
        operation.refuse(error);
        return None;
    }
    let outcome = operation.run(connection);
    if connection.is_autocommit() {
        return Some(outcome);
    }
    let released = match outcome.kept {
        true => control(connection, "RELEASE operation"),
        false => control(connection, "ROLLBACK TO operation")
            .and_then(|()| control(connection, "RELEASE operation")),
    };
    if let Err(error) = released {
        // Without its savepoint an operation cannot be told from its group: undo all of it.
        tracing::error!(%error, "a savepoint could not be released");
        roll_back(connection);
    }
    Some(outcome)
}

fn commit(connection: &mut Connection, outcomes: &[Outcome]) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Err(StoreError::Unavailable {
            cause: "the disk is full or broken, the transaction was undone".to_owned(),
        });
    }
    if !outcomes.iter().any(|outcome| outcome.kept) {
        roll_back(connection);
        return Ok(());
    }
    let started = Instant::now();
    let result = control(connection, "COMMIT");
    telemetry::commit(started.elapsed());
    if let Err(error) = &result {
        tracing::error!(%error, "a commit failed");
        roll_back(connection);
    }
    result
}

fn roll_back(connection: &mut Connection) {
    if !connection.is_autocommit()
        && let Err(error) = control(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a rollback failed");
    }
}

/// Runs a statement of transaction control from the statement cache.
fn control(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}
