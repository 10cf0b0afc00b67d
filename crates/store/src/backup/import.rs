//! Reading a backup into an empty database, all of it or nothing.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use pki::time::Timestamp;

use super::format::{Cell, End, LineReader, Mark, VERSION};
use super::{BackupError, BackupReport, columns, tables};
use crate::list::placeholders;
use crate::migrate::Target;
use crate::{Store, StoreConfig, StoreError, Tx, Value, params};

/// How many rows are sent to the database at once.
const BATCH: usize = 256;

impl Store {
    /// Restores a backup of this or an older release into an empty database, raises what must not come
    /// twice, and opens it.
    pub async fn restore(
        config: StoreConfig,
        path: &Path,
        now: Timestamp,
    ) -> Result<(Self, BackupReport), BackupError> {
        let mut source = Source::open(path)?;
        let schema = source.head()?;
        let newest = Target::newest().number();
        let target = Target::version(schema).map_err(|_| BackupError::Newer {
            backup: schema,
            program: newest,
        })?;
        let store = Self::open_at(config.clone(), target).await?;
        let rows = store
            .write("restore", move |tx| {
                Box::pin(async move {
                    check_empty(tx).await?;
                    let rows = source.read_all(tx).await?;
                    tx.raise_floors_after_restore(now).await?;
                    Ok::<_, BackupError>(rows)
                })
            })
            .await?;
        let report = BackupReport { rows, schema };
        if target == Target::newest() {
            return Ok((store, report));
        }
        // The rest of the migrations run as they would have on the old database.
        drop(store);
        Ok((Self::open(config).await?, report))
    }
}

async fn check_empty(tx: &mut Tx<'_>) -> Result<(), BackupError> {
    for table in tables() {
        if columns(tx, table).await?.is_empty() {
            // A table of a later version than the backup's.
            continue;
        }
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        if tx.query_one(&sql, params![]).await?.get(0)? {
            return Err(BackupError::NotEmpty(table));
        }
    }
    Ok(())
}

/// A backup being read.
struct Source {
    path: PathBuf,
    lines: LineReader<BufReader<File>>,
}

/// The table that the next rows belong to.
struct Destination {
    sql: String,
    width: usize,
    batch: Vec<Vec<Value<'static>>>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|cause| BackupError::File {
            path: path.to_owned(),
            cause,
        })?;
        let lines = LineReader::new(BufReader::with_capacity(1 << 20, file));
        Ok(Self {
            path: path.to_owned(),
            lines,
        })
    }

    /// The first line: the schema's version.
    fn head(&mut self) -> Result<i64, BackupError> {
        let line = self.line()?;
        match line.as_deref().map(serde_json::from_str) {
            Some(Ok(Mark::Head {
                certwright_backup: VERSION,
                schema,
                ..
            })) => Ok(schema),
            Some(Ok(Mark::Head { .. })) => Err(self.wrong("a format of a newer release")),
            Some(Ok(Mark::Table { .. } | Mark::End { .. }) | Err(_)) | None => {
                Err(self.wrong("this is not a backup made by `certwright backup`"))
            }
        }
    }

    /// Everything behind the first line; answers how many rows there were.
    async fn read_all(&mut self, tx: &mut Tx<'_>) -> Result<u64, BackupError> {
        let mut destination: Option<Destination> = None;
        let mut rows = 0;
        loop {
            let Some(line) = self.line()? else {
                return Err(self.wrong("the end is missing: the backup is not whole"));
            };
            if line.starts_with('[') {
                let Some(destination) = &mut destination else {
                    return Err(self.wrong("a row before the first table"));
                };
                destination.batch.push(self.row(&line, destination.width)?);
                rows += 1;
                if destination.batch.len() >= BATCH {
                    destination.flush(tx).await?;
                }
                continue;
            }
            if let Some(mut finished) = destination.take() {
                finished.flush(tx).await?;
            }
            match serde_json::from_str(&line) {
                Ok(Mark::Table { table, columns }) => {
                    destination = Some(self.table(tx, &table, &columns).await?);
                }
                Ok(Mark::End { end }) => return self.end(&end, rows),
                Ok(Mark::Head { .. }) | Err(_) => return Err(self.wrong("neither table nor row")),
            }
        }
    }

    fn row(&self, line: &str, width: usize) -> Result<Vec<Value<'static>>, BackupError> {
        let cells: Vec<Cell> =
            serde_json::from_str(line).map_err(|error| self.wrong(&error.to_string()))?;
        if cells.len() != width {
            return Err(self.wrong("the row has not as many columns as its table"));
        }
        let values: Option<Vec<_>> = cells.into_iter().map(Cell::into_value).collect();
        values.ok_or_else(|| self.wrong("a value is not base64"))
    }

    /// Names are checked against the schema: they go into the statement as they are.
    async fn table(
        &self,
        tx: &mut Tx<'_>,
        table: &str,
        wanted: &[String],
    ) -> Result<Destination, BackupError> {
        if !tables().contains(&table) {
            return Err(self.wrong(&format!("there is no table `{table}`")));
        }
        let known = columns(tx, table).await?;
        if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(self.wrong(&format!("the table `{table}` has no column `{name}`")));
        }
        let (names, places) = (wanted.join(", "), placeholders(wanted.len()));
        Ok(Destination {
            sql: format!("INSERT INTO {table} ({names}) VALUES ({places})"),
            width: wanted.len(),
            batch: Vec::with_capacity(BATCH),
        })
    }

    fn end(&mut self, end: &End, rows: u64) -> Result<u64, BackupError> {
        let found = End {
            rows,
            sha256: self.lines.hash_before(),
        };
        if *end != found {
            return Err(self.wrong("the hash does not fit: the backup was changed or damaged"));
        }
        match self.line()? {
            None => Ok(rows),
            Some(_) => Err(self.wrong("there is something behind the end")),
        }
    }

    fn line(&mut self) -> Result<Option<String>, BackupError> {
        match self.lines.next() {
            Ok(line) => Ok(line.map(str::to_owned)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.wrong("this is not UTF-8 text"))
            }
            Err(cause) => Err(BackupError::File {
                path: self.path.clone(),
                cause,
            }),
        }
    }

    fn wrong(&self, reason: &str) -> BackupError {
        BackupError::Format {
            path: self.path.clone(),
            line: self.lines.number(),
            reason: reason.to_owned(),
        }
    }
}

impl Destination {
    async fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.execute_each(&self.sql, &self.batch).await?;
        self.batch.clear();
        Ok(())
    }
}
