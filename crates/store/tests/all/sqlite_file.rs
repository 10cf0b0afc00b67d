//! What belongs to SQLite alone: its files, its lock, its faults.

use store::{Store, StoreConfig, StoreError, params};

use crate::fixture::{Database, add, ids, sqlite_url};

#[tokio::test]
async fn a_second_opening_of_the_file_is_refused_with_its_name() {
    let database = Database::sqlite().await;
    let Err(error) = Store::open(StoreConfig::new(&database.url)).await else {
        panic!("the file was opened twice");
    };
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    assert!(error.to_string().contains("test.db"), "{error}");
}

#[tokio::test]
async fn a_closed_file_opens_again_with_all_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let url = sqlite_url(&directory.path().join("test.db"));
    for round in 0..3 {
        let store = Store::open(StoreConfig::new(&url)).await.unwrap();
        assert_eq!(ids(&store).await.len(), round);
        add(&store, &round.to_string()).await.unwrap();
    }
}

#[tokio::test]
async fn a_database_in_memory_is_its_own_and_leaves_nothing_behind() {
    let config = StoreConfig::new("sqlite::memory:");
    let one = Store::open(config.clone()).await.unwrap();
    let other = Store::open(config).await.unwrap();
    add(&one, "a").await.unwrap();
    assert!(ids(&other).await.is_empty());
    assert_eq!(ids(&one).await, ["a"]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = Store::open(StoreConfig::new(sqlite_url(&path)))
        .await
        .unwrap();
    add(&store, "a").await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = directory.path().join(format!("test.db{suffix}"));
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_reported_as_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    std::fs::write(&path, "certainly not a database".repeat(100)).unwrap();
    let Err(error) = Store::open(StoreConfig::new(sqlite_url(&path))).await else {
        panic!("a text file was opened");
    };
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("test.db");
    let Err(error) = Store::open(StoreConfig::new(sqlite_url(&path))).await else {
        panic!("a directory appeared");
    };
    assert!(error.to_string().contains("missing/test.db"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s02_a_full_disk_is_an_error_for_exactly_those_not_stored() {
    let database = Database::sqlite().await;
    let limited: Result<i64, StoreError> = database
        .store
        .write("test.limit", |tx| {
            Box::pin(async move {
                tx.query_one("PRAGMA max_page_count = 60", params![])
                    .await?
                    .get(0)
            })
        })
        .await;
    limited.unwrap();
    let running: Vec<_> = (0..200)
        .map(|number| {
            let store = database.store.clone();
            tokio::spawn(async move {
                let id = format!("{number:03} {}", "x".repeat(900));
                add(&store, &id).await.map(|()| id)
            })
        })
        .collect();
    let mut stored = Vec::new();
    let mut refused = 0;
    for task in running {
        match task.await.unwrap() {
            Ok(id) => stored.push(id),
            Err(StoreError::Unavailable { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0, "60 pages do not hold 200 kB");
    stored.sort();
    assert_eq!(ids(&database.store).await, stored);
}
