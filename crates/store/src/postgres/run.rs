//! Running closures on connections of the pool.

use std::panic::AssertUnwindSafe;

use deadpool_postgres::{Client, Object};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::open::Postgres;
use super::pending::Pending;
use super::transaction::{Started, Transaction};
use crate::tx::Access;
use crate::{StoreError, Tx};

/// How a closure ended, and what its statements met with, whatever the closure made of it.
struct Ended<T, E> {
    result: Result<T, E>,
    failure: Option<StoreError>,
}

impl Postgres {
    /// Runs a closure in a transaction and commits it, unless it or one of its statements failed.
    pub(crate) async fn write<T, E, F>(&self, name: &'static str, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>>,
        E: From<StoreError>,
    {
        let client = self.client().await?;
        let ended = write_on(&client, name, operation).await;
        give_back(client, ended)
    }

    /// Runs a closure without a transaction around its statements.
    pub(crate) async fn run<T, E, F>(&self, access: Access, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>>,
        E: From<StoreError>,
    {
        let client = self.client().await?;
        let pending = Pending::default();
        let mut tx = Tx::on_postgres(&client, &client.statement_cache, access, pending);
        let result = settled(operation(&mut tx).await, &mut tx).await;
        let failure = tx.into_failure();
        give_back(client, Ended { result, failure })
    }

    /// Runs a closure that reads, over one snapshot.
    pub(crate) async fn read_snapshot<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>>,
        E: From<StoreError>,
    {
        let client = self.client().await?;
        let ended = read_on(&client, operation).await;
        give_back(client, ended)
    }
}

async fn write_on<T, E, F>(client: &Client, name: &'static str, operation: F) -> Ended<T, E>
where
    F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>>,
    E: From<StoreError>,
{
    let (transaction, pending) = Transaction::begin(client, Started::Write);
    let mut tx = Tx::on_postgres(client, &client.statement_cache, Access::Write, pending);
    let called = AssertUnwindSafe(async { operation(&mut tx).await }).catch_unwind();
    let result = match called.await {
        Ok(result) => settled(result, &mut tx).await,
        Err(_) => Err(StoreError::Panicked { name }.into()),
    };
    // Dropping the transaction undoes it. A failed one must not be committed: the server would
    // answer a rollback, which the driver does not tell from a commit.
    match (result, tx.into_failure()) {
        (Ok(value), None) => match transaction.commit().await {
            Ok(()) => Ended {
                result: Ok(value),
                failure: None,
            },
            Err(error) => Ended::failed(error),
        },
        (Ok(_), Some(failure)) => Ended::failed(failure),
        (Err(error), failure) => Ended {
            result: Err(error),
            failure,
        },
    }
}

async fn read_on<T, E, F>(client: &Client, operation: F) -> Ended<T, E>
where
    F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>>,
    E: From<StoreError>,
{
    let (_transaction, pending) = Transaction::begin(client, Started::Snapshot);
    let mut tx = Tx::on_postgres(client, &client.statement_cache, Access::Read, pending);
    let result = operation(&mut tx).await;
    Ended {
        result,
        failure: tx.into_failure(),
    }
}

/// A closure that succeeded has done so only when all that it sent has.
async fn settled<T, E: From<StoreError>>(result: Result<T, E>, tx: &mut Tx<'_>) -> Result<T, E> {
    let value = result?;
    tx.settle().await?;
    Ok(value)
}

impl<T, E: From<StoreError>> Ended<T, E> {
    fn failed(error: StoreError) -> Self {
        Self {
            result: Err(error.clone().into()),
            failure: Some(error),
        }
    }
}

/// Returns the connection to the pool, unless it may be broken: it takes a moment until a connection
/// that the server ended knows it, and nobody else should meet with it meanwhile.
fn give_back<T, E>(client: Client, ended: Ended<T, E>) -> Result<T, E> {
    match ended.failure {
        Some(StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }) => {
            drop(Object::take(client));
        }
        Some(_) | None => drop(client),
    }
    ended.result
}
