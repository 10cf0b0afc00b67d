//! A transaction whose `BEGIN` travels with its first statement.

use futures::future::FutureExt;
use tokio_postgres::Client;

use super::pending::Pending;
use crate::StoreError;

/// An open transaction. Dropping it undoes it.
pub(super) struct Transaction<'c> {
    client: &'c Client,
    is_over: bool,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// Changes, at READ COMMITTED.
    Write,
    /// Reads over one snapshot.
    Snapshot,
}

impl<'c> Transaction<'c> {
    /// Begins one on `client`, on which there must be none. What comes first waits for it.
    pub(super) fn begin(client: &'c Client, started: Started) -> (Self, Pending<'c>) {
        let mut pending = Pending::default();
        pending.send_simple(
            client,
            match started {
                Started::Write => "BEGIN",
                Started::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            },
        );
        let transaction = Self {
            client,
            is_over: false,
        };
        (transaction, pending)
    }

    /// Commits. If the connection breaks meanwhile nobody can say whether it happened.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        // From here on it is the server's to end.
        self.is_over = true;
        self.client
            .batch_execute("COMMIT")
            .await
            .map_err(|error| match StoreError::from(error) {
                StoreError::Unavailable { cause } => StoreError::OutcomeUnknown { cause },
                other => other,
            })
    }
}

impl Drop for Transaction<'_> {
    /// Sends the rollback without waiting: whatever the connection is used for next comes after it.
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}
