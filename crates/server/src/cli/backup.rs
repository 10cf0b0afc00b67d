//! `certwright backup` and `certwright restore`, on the server's machine.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::clock::{Clock, SystemClock};
use serde_json::json;
use store::{BackupError, Store};

use super::Context;
use super::config::ConfigArgs;
use super::exit::Failure;
use super::local::{self, Local};
use super::{files, output};
use crate::config::{Config, Seal};
use crate::control::MadeBackup;
use crate::wiring;

/// Arguments of `certwright backup`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright backup --data ./data --out certwright-2027-01-31.backup
  certwright backup --config certwright.toml --out c.backup --with-seal-key /safe/seal.key

It works while the server runs, and is the same file for SQLite and PostgreSQL. Private keys and
other secrets in it are sealed: it is worth nothing without the seal key, and of no use to a thief
without it. Keep the two apart.")]
pub struct Backup {
    /// File to write; it must not exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also write the seal key, to a file of its own
    #[arg(long, value_name = "FILE")]
    with_seal_key: Option<PathBuf>,
    #[command(flatten)]
    from: ConfigArgs,
}

impl Backup {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let config = self.from.load()?;
        let made = match Local::open(&config).await? {
            Local::Server(server) => server.backup(&self.out).await.map_err(local::failure)?,
            Local::Own(wired) => own(&wired.store, &self.out).await?,
        };
        if let Some(path) = &self.with_seal_key {
            copy_seal_key(&config, path)?;
        }
        let answer = json!({
            "file": self.out,
            "rows": made.rows,
            "octets": made.octets,
            "seal_key": seal_key_place(&config),
            "seal_key_copied_to": self.with_seal_key,
        });
        let columns = ["file", "rows", "octets", "seal_key", "seal_key_copied_to"];
        output::print_columns(context.output, &columns, &answer)?;
        if self.with_seal_key.is_none() {
            output::note(&format!(
                "the secrets in it are sealed, and the key that opens them is not in it; keep a \
                 copy of it elsewhere: {}",
                seal_key_place(&config)
            ));
        }
        Ok(())
    }
}

async fn own(store: &Store, path: &Path) -> Result<MadeBackup, Failure> {
    let report = store
        .backup(path, SystemClock.now())
        .await
        .map_err(refusal)?;
    let octets = std::fs::metadata(path)
        .map_err(|error| files::failed(path, error))?
        .len();
    Ok(MadeBackup {
        rows: report.rows,
        octets,
    })
}

fn seal_key_place(config: &Config) -> String {
    match &config.seal {
        Seal::File(path) => path.display().to_string(),
        Seal::Key(_) => "the value of seal.key in the configuration".to_owned(),
    }
}

fn copy_seal_key(config: &Config, to: &Path) -> Result<(), Failure> {
    match &config.seal {
        Seal::File(from) => {
            let octets = std::fs::read(from).map_err(|error| files::failed(from, error))?;
            files::write_private(to, &zeroize::Zeroizing::new(octets))
        }
        Seal::Key(_) => Err(Failure::refused(
            "the seal key stands in the configuration (seal.key); keep a copy of it there",
        )),
    }
}

/// Arguments of `certwright restore`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright restore certwright-2027-01-31.backup --data ./data --seal-key /safe/seal.key
  certwright restore certwright-2027-01-31.backup --config new.toml

The database must be empty: SQLite's is made, PostgreSQL's has to be there. Restoring into the other
engine moves an installation. CRL numbers go on above all that the lost database may have published.")]
pub struct Restore {
    /// The backup
    file: PathBuf,
    /// The seal key that was kept apart, to be put in its place
    #[arg(long, value_name = "FILE")]
    seal_key: Option<PathBuf>,
    #[command(flatten)]
    from: ConfigArgs,
}

impl Restore {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let config = self.from.load()?;
        wiring::prepare_data_dir(&config)?;
        place_seal_key(&config, self.seal_key.as_deref())?;
        let target = wiring::store_config(&config);
        let restored = Store::restore(target, &self.file, SystemClock.now()).await;
        let (store, report) = restored.map_err(refusal)?;
        // SQLite's file is for one at a time.
        drop(store);
        finish(&config, report.rows).await?;
        let answer = json!({
            "rows": report.rows,
            "schema": report.schema,
            "database": config.database.target.shown(),
        });
        let columns = ["database", "rows", "schema"];
        Ok(output::print_columns(context.output, &columns, &answer)?)
    }
}

/// Without the right key the first start would make a new one, and nothing would open any more.
fn place_seal_key(config: &Config, given: Option<&Path>) -> Result<(), Failure> {
    let Seal::File(place) = &config.seal else {
        return match given {
            None => Ok(()),
            Some(_) => Err(Failure::usage(
                "the configuration holds the seal key (seal.key); --seal-key is for one in a file",
            )),
        };
    };
    match (given, place.exists()) {
        (None, true) => Ok(()),
        (None, false) => Err(Failure::refused(format!(
            "the seal key is missing; put the copy that was kept apart to {}, or name it with \
             --seal-key",
            place.display()
        ))),
        (Some(given), false) => {
            let octets = std::fs::read(given).map_err(|error| files::failed(given, error))?;
            files::write_private(place, &zeroize::Zeroizing::new(octets))
        }
        (Some(_), true) => Err(Failure::refused(format!(
            "{} exists; move it away to put another in its place",
            place.display()
        ))),
    }
}

/// Opens what was restored, as the server will.
async fn finish(config: &Config, rows: u64) -> Result<(), Failure> {
    let wired = wiring::open(config).await?;
    if let Err(error) = wired.lifecycle.checkpoint_key().await {
        return Err(Failure::refused(format!(
            "the database is restored, but its secrets do not open: {error}; put the right seal \
             key in its place before the server is started"
        )));
    }
    wired
        .lifecycle
        .note_restore(rows, &local::caller())
        .await
        .map_err(anyhow::Error::from)?;
    Ok(())
}

fn refusal(error: BackupError) -> Failure {
    match error {
        BackupError::Store(store::StoreError::Locked(path)) => Failure::refused(format!(
            "a server is using {}; stop it first, and restore into an empty database",
            path.display()
        )),
        BackupError::Store(error) => anyhow::Error::from(error).into(),
        BackupError::File { path, cause } => files::failed(&path, cause),
        error @ (BackupError::Exists(_)
        | BackupError::Format { .. }
        | BackupError::Newer { .. }
        | BackupError::NotEmpty(_)) => Failure::refused(error),
    }
}
