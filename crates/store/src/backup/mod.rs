//! Backup and restore, in one format for both engines: with it a database also moves from one to the
//! other.
//!
//! A backup is UTF-8 text, one JSON value a line (<https://jsonlines.org>):
//!
//! ```text
//! {"certwright_backup":1,"schema":1,"created_at":"2027-01-31T12:00:00Z"}
//! {"table":"settings","columns":["name","value","updated_at"]}
//! ["installation","1",1801396800000]
//! {"table":"crls","columns":["issuer_id","number","this_update_at","next_update_at","der"]}
//! ["iss_…",7,1801396800000,1801483200000,{"base64":"MIIB…"}]
//! {"end":{"rows":2,"sha256":"…"}}
//! ```
//!
//! Tables come in an order in which each stands behind those it refers to, rows in the order of their
//! keys. The hash is over everything before the last line. Secrets are in it as they are in the
//! database: sealed or hashed. Replay nonces are not: after a restore all of them are void.

mod export;
mod format;
mod import;

use std::io;
use std::path::PathBuf;

use crate::{StoreError, Tx, migrate, params};

/// Why there is no backup, or why one was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error("`{}`: {cause}", path.display())]
    File {
        /// The backup.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// There is a file of that name already.
    #[error("`{}` exists; backups overwrite nothing, choose another name", .0.display())]
    Exists(PathBuf),
    /// The file is not a backup, or not a whole one.
    #[error("`{}`, line {line}: {reason}", path.display())]
    Format {
        /// The backup.
        path: PathBuf,
        /// Where, counted from 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The backup was made by a newer release.
    #[error(
        "the backup has schema version {backup}, this program knows versions up to {program}; restore it with the newer release"
    )]
    Newer {
        /// The schema's version in the backup.
        backup: i64,
        /// The newest version this program knows.
        program: i64,
    },
    /// There is data where the backup is to go.
    #[error("the database is not empty ({0} has rows); restore into an empty one")]
    NotEmpty(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a backup or a restore went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Rows of all tables.
    pub rows: u64,
    /// The schema's version in the backup.
    pub schema: i64,
}

/// The columns of a table, in their order.
async fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = crate::Sql::each(
        "SELECT name FROM pragma_table_info($1) ORDER BY cid",
        "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    );
    let rows = tx.query(sql, params![table]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The tables that a backup holds.
fn tables() -> Vec<&'static str> {
    migrate::tables()
}
