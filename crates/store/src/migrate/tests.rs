//! Steps that fail and are repeated, and what the history itself has to be like.

use super::*;
use crate::testing::PostgresCluster;
use crate::{Store, StoreConfig};

const fn migration(version: i64, sql: &'static str) -> Migration {
    Migration {
        version,
        name: "test",
        sql,
        sqlite: "",
        postgres: "",
    }
}

// Behind every real one: the store that they run on has those already.
const POPULATE: Migration = migration(
    9002,
    "CREATE TABLE a (n INTEGER NOT NULL);\nINSERT INTO a (n) VALUES (1);",
);
const BROKEN: Migration = migration(
    9003,
    "CREATE TABLE b (n INTEGER);\nUPDATE a SET n = 2;\nINSERT INTO c VALUES (1);",
);
const MENDED: Migration = migration(9003, "CREATE TABLE b (n INTEGER);\nUPDATE a SET n = n + 1;");
const LAST: Migration = migration(9004, "ALTER TABLE a ADD COLUMN m INTEGER;");

/// Runs steps of a history until it is done or one fails, each in its transaction.
async fn run(store: &Store, history: &'static [Migration]) -> Result<(), StoreError> {
    loop {
        let step = store.write("migrate", move |tx| {
            Box::pin(async move { step_of(history, tx, Target(i64::MAX)).await })
        });
        if !step.await? {
            return Ok(());
        }
    }
}

async fn value(store: &Store, sql: &'static str) -> Result<i64, StoreError> {
    store
        .read("test", move |tx| {
            Box::pin(async move { tx.query_one(sql, params![]).await?.get(0) })
        })
        .await
}

async fn interrupted_and_resumed(url: &str) {
    // The steps of this test come behind the first of the real ones.
    let store = Store::open_at(StoreConfig::new(url), Target(1))
        .await
        .unwrap();
    let error = run(&store, &[POPULATE, BROKEN, LAST]).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Migration { version: 9003, .. }),
        "{error}"
    );
    let version = "SELECT max(version) FROM schema_migrations";
    assert_eq!(
        value(&store, version).await.unwrap(),
        9002,
        "the step before it stays"
    );
    assert_eq!(
        value(&store, "SELECT n FROM a").await.unwrap(),
        1,
        "nothing of it is left"
    );
    assert!(value(&store, "SELECT count(*) FROM b").await.is_err());

    run(&store, &[POPULATE, MENDED, LAST]).await.unwrap();
    assert_eq!(value(&store, version).await.unwrap(), 9004);
    assert_eq!(
        value(&store, "SELECT n FROM a WHERE m IS NULL")
            .await
            .unwrap(),
        2
    );
    run(&store, &[POPULATE, MENDED, LAST]).await.unwrap();
    assert_eq!(
        value(&store, "SELECT n FROM a").await.unwrap(),
        2,
        "no step runs twice"
    );

    let error = run(&store, &[POPULATE, MENDED]).await.unwrap_err();
    assert_eq!(
        error,
        StoreError::Newer {
            database: 9004,
            program: 9003
        }
    );
}

#[tokio::test]
async fn s09_an_interrupted_upgrade_is_undone_and_resumed_on_sqlite() {
    interrupted_and_resumed("sqlite::memory:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s09_an_interrupted_upgrade_is_undone_and_resumed_on_postgresql() {
    let url = PostgresCluster::shared().unwrap().database().await.unwrap();
    interrupted_and_resumed(&url).await;
}

#[test]
fn a_backup_holds_every_table_but_those_of_passing_things() {
    let tables = tables();
    assert!(
        tables.contains(&"certificates") && tables.contains(&"jobs"),
        "{tables:?}"
    );
    for passing in ["spent_nonces", "held_keys", "idempotency_keys"] {
        assert!(!tables.contains(&passing), "{tables:?}");
    }
    let place = |name| tables.iter().position(|table| *table == name);
    assert!(
        place("acme_directories") < place("acme_accounts"),
        "{tables:?}"
    );
}

#[test]
fn versions_rise() {
    let versions: Vec<_> = MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .collect();
    assert!(
        versions.is_sorted_by(|one, next| one < next),
        "{versions:?}"
    );
}
