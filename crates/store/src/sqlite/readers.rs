//! Connections that only read. In WAL mode they neither wait for the writer nor hold it up.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::StoreError;

/// Statements kept prepared per connection; more than the program has.
pub(super) const STATEMENT_CACHE: usize = 512;

/// Idle read-only connections; new ones are opened when there is none.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// How many connections are kept when idle.
    keep: usize,
    /// How many long reads may run at once.
    scans: Semaphore,
}

impl Readers {
    pub(super) fn new(path: &Path, scans: usize) -> Self {
        let keep = scans + std::thread::available_parallelism().map_or(4, usize::from);
        Self {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            keep,
            scans: Semaphore::new(scans),
        }
    }

    /// Runs `work` with a connection. A panic drops the connection instead of returning it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let result = work(&mut connection);
        let mut idle = self.idle.lock();
        if idle.len() < self.keep && connection.is_autocommit() {
            idle.push(connection);
        }
        Ok(result)
    }

    /// Waits until another long read may start.
    pub(super) async fn scan_permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, StoreError> {
        self.scans.acquire().await.map_err(|_| StoreError::Closed)
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
             PRAGMA case_sensitive_like = ON;",
        )?;
        Ok(connection)
    }
}
