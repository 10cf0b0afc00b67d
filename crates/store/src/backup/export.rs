//! Writing a backup: one snapshot, row by row, beside the running traffic.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use pki::time::Timestamp;

use super::format::{LineWriter, Mark, VERSION};
use super::{BackupError, BackupReport, columns, tables};
use crate::migrate::Target;
use crate::{Store, Tx, params};

type Output = LineWriter<BufWriter<File>>;

impl Store {
    /// Writes a backup to `path`, which must not exist yet. It is there whole or not at all.
    pub async fn backup(&self, path: &Path, now: Timestamp) -> Result<BackupReport, BackupError> {
        let failed = |cause| BackupError::File {
            path: path.to_owned(),
            cause,
        };
        if path.try_exists().map_err(failed)? {
            return Err(BackupError::Exists(path.to_owned()));
        }
        let partial = partial(path);
        let output = LineWriter::new(BufWriter::with_capacity(1 << 20, create(&partial)?));
        let target = partial.clone();
        let written = self
            .scan("backup", move |tx| {
                Box::pin(async move { write_all(tx, output, &target, now).await })
            })
            .await;
        let finished = written.and_then(|(file, report)| {
            publish(&file, &partial, path).map_err(failed)?;
            Ok(report)
        });
        if finished.is_err() {
            // What is left of a failed backup is of use to nobody.
            drop(std::fs::remove_file(&partial));
        }
        finished
    }
}

async fn write_all(
    tx: &mut Tx<'_>,
    mut output: Output,
    path: &Path,
    now: Timestamp,
) -> Result<(File, BackupReport), BackupError> {
    let failed = |cause| BackupError::File {
        path: path.to_owned(),
        cause,
    };
    let schema = Target::newest().number();
    let head = Mark::Head {
        certwright_backup: VERSION,
        schema,
        created_at: now,
    };
    output.mark(&head).map_err(failed)?;
    for table in tables() {
        let columns = columns(tx, table).await?;
        // The first two columns hold the key of every table.
        let sql = format!("SELECT {} FROM {table} ORDER BY 1, 2", columns.join(", "));
        let mark = Mark::Table {
            table: table.to_owned(),
            columns,
        };
        output.mark(&mark).map_err(failed)?;
        tx.for_each(&sql, params![], |row| output.row(row)?.map_err(failed))
            .await?;
    }
    let (buffer, rows) = output.finish().map_err(failed)?;
    let file = buffer
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    Ok((file, BackupReport { rows, schema }))
}

/// The name under which a backup is written before it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// A backup is its owner's alone, like the database.
fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    opened.map_err(|cause| BackupError::File {
        path: path.to_owned(),
        cause,
    })
}

/// Makes it durable, then visible, then its name durable.
fn publish(file: &File, partial: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(partial, path)?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}
