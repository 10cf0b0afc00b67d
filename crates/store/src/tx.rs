//! `Tx`: statements inside one transaction, the same on both engines.

use deadpool_postgres::StatementCache;

use crate::dialect::{Engine, Sql};
use crate::postgres::Pending;
use crate::{Row, StoreError, Value, postgres, sqlite};

/// A running transaction, handed to the closures of [`Store`](crate::Store).
///
/// The aggregates are `impl Tx` blocks in files of their own. After the first statement that fails,
/// every further one fails too and the transaction is undone, even if the closure answers `Ok`:
/// PostgreSQL is built that way, and SQLite is held to the same rule.
pub struct Tx<'c> {
    connection: Connection<'c>,
    access: Access,
    failure: Option<StoreError>,
}

enum Connection<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    Postgres {
        client: &'c tokio_postgres::Client,
        statements: &'c StatementCache,
        /// Sent before, and looked at before the next answer.
        pending: Pending<'c>,
    },
}

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl<'c> Tx<'c> {
    pub(crate) fn on_sqlite(connection: &'c mut rusqlite::Connection, access: Access) -> Self {
        Self {
            connection: Connection::Sqlite(connection),
            access,
            failure: None,
        }
    }

    pub(crate) fn on_postgres(
        client: &'c tokio_postgres::Client,
        statements: &'c StatementCache,
        access: Access,
        pending: Pending<'c>,
    ) -> Self {
        Self {
            connection: Connection::Postgres {
                client,
                statements,
                pending,
            },
            access,
            failure: None,
        }
    }

    /// The database behind this transaction.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Runs a statement and answers how many rows it changed.
    pub async fn execute<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let sql = sql.into().on(self.engine());
        self.check()?;
        let result = match self.access {
            Access::Read => Err(StoreError::Misuse {
                name: "execute",
                rule: "a read changes nothing; use `Store::write`",
            }),
            Access::Write => match &mut self.connection {
                Connection::Sqlite(connection) => sqlite::execute(connection, sql, params),
                Connection::Postgres {
                    client,
                    statements,
                    pending,
                } => after(pending, postgres::execute(client, statements, sql, params)).await,
            },
        };
        self.remember(result)
    }

    /// Runs a statement that has to change exactly one row. Whether it did may show only with a
    /// later statement, or with the commit: PostgreSQL is not waited for.
    pub async fn execute_one<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
    ) -> Result<(), StoreError> {
        let sql = sql.into();
        if let Connection::Postgres {
            client,
            statements,
            pending,
        } = &mut self.connection
            && self.access == Access::Write
            && self.failure.is_none()
        {
            let text = sql.on(Engine::Postgres);
            let sent = match postgres::send_one(client, statements, pending, text, params).await {
                // It may only have failed because of what was sent before.
                Err(error) => pending.settle().await.and(Err(error)),
                Ok(()) => Ok(()),
            };
            return self.remember(sent);
        }
        match self.execute(sql, params).await? {
            1 => Ok(()),
            found => self.remember(Err(StoreError::RowCount { expected: 1, found })),
        }
    }

    /// Runs a statement and answers its rows, all of them: give it a `LIMIT`.
    pub async fn query<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into().on(self.engine());
        self.check()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::query(connection, sql, params),
            Connection::Postgres {
                client,
                statements,
                pending,
            } => after(pending, postgres::query(client, statements, sql, params)).await,
        };
        self.remember(result)
    }

    /// Runs a statement that yields at most one row.
    pub async fn query_opt<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        let mut rows = self.query(sql, params).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            found => self.remember(Err(StoreError::RowCount {
                expected: 1,
                found: found as u64,
            })),
        }
    }

    /// Runs a statement that has to yield exactly one row.
    pub async fn query_one<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
    ) -> Result<Row, StoreError> {
        match self.query_opt(sql, params).await? {
            Some(row) => Ok(row),
            None => self.remember(Err(StoreError::RowCount {
                expected: 1,
                found: 0,
            })),
        }
    }

    /// Runs one statement for each set of parameters, which on PostgreSQL costs one round trip for
    /// all of them, and answers how many rows were changed.
    pub async fn execute_each<'s>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        sets: &[Vec<Value<'_>>],
    ) -> Result<u64, StoreError> {
        let sql = sql.into();
        if let Connection::Postgres {
            client,
            statements,
            pending,
        } = &mut self.connection
            && self.access == Access::Write
        {
            if let Some(failure) = &self.failure {
                return Err(failure.clone());
            }
            let text = sql.on(Engine::Postgres);
            let running = postgres::execute_each(client, statements, text, sets);
            let result = after(pending, running).await;
            return self.remember(result);
        }
        let mut changed = 0;
        for params in sets {
            changed += self.execute(sql, params).await?;
        }
        Ok(changed)
    }

    /// Adds rows to `into`, a table with its columns in parentheses. On PostgreSQL many rows go into one
    /// statement.
    pub(crate) async fn insert_rows(
        &mut self,
        into: &str,
        rows: Vec<Vec<Value<'_>>>,
    ) -> Result<(), StoreError> {
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(());
        };
        let together = match self.engine() {
            Engine::Sqlite => 1,
            Engine::Postgres => TOGETHER,
        };
        let mut sets: Vec<Vec<Value<'_>>> = Vec::with_capacity(rows.len() / together + 1);
        let mut single = Vec::new();
        let whole = rows.len() / together * together;
        for (index, row) in rows.into_iter().enumerate() {
            match sets.last_mut() {
                _ if index >= whole => single.push(row),
                Some(set) if index % together != 0 => set.extend(row),
                Some(_) | None => sets.push(row),
            }
        }
        self.execute_each(&insert_of(into, width, together), &sets)
            .await?;
        self.execute_each(&insert_of(into, width, 1), &single)
            .await
            .map(drop)
    }

    /// Runs a statement and hands its rows on one by one, so that there may be any number of them.
    pub(crate) async fn for_each<'s, E: From<StoreError>>(
        &mut self,
        sql: impl Into<Sql<'s>>,
        params: &[Value<'_>],
        each: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = sql.into().on(self.engine());
        self.check()?;
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::for_each(connection, sql, params, each),
            Connection::Postgres {
                client,
                statements,
                pending,
            } => {
                pending.settle().await?;
                postgres::for_each(client, statements, sql, params, each).await
            }
        }
    }

    /// Runs several statements without parameters: for migrations only.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.check()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute_batch(sql).map_err(Into::into),
            Connection::Postgres {
                client, pending, ..
            } => match pending.settle().await {
                Ok(()) => client.batch_execute(sql).await.map_err(Into::into),
                Err(error) => Err(error),
            },
        };
        self.remember(result)
    }

    /// Waits for what was sent and not yet looked at.
    pub(crate) async fn settle(&mut self) -> Result<(), StoreError> {
        self.check()?;
        let result = match &mut self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres { pending, .. } => pending.settle().await,
        };
        self.remember(result)
    }

    /// The first failure of a statement, after which nothing of this transaction may be kept.
    pub(crate) fn into_failure(self) -> Option<StoreError> {
        self.failure
    }

    fn check(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn remember<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failure.get_or_insert_with(|| error.clone());
        }
        result
    }
}

/// Runs a statement behind those that were sent before; their failure comes first.
async fn after<T>(
    pending: &mut Pending<'_>,
    running: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let (settled, result) = futures::join!(pending.settle(), running);
    settled.and(result)
}

/// So many rows are sent to PostgreSQL in one statement.
const TOGETHER: usize = 50;

fn insert_of(into: &str, width: usize, rows: usize) -> String {
    let mut sql = format!("INSERT INTO {into} VALUES ");
    for row in 0..rows {
        let comma = if row == 0 { "" } else { ", " };
        let places: Vec<String> = (1..=width)
            .map(|n| format!("${}", row * width + n))
            .collect();
        sql.push_str(&format!("{comma}({})", places.join(", ")));
    }
    sql
}
