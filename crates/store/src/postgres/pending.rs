//! Statements on their way: sent at once, and looked at before the next one whose answer matters.
//!
//! A transaction that writes six rows then waits for the server once instead of six times.

use futures::future::{BoxFuture, FutureExt, join_all};
use tokio_postgres::{Client, Statement};

use crate::{StoreError, Value};

/// What was sent to the server and not yet answered, in order.
#[derive(Default)]
pub(crate) struct Pending<'c>(Vec<BoxFuture<'c, Result<(), StoreError>>>);

impl<'c> Pending<'c> {
    /// Sends a statement without parameters: what begins a transaction.
    pub(super) fn send_simple(&mut self, client: &'c Client, sql: &'static str) {
        self.push(async move { Ok(client.batch_execute(sql).await?) }.boxed());
    }

    /// Sends a statement that has to change exactly one row.
    pub(super) fn send_one(
        &mut self,
        client: &'c Client,
        statement: Statement,
        params: Vec<Value<'static>>,
    ) {
        let running = async move {
            match client.execute_raw(&statement, params).await? {
                1 => Ok(()),
                found => Err(StoreError::RowCount { expected: 1, found }),
            }
        };
        self.push(running.boxed());
    }

    /// The driver sends on the first poll, and keeps answers in the order of what was sent.
    fn push(&mut self, mut running: BoxFuture<'c, Result<(), StoreError>>) {
        match (&mut running).now_or_never() {
            Some(result) => self.0.push(futures::future::ready(result).boxed()),
            None => self.0.push(running),
        }
    }

    /// Waits for all answers; the first failure is the one that counts, the others follow from it.
    pub(crate) async fn settle(&mut self) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        join_all(std::mem::take(&mut self.0))
            .await
            .into_iter()
            .collect()
    }
}
