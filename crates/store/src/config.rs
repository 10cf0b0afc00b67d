//! Where the database is and how many connections it gets.

use std::fmt;
use std::path::PathBuf;

use crate::{Engine, StoreError};

/// How to reach the database.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite://<path>`, `sqlite::memory:` or `postgres://user@host/database`.
    pub url: String,
    /// Connections to PostgreSQL.
    pub connections: usize,
    /// Long reads (lists, reports) that may run at once on SQLite.
    pub scans: usize,
    /// Operations that may wait for SQLite's writer before callers are held up.
    pub queue: usize,
}

impl StoreConfig {
    /// The usual sizes.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 16,
            scans: 4,
            queue: 1024,
        }
    }

    /// Which engine the URL names.
    pub fn engine(&self) -> Result<Engine, StoreError> {
        match self.url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Engine::Sqlite),
            Some("postgres" | "postgresql") => Ok(Engine::Postgres),
            _ => Err(StoreError::Configuration(
                "database.url is `sqlite://<path>` or `postgres://<user>@<host>/<database>`".into(),
            )),
        }
    }

    pub(crate) fn sqlite(&self) -> Result<SqliteConfig, StoreError> {
        let rest = self.url.strip_prefix("sqlite:").unwrap_or(&self.url);
        let path = match rest.strip_prefix("//").unwrap_or(rest) {
            ":memory:" => None,
            "" => {
                let text = "database.url names no file; write `sqlite://<path>`";
                return Err(StoreError::Configuration(text.to_owned()));
            }
            path => Some(PathBuf::from(path)),
        };
        Ok(SqliteConfig {
            path,
            scans: self.scans.max(1),
            queue: self.queue.max(1),
        })
    }
}

impl fmt::Debug for StoreConfig {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("engine", &self.engine().map(Engine::name))
            .field("connections", &self.connections)
            .field("scans", &self.scans)
            .field("queue", &self.queue)
            .finish()
    }
}

/// The part of a [`StoreConfig`] that SQLite needs.
pub(crate) struct SqliteConfig {
    /// `None` for a database that lives as long as the store.
    pub(crate) path: Option<PathBuf>,
    pub(crate) scans: usize,
    pub(crate) queue: usize,
}
