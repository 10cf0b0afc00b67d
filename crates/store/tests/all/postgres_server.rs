//! What belongs to PostgreSQL alone: other nodes, lost connections, wrong addresses.

use std::sync::Arc;

use store::{Store, StoreConfig, StoreError, params};
use tokio::sync::Barrier;

use crate::fixture::{Database, add, ids};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_wait_for_each_other_end_in_a_conflict_for_one() {
    let database = Database::postgres().await;
    add(&database.store, "a").await.unwrap();
    add(&database.store, "b").await.unwrap();
    let both_hold_one = Arc::new(Barrier::new(2));
    let lock_both = |first: &'static str, second: &'static str| {
        let (store, barrier) = (database.store.clone(), Arc::clone(&both_hold_one));
        tokio::spawn(async move {
            let locked: Result<(), StoreError> = store
                .write("test.deadlock", move |tx| {
                    Box::pin(async move {
                        let sql = "UPDATE jobs SET attempts = attempts + 1 WHERE id = $1";
                        // Waited for, as `execute_one` is not: the row has to be locked.
                        tx.execute(sql, params![first]).await?;
                        barrier.wait().await;
                        tx.execute_one(sql, params![second]).await
                    })
                })
                .await;
            locked
        })
    };
    let (one, other) = (lock_both("a", "b"), lock_both("b", "a"));
    let results = [one.await.unwrap(), other.await.unwrap()];
    let conflicts = results
        .iter()
        .filter(|r| matches!(r, Err(StoreError::Conflict { .. })))
        .count();
    assert_eq!(
        (conflicts, results.iter().filter(|r| r.is_ok()).count()),
        (1, 1),
        "{results:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_an_error_that_passes_and_stores_nothing() {
    let database = Database::postgres().await;
    let cut: Result<(), StoreError> = database
        .store
        .write("test.cut", |tx| {
            Box::pin(async move {
                crate::fixture::insert(tx, "a").await?;
                tx.query("SELECT pg_terminate_backend(pg_backend_pid())", params![])
                    .await?;
                Ok(())
            })
        })
        .await;
    let error = cut.unwrap_err();
    assert!(
        matches!(error, StoreError::Unavailable { .. }) && error.is_transient(),
        "{error}"
    );
    add(&database.store, "b").await.unwrap();
    assert_eq!(ids(&database.store).await, ["b"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().to_string_lossy().replace('/', "%2F");
    let url = format!("postgres://somebody@{socket}/certwright");
    let Err(error) = Store::open(StoreConfig::new(url)).await else {
        panic!("connected to nothing");
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_a_matter_of_configuration() {
    let cluster = store::testing::PostgresCluster::shared().unwrap();
    let Err(error) = Store::open(StoreConfig::new(cluster.url("missing"))).await else {
        panic!("connected to a database that is not there");
    };
    assert!(matches!(error, StoreError::Configuration(_)), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn an_unknown_scheme_is_explained() {
    let Err(error) = Store::open(StoreConfig::new("mysql://localhost/x")).await else {
        panic!("that is not a database of ours");
    };
    assert!(error.to_string().contains("sqlite://"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_callers_than_connections_take_turns() {
    let url = store::testing::PostgresCluster::shared()
        .unwrap()
        .database()
        .await
        .unwrap();
    let config = StoreConfig {
        connections: 2,
        ..StoreConfig::new(url)
    };
    let store = Store::open(config).await.unwrap();
    let callers: Vec<_> = (0..40)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { add(&store, &number.to_string()).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(ids(&store).await.len(), 40);
}
