//! Opening a data file: lock, pragmas, migrations, then the writer and the readers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use rusqlite::{Connection, OpenFlags};

use super::lock::{DataFileLock, beside};
use super::readers::{Readers, STATEMENT_CACHE};
use super::writer::{Operation, Writer};
use crate::config::SqliteConfig;
use crate::migrate::{self, Target};
use crate::tx::Access;
use crate::{StoreError, Tx};

/// An open data file.
pub(crate) struct Sqlite {
    // In the order in which they have to be dropped.
    readers: Readers,
    writer: Writer,
    _temporary: Option<TemporaryFile>,
    _lock: DataFileLock,
}

impl Sqlite {
    /// Opens, and where needed creates, the data file and brings its schema up to `target`.
    pub(crate) fn open(config: &SqliteConfig, target: Target) -> Result<Self, StoreError> {
        let temporary = config.path.is_none().then(TemporaryFile::new);
        let path = match (&config.path, &temporary) {
            (Some(path), _) => path.as_path(),
            (None, Some(temporary)) => temporary.0.as_path(),
            (None, None) => return Err(StoreError::Closed),
        };
        create_private(path)?;
        let lock = DataFileLock::acquire(path)?;
        let mut connection = open_for_writing(path, temporary.is_some())?;
        migrate(&mut connection, target)?;
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA optimize = 0x10002;")?;
        Ok(Self {
            readers: Readers::new(path, config.scans),
            writer: Writer::start(connection, config.queue)?,
            _temporary: temporary,
            _lock: lock,
        })
    }

    pub(crate) async fn submit(&self, operation: Box<dyn Operation>) -> Result<(), StoreError> {
        self.writer.submit(operation).await
    }

    /// Runs a short read on the calling thread. `None` if it awaited anything but its transaction.
    pub(crate) fn read<T, F>(&self, work: F) -> Result<Option<T>, StoreError>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, T>,
    {
        self.readers.with(|connection| {
            let mut tx = Tx::on_sqlite(connection, Access::Read);
            work(&mut tx).now_or_never()
        })
    }

    /// As [`read`](Self::read), over one snapshot of the whole database.
    pub(crate) fn read_snapshot<T, F>(&self, work: F) -> Result<Option<T>, StoreError>
    where
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, T>,
    {
        self.readers.with(|connection| {
            connection.execute_batch("BEGIN")?;
            let result = work(&mut Tx::on_sqlite(connection, Access::Read)).now_or_never();
            connection.execute_batch("COMMIT")?;
            Ok(result)
        })?
    }

    pub(crate) async fn scan_permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, StoreError> {
        self.readers.scan_permit().await
    }
}

/// The data file holds password hashes and sealed keys: it is its owner's alone.
/// SQLite gives the files beside it the same permissions.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        StoreError::Configuration(format!("cannot open `{}`: {error}", path.display()))
    })
}

fn open_for_writing(path: &Path, temporary: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let journal: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if journal != "wal" {
        return Err(StoreError::Configuration(format!(
            "`{}` cannot use a write-ahead log (SQLite answers `{journal}`); use a local file system",
            path.display()
        )));
    }
    // A file that nobody can open again need not survive a power cut.
    let synchronous = if temporary { "OFF" } else { "FULL" };
    // 16 MiB of pages: what is used all the time. The rest is in the system's cache of the file, at
    // the price of a copy, and does not count as ours.
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384; \
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; \
         PRAGMA journal_size_limit = 67108864; PRAGMA case_sensitive_like = ON; \
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
    ))?;
    Ok(connection)
}

/// Each migration runs in a transaction of its own. Foreign keys are off meanwhile, because rebuilding
/// a table drops the one that others refer to; they are checked before each commit instead.
fn migrate(connection: &mut Connection, target: Target) -> Result<(), StoreError> {
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    loop {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut tx = Tx::on_sqlite(connection, Access::Write);
        let step = migrate::step(&mut tx, target)
            .now_or_never()
            .unwrap_or(Err(StoreError::Closed));
        drop(tx);
        let step = step.and_then(|more| check_references(connection).map(|()| more));
        match step {
            Ok(more) => {
                connection.execute_batch("COMMIT")?;
                if !more {
                    return Ok(());
                }
            }
            Err(error) => {
                if !connection.is_autocommit() {
                    connection.execute_batch("ROLLBACK")?;
                }
                return Err(error);
            }
        }
    }
}

fn check_references(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        None => Ok(()),
        Some(row) => Err(StoreError::MissingReference {
            constraint: row.get(0)?,
        }),
    }
}

/// The data file of `sqlite::memory:`: several connections need a file to share.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("certwright-{}-{count}.db", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            // What cannot be removed is left to whoever tidies the temporary directory.
            drop(std::fs::remove_file(beside(&self.0, suffix)));
        }
    }
}
