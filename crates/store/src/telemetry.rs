//! What the store measures about itself.

use std::time::Duration;

use metrics::histogram;

/// A whole operation, from the call to the answer.
pub(crate) fn operation(kind: &'static str, name: &'static str, took: Duration) {
    histogram!("certwright_store_seconds", "kind" => kind, "name" => name).record(took);
}

/// From lining up until the writer has time.
pub(crate) fn queue_wait(took: Duration) {
    histogram!("certwright_store_queue_wait_seconds").record(took);
}

/// How many operations shared one commit.
pub(crate) fn group(size: usize) {
    histogram!("certwright_store_group_size").record(size as f64);
}

/// How long a commit took, fsync included.
pub(crate) fn commit(took: Duration) {
    histogram!("certwright_store_commit_seconds").record(took);
}
