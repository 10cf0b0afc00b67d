//! A fresh database of each engine, and a macro that runs one test on both.

use std::path::Path;

use store::testing::PostgresCluster;
use store::{Store, StoreConfig, StoreError, params};
use tempfile::TempDir;

/// A database of its own, gone with the value.
pub struct Database {
    pub store: Store,
    pub url: String,
    pub _directory: Option<TempDir>,
}

impl Database {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = sqlite_url(&directory.path().join("test.db"));
        let store = Store::open(StoreConfig::new(&url)).await.unwrap();
        Self {
            store,
            url,
            _directory: Some(directory),
        }
    }

    pub async fn postgres() -> Self {
        let url = PostgresCluster::shared().unwrap().database().await.unwrap();
        let store = Store::open(StoreConfig::new(&url)).await.unwrap();
        Self {
            store,
            url,
            _directory: None,
        }
    }
}

pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// `both_engines! { async fn name(database: Database) { … } }` is one test on each engine.
macro_rules! both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident) $body:block)*) => {
        $(
            $(#[$meta])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn check($database: $crate::fixture::Database) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    check($crate::fixture::Database::sqlite().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgresql() {
                    check($crate::fixture::Database::postgres().await).await;
                }
            }
        )*
    };
}
pub(crate) use both_engines;

/// Adds a row, of the one table that every schema version has.
pub async fn add(store: &Store, id: &str) -> Result<(), StoreError> {
    let id = id.to_owned();
    store
        .write("test.add", move |tx| {
            Box::pin(async move { insert(tx, &id).await })
        })
        .await
}

pub async fn insert(tx: &mut store::Tx<'_>, id: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO jobs (id, kind, payload, created_at, attempts, revision) \
               VALUES ($1, 'test', '{}', 0, 0, 0)";
    tx.execute_one(sql, params![id]).await
}

/// The ids of all rows, in order.
pub async fn ids(store: &Store) -> Vec<String> {
    let listed: Result<Vec<String>, StoreError> = store
        .scan("test.ids", |tx| {
            Box::pin(async move {
                let rows = tx
                    .query("SELECT id FROM jobs ORDER BY id", params![])
                    .await?;
                rows.iter().map(|row| row.get(0)).collect()
            })
        })
        .await;
    listed.unwrap()
}
