//! Migrations: who starts first, who starts too late.

use store::{Store, StoreConfig, StoreError, params};

use crate::fixture::{Database, add, both_engines, ids};

both_engines! {
    async fn a_database_of_a_newer_release_is_refused(database) {
        let recorded: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                let sql = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, 'x', 0)";
                tx.execute_one(sql, params![9999]).await
            }))
            .await;
        recorded.unwrap();
        let Database { store, url, _directory } = database;
        drop(store);
        let Err(error) = Store::open(StoreConfig::new(url)).await else {
            panic!("a newer schema was opened");
        };
        assert!(matches!(error, StoreError::Newer { database: 9999, .. }), "{error}");
        assert!(error.to_string().contains("9999"), "{error}");
    }

    async fn opening_again_changes_nothing(database) {
        add(&database.store, "a").await.unwrap();
        let Database { store, url, _directory } = database;
        drop(store);
        let store = Store::open(StoreConfig::new(url)).await.unwrap();
        assert_eq!(ids(&store).await, ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_may_start_at_once_on_an_empty_postgresql_database() {
    let cluster = store::testing::PostgresCluster::shared().unwrap();
    let url = cluster.database().await.unwrap();
    let starting: Vec<_> = (0..4)
        .map(|_| tokio::spawn(Store::open(StoreConfig::new(&url))))
        .collect();
    for (number, node) in starting.into_iter().enumerate() {
        let store = node.await.unwrap().unwrap();
        add(&store, &number.to_string()).await.unwrap();
    }
}
