//! S7: backup while under load, restore on an empty database, from one engine to the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::testing::PostgresCluster;
use store::{BackupError, Engine, Store, StoreConfig, StoreError};
use tempfile::TempDir;

use crate::fixture::{Database, add, both_engines, ids, sqlite_url};
use crate::samples::{
    account, at, certificate, directory, eab_key, enrollment, event, issuer, signing,
};

both_engines! {
    async fn s07_a_backup_under_load_is_one_consistent_state(database) {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|task| {
                let (store, stop) = (database.store.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut round = 0;
                    while !stop.load(Ordering::Relaxed) {
                        add_pair(&store, format!("{task}-{round}")).await;
                        round += 1;
                    }
                })
            })
            .collect();
        while ids(&database.store).await.len() < 40 {
            tokio::task::yield_now().await;
        }
        let files = Files::new();
        let before = ids(&database.store).await;
        let report = database.store.backup(&files.backup, at(0)).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let restored = restore(&files, database.store.engine()).await.unwrap();
        let rows = ids(&restored).await;
        assert_eq!(rows.len() as u64, report.rows);
        assert!(before.iter().all(|id| rows.contains(id)), "all acknowledged rows are in it");
        for id in &rows {
            let (name, half) = id.split_once('/').unwrap();
            let other = if half == "a" { "b" } else { "a" };
            assert!(rows.contains(&format!("{name}/{other}")), "{id} without its transaction");
        }
    }

    async fn s07_a_database_moves_to_the_other_engine_and_back_unchanged(database) {
        fill(&database).await;
        let other = match database.store.engine() {
            Engine::Sqlite => Engine::Postgres,
            Engine::Postgres => Engine::Sqlite,
        };
        let (first, second) = (Files::new(), Files::new());
        let report = database.store.backup(&first.backup, at(0)).await.unwrap();
        assert!(report.rows >= 9);
        let moved = restore(&first, other).await.unwrap();
        assert_eq!(moved.engine(), other);
        let copied = moved.backup(&second.backup, at(0)).await.unwrap();
        // The one difference: the floors that a restore raises.
        assert_eq!(copied.rows, report.rows + 1);
        let text = |files: &Files| std::fs::read_to_string(&files.backup).unwrap();
        let kept: Vec<_> = text(&second)
            .lines()
            .filter(|line| !line.contains("crl-number-floor") && !line.contains("sha256"))
            .map(str::to_owned)
            .collect();
        let original: Vec<_> =
            text(&first).lines().filter(|line| !line.contains("sha256")).map(str::to_owned).collect();
        assert_eq!(kept, original);
    }

    async fn a_backup_goes_into_an_empty_database_only(database) {
        add(&database.store, "a").await.unwrap();
        let files = Files::new();
        database.store.backup(&files.backup, at(0)).await.unwrap();
        let Database { store, url, _directory } = database;
        drop(store);
        let result = Store::restore(StoreConfig::new(&url), &files.backup, at(0)).await;
        assert!(matches!(result, Err(BackupError::NotEmpty("jobs"))));
        let store = Store::open(StoreConfig::new(url)).await.unwrap();
        assert_eq!(ids(&store).await, ["a"]);
    }

    async fn a_backup_that_was_cut_or_changed_is_refused_and_leaves_nothing(database) {
        for id in ["a", "b", "c"] {
            add(&database.store, id).await.unwrap();
        }
        let files = Files::new();
        database.store.backup(&files.backup, at(0)).await.unwrap();
        let whole = std::fs::read_to_string(&files.backup).unwrap();
        let without_end: String = whole.lines().rev().skip(1).collect::<Vec<_>>().into_iter().rev()
            .map(|line| format!("{line}\n")).collect();
        let without_row: String =
            whole.lines().filter(|line| !line.starts_with("[\"b\"")).map(|line| format!("{line}\n")).collect();
        let cases = [
            ("without its end", without_end),
            ("without a row", without_row),
            ("with a changed value", whole.replace("[\"b\"", "[\"x\"")),
            ("with an unknown table", whole.replace("\"table\":\"jobs\"", "\"table\":\"sqlite_master\"")),
            ("with an unknown column", whole.replace("\"payload\"", "\"pay, load\"")),
            ("with something behind the end", format!("{whole}[]\n")),
            ("cut in the middle of a line", whole[..whole.len() / 2].to_owned()),
        ];
        for (what, text) in cases {
            assert_ne!(text, whole);
            let damaged = Files::new();
            std::fs::write(&damaged.backup, text).unwrap();
            let url = damaged.url(database.store.engine()).await;
            let result = Store::restore(StoreConfig::new(&url), &damaged.backup, at(0)).await;
            assert!(matches!(result, Err(BackupError::Format { .. })), "{what}");
            let store = Store::open(StoreConfig::new(url)).await.unwrap();
            assert!(ids(&store).await.is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_backup_is_private_and_overwrites_nothing() {
    let database = Database::sqlite().await;
    let files = Files::new();
    database.store.backup(&files.backup, at(0)).await.unwrap();
    let result = database.store.backup(&files.backup, at(0)).await;
    assert!(matches!(result, Err(BackupError::Exists(_))));
    let entries = std::fs::read_dir(files.directory.path()).unwrap().count();
    assert_eq!(entries, 1, "nothing else is left behind");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&files.backup)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn other_files_are_not_taken_for_backups() {
    let newer =
        "{\"certwright_backup\":1,\"schema\":9999,\"created_at\":\"2027-01-31T12:00:00Z\"}\n";
    for text in ["", "hello\n", "{}\n", newer] {
        let files = Files::new();
        std::fs::write(&files.backup, text).unwrap();
        let url = files.url(Engine::Sqlite).await;
        let Err(error) = Store::restore(StoreConfig::new(url), &files.backup, at(0)).await else {
            panic!("restored from {text:?}");
        };
        match error {
            BackupError::Newer { backup: 9999, .. } => assert_eq!(text, newer),
            BackupError::Format { line: 1, .. } => assert_ne!(text, newer),
            other => panic!("{other}"),
        }
    }
}

/// A place for a backup, and for a database to restore it into.
struct Files {
    directory: TempDir,
    backup: PathBuf,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let backup = directory.path().join("backup.jsonl");
        Self { directory, backup }
    }

    async fn url(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => sqlite_url(&self.directory.path().join("restored.db")),
            Engine::Postgres => PostgresCluster::shared().unwrap().database().await.unwrap(),
        }
    }
}

async fn restore(files: &Files, engine: Engine) -> Result<Store, BackupError> {
    let url = files.url(engine).await;
    let restored = Store::restore(StoreConfig::new(url), &files.backup, at(0)).await?;
    Ok(restored.0)
}

/// Two rows in one transaction.
async fn add_pair(store: &Store, name: String) {
    let written: Result<(), StoreError> = store
        .write("test.pair", move |tx| {
            Box::pin(async move {
                crate::fixture::insert(tx, &format!("{name}/a")).await?;
                crate::fixture::insert(tx, &format!("{name}/b")).await
            })
        })
        .await;
    written.unwrap();
}

/// Rows with references, nulls, blobs and more than ASCII.
async fn fill(database: &Database) {
    let filled: Result<(), StoreError> = database
        .store
        .write("test.fill", |tx| {
            Box::pin(async move {
                let directory = directory("default");
                tx.insert_directory(&directory).await?;
                let key = eab_key(&directory.id);
                tx.insert_eab_key(&key).await?;
                let mut bound = account(&directory.id, "thumb");
                bound.eab_key_id = Some(key.id.clone());
                tx.insert_account(&bound).await?;
                tx.retire_thumbprint(&bound.id, "old", at(1)).await?;
                let issuer = issuer("issuing \"ü\"\n\u{1F512}");
                tx.insert_issuer(&issuer).await?;
                let mut signed = enrollment();
                signed.state = signing(&issuer.id, 200);
                tx.insert_enrollment(&signed).await?;
                let names = ["b.example.org", "a.example.org"];
                tx.insert_certificate(&certificate(Some(&issuer.id), 1, &names))
                    .await?;
                tx.insert_event(&event("test", "x", 0)).await?;
                tx.seal_events(10, at(0)).await?;
                tx.put_setting("empty", "", at(0)).await
            })
        })
        .await;
    filled.unwrap();
}
