//! `Store`: the door to the database, with one way to write and two ways to read.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::config::StoreConfig;
use crate::dialect::Engine;
use crate::migrate::Target;
use crate::postgres::Postgres;
use crate::sqlite::{Operation, Outcome, Sqlite};
use crate::tx::Access;
use crate::{StoreError, Tx, telemetry};

/// An open database. Clones share it; it closes with the last of them.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    /// See [`Store::nonce_epoch`].
    epoch: Arc<Mutex<Option<Arc<str>>>>,
}

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    pub async fn open(config: StoreConfig) -> Result<Self, StoreError> {
        Self::open_at(config, Target::newest()).await
    }

    pub(crate) async fn open_at(config: StoreConfig, target: Target) -> Result<Self, StoreError> {
        let backend = match config.engine()? {
            Engine::Sqlite => {
                let config = config.sqlite()?;
                let opened = tokio::task::spawn_blocking(move || Sqlite::open(&config, target));
                Backend::Sqlite(opened.await.map_err(|_| StoreError::Closed)??)
            }
            Engine::Postgres => Backend::Postgres(Postgres::open(&config, target).await?),
        };
        Ok(Self {
            backend: Arc::new(backend),
            epoch: Arc::default(),
        })
    }

    /// The database behind this store.
    pub fn engine(&self) -> Engine {
        match *self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether other nodes may use the database at the same time.
    pub fn is_shared(&self) -> bool {
        self.engine() == Engine::Postgres
    }

    pub(crate) fn known_epoch(&self) -> Option<Arc<str>> {
        self.epoch.lock().clone()
    }

    pub(crate) fn remember_epoch(&self, epoch: &str) {
        let mut known = self.epoch.lock();
        if known.as_deref() != Some(epoch) {
            *known = Some(Arc::from(epoch));
        }
    }

    /// Runs `operation` in a transaction and answers once its changes are durable.
    ///
    /// If it answers an error, or one of its statements failed, nothing of it is kept. It may await
    /// nothing but its `Tx`: on SQLite there is one writer, and it waits for nobody. Once begun it is
    /// finished even if the caller goes away.
    pub async fn write<T, E, F>(&self, name: &'static str, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &*self.backend {
            Backend::Sqlite(sqlite) => {
                let (reply, answer) = oneshot::channel();
                let call = Call {
                    name,
                    operation,
                    reply,
                };
                match sqlite.submit(Box::new(call)).await {
                    Ok(()) => answer
                        .await
                        .unwrap_or_else(|_| Err(StoreError::Closed.into())),
                    Err(error) => Err(error.into()),
                }
            }
            Backend::Postgres(_) => {
                let backend = Arc::clone(&self.backend);
                // On a task of its own, so that a caller who hangs up does not undo it half-way.
                let written = tokio::spawn(async move {
                    match &*backend {
                        Backend::Postgres(postgres) => postgres.write(name, operation).await,
                        Backend::Sqlite(_) => Err(StoreError::Closed.into()),
                    }
                });
                written
                    .await
                    .unwrap_or_else(|_| Err(StoreError::Closed.into()))
            }
        };
        telemetry::operation("write", name, started.elapsed());
        result
    }

    /// Runs statements that need no transaction around them, because each is complete in itself and
    /// may be lost in a crash: on PostgreSQL two round trips fewer than [`write`](Self::write).
    pub(crate) async fn write_unlogged<T, F>(
        &self,
        name: &'static str,
        operation: F,
    ) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let started = Instant::now();
        let Backend::Postgres(postgres) = &*self.backend else {
            return self.write(name, operation).await;
        };
        let result = postgres.run(Access::Write, operation).await;
        telemetry::operation("write", name, started.elapsed());
        result
    }

    /// Runs a short read by key. Statements may each see a newer state than the one before.
    ///
    /// On SQLite it runs on the calling task, which is faster than handing it over: anything longer
    /// than a few rows belongs into [`scan`](Self::scan).
    pub async fn read<T, E, F>(&self, name: &'static str, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let started = Instant::now();
        let result = match &*self.backend {
            Backend::Sqlite(sqlite) => settle(name, sqlite.read(operation)),
            Backend::Postgres(postgres) => postgres.run(Access::Read, operation).await,
        };
        telemetry::operation("read", name, started.elapsed());
        result
    }

    /// Runs a longer read (lists, reports) over one snapshot of the database.
    pub async fn scan<T, E, F>(&self, name: &'static str, operation: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &*self.backend {
            Backend::Sqlite(sqlite) => {
                let _permit = sqlite.scan_permit().await?;
                let backend = Arc::clone(&self.backend);
                tokio::task::spawn_blocking(move || match &*backend {
                    Backend::Sqlite(sqlite) => settle(name, sqlite.read_snapshot(operation)),
                    Backend::Postgres(_) => Err(StoreError::Closed.into()),
                })
                .await
                .unwrap_or_else(|_| Err(StoreError::Panicked { name }.into()))
            }
            Backend::Postgres(postgres) => postgres.read_snapshot(operation).await,
        };
        telemetry::operation("scan", name, started.elapsed());
        result
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        match self {
            // The writer finishes and closes when it is dropped.
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => postgres.close(),
        }
    }
}

/// A closure for SQLite's writer, with the way back to its caller.
struct Call<F, T, E> {
    name: &'static str,
    operation: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Operation for Call<F, T, E>
where
    F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T, E>> + Send,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &mut rusqlite::Connection) -> Outcome {
        let Self {
            name,
            operation,
            reply,
        } = *self;
        let mut tx = Tx::on_sqlite(connection, Access::Write);
        let called = AssertUnwindSafe(|| operation(&mut tx).now_or_never());
        let result = match std::panic::catch_unwind(called) {
            Ok(Some(result)) => result,
            Ok(None) => Err(awaited_something_else(name).into()),
            Err(_) => Err(StoreError::Panicked { name }.into()),
        };
        let result = keep_only_if_clean(result, tx);
        Outcome {
            kept: result.is_ok(),
            answer: Box::new(move |committed| {
                let result = result.and_then(|value| match committed {
                    Ok(()) => Ok(value),
                    Err(error) => Err(error.into()),
                });
                // A caller that went away does not want the answer.
                drop(reply.send(result));
            }),
        }
    }

    fn refuse(self: Box<Self>, reason: StoreError) {
        drop(self.reply.send(Err(reason.into())));
    }
}

/// A failed statement undoes the transaction, whatever the closure made of it.
fn keep_only_if_clean<T, E: From<StoreError>>(result: Result<T, E>, tx: Tx<'_>) -> Result<T, E> {
    match (result, tx.into_failure()) {
        (Ok(value), None) => Ok(value),
        (Ok(_), Some(failure)) => Err(failure.into()),
        (Err(error), _) => Err(error),
    }
}

fn settle<T, E: From<StoreError>>(
    name: &'static str,
    result: Result<Option<Result<T, E>>, StoreError>,
) -> Result<T, E> {
    match result {
        Ok(Some(result)) => result,
        Ok(None) => Err(awaited_something_else(name).into()),
        Err(error) => Err(error.into()),
    }
}

fn awaited_something_else(name: &'static str) -> StoreError {
    StoreError::Misuse {
        name,
        rule: "a transaction awaits nothing but its own statements",
    }
}
