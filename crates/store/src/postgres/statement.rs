//! Preparing and running one statement on a PostgreSQL connection.

use deadpool_postgres::StatementCache;
use futures::{TryStreamExt, pin_mut};
use tokio_postgres::Client;

use super::pending::Pending;
use crate::{Row, StoreError, Value};

/// Runs a statement and answers how many rows it changed.
pub(crate) async fn execute(
    client: &Client,
    statements: &StatementCache,
    sql: &str,
    params: &[Value<'_>],
) -> Result<u64, StoreError> {
    let statement = prepare(client, statements, sql, params.len()).await?;
    Ok(client.execute_raw(&statement, params).await?)
}

/// Sends a statement that has to change exactly one row; what became of it shows later.
pub(crate) async fn send_one<'c>(
    client: &'c Client,
    statements: &StatementCache,
    pending: &mut Pending<'c>,
    sql: &str,
    params: &[Value<'_>],
) -> Result<(), StoreError> {
    let statement = prepare(client, statements, sql, params.len()).await?;
    let params = params.iter().map(Value::to_static).collect();
    pending.send_one(client, statement, params);
    Ok(())
}

/// Runs a statement for each set of parameters, all sent before the first answer is awaited.
pub(crate) async fn execute_each(
    client: &Client,
    statements: &StatementCache,
    sql: &str,
    sets: &[Vec<Value<'_>>],
) -> Result<u64, StoreError> {
    let Some(first) = sets.first() else {
        return Ok(0);
    };
    let statement = prepare(client, statements, sql, first.len()).await?;
    if sets.iter().any(|set| set.len() != first.len()) {
        return Err(StoreError::Statement(format!(
            "sets of unequal length for: {sql}"
        )));
    }
    let running = sets
        .iter()
        .map(|set| client.execute_raw(&statement, set.as_slice()));
    let changed = futures::future::try_join_all(running).await?;
    Ok(changed.into_iter().sum())
}

/// Runs a statement and collects its rows.
pub(crate) async fn query(
    client: &Client,
    statements: &StatementCache,
    sql: &str,
    params: &[Value<'_>],
) -> Result<Vec<Row>, StoreError> {
    let statement = prepare(client, statements, sql, params.len()).await?;
    let rows = client.query_raw(&statement, params).await?;
    pin_mut!(rows);
    let mut collected = Vec::new();
    while let Some(row) = rows.try_next().await? {
        collected.push(Row::from_postgres(row));
    }
    Ok(collected)
}

/// Runs a statement and hands its rows on one by one, as they come from the server.
pub(crate) async fn for_each<E: From<StoreError>>(
    client: &Client,
    statements: &StatementCache,
    sql: &str,
    params: &[Value<'_>],
    mut each: impl FnMut(&Row) -> Result<(), E>,
) -> Result<(), E> {
    let statement = prepare(client, statements, sql, params.len()).await?;
    let rows = client
        .query_raw(&statement, params)
        .await
        .map_err(StoreError::from)?;
    pin_mut!(rows);
    while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
        each(&Row::from_postgres(row))?;
    }
    Ok(())
}

/// The driver panics on a wrong number of parameters; a message is better.
async fn prepare(
    client: &Client,
    statements: &StatementCache,
    sql: &str,
    given: usize,
) -> Result<tokio_postgres::Statement, StoreError> {
    let statement = statements.prepare(client, sql).await?;
    let wanted = statement.params().len();
    match wanted == given {
        true => Ok(statement),
        false => Err(StoreError::Statement(format!(
            "{given} parameters given, {wanted} wanted by: {sql}"
        ))),
    }
}
