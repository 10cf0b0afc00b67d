//! S9: every step over a database in which each table holds rows, as the release before it left them.
//!
//! `populated.jsonl` has the rows, each with the version of the schema in whose form it is written. They go in
//! version by version, between the steps; a row is never rewritten for a later one, for what a
//! step makes of it is what is tested.

use std::collections::BTreeMap;
use std::str::FromStr;

use data_encoding::BASE64;
use pki::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{MIGRATIONS, Target, created_tables, step};
use crate::list::placeholders;
use crate::testing::PostgresCluster;
use crate::{Store, StoreConfig, StoreError, Tx, Value, params};

const ROWS: &str = include_str!("populated.jsonl");

#[derive(Deserialize)]
struct Row {
    version: i64,
    table: String,
    row: Map<String, Json>,
}

fn rows() -> Vec<Row> {
    let lines = ROWS.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// The id in the first row of a table.
fn id<T: FromStr<Err: std::fmt::Debug>>(table: &str) -> T {
    let rows = rows();
    let row = rows.iter().find(|row| row.table == table).unwrap();
    row.row["id"].as_str().unwrap().parse().unwrap()
}

fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Number(number) => number.as_i64().unwrap().into(),
        Json::String(text) => text.clone().into(),
        Json::Object(blob) => {
            let text = blob["base64"].as_str().unwrap();
            BASE64.decode(text.as_bytes()).unwrap().into()
        }
        Json::Bool(_) | Json::Array(_) => panic!("{json} is in no column"),
    }
}

async fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<(), StoreError> {
    let columns: Vec<&str> = row.row.keys().map(String::as_str).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        row.table,
        columns.join(", "),
        placeholders(columns.len())
    );
    let values: Vec<Value<'_>> = row.row.values().map(value).collect();
    tx.execute_one(&sql, &values).await
}

/// Goes to a version, and puts its rows in.
async fn advance(store: &Store, version: i64) {
    let target = Target::version(version).unwrap();
    let stepped: Result<(), StoreError> = store
        .write("test.step", move |tx| {
            Box::pin(async move {
                while step(tx, target).await? {}
                Ok(())
            })
        })
        .await;
    stepped.unwrap();
    for row in rows().into_iter().filter(|row| row.version == version) {
        let named = format!("{} of version {version}", row.table);
        let inserted: Result<(), StoreError> = store
            .write("test.insert", move |tx| {
                Box::pin(async move { insert(tx, &row).await })
            })
            .await;
        inserted.unwrap_or_else(|error| panic!("{named}: {error}"));
    }
}

async fn count(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let counted: Result<i64, StoreError> = store
        .read("test.count", move |tx| {
            Box::pin(async move { tx.query_one(&sql, params![]).await?.get(0) })
        })
        .await;
    counted.unwrap()
}

async fn upgraded_with_all_its_rows(url: &str, moved: &str) {
    let first = MIGRATIONS.first().unwrap().version;
    let store = Store::open_at(StoreConfig::new(url), Target(first))
        .await
        .unwrap();
    let mut filled = BTreeMap::new();
    for migration in MIGRATIONS {
        advance(&store, migration.version).await;
        for table in created_tables(migration.sql) {
            filled.insert(table, 0);
        }
        for (table, before) in &mut filled {
            let now = count(&store, table).await;
            assert!(
                now > 0,
                "{table} is empty at version {}: add a row of it to populated.jsonl",
                migration.version
            );
            assert!(
                now >= *before,
                "step {} lost rows of {table}",
                migration.version
            );
            *before = now;
        }
    }
    read_everything(&store).await;
    // Every value of every row is read and written once more, into the newest schema.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upgraded.backup");
    let written = store
        .backup(&file, Timestamp::from_seconds(0))
        .await
        .unwrap();
    let (_, restored) = Store::restore(StoreConfig::new(moved), &file, Timestamp::from_seconds(0))
        .await
        .unwrap();
    assert_eq!(restored, written);
}

/// The rows of the first versions are what later code takes them for.
async fn read_everything(store: &Store) {
    let read: Result<(), StoreError> = store
        .read("test.read", |tx| {
            Box::pin(async move {
                assert!(!tx.list_issuers().await?.is_empty());
                assert!(!tx.list_profiles().await?.is_empty());
                assert!(!tx.list_directories().await?.is_empty());
                assert!(!tx.list_teams().await?.is_empty());
                assert!(!tx.list_custom_roles().await?.is_empty());
                assert!(!tx.list_providers().await?.is_empty());
                assert!(!tx.list_fields().await?.is_empty());
                assert!(!tx.list_channels().await?.is_empty());
                assert!(!tx.list_notification_rules().await?.is_empty());
                assert!(!tx.list_cmp_endpoints().await?.is_empty());
                assert!(!tx.list_crl_ends().await?.is_empty());
                assert!(tx.find_account(&id("acme_accounts")).await?.is_some());
                assert!(tx.find_eab_key(&id("eab_keys")).await?.is_some());
                assert!(tx.find_order(&id("acme_orders")).await?.is_some());
                let authorization = id("acme_authorizations");
                assert!(tx.find_authorization(&authorization).await?.is_some());
                assert!(tx.find_enrollment(&id("enrollments")).await?.is_some());
                assert!(tx.find_certificate(&id("certificates")).await?.is_some());
                assert!(tx.find_event(&id("events")).await?.is_some());
                assert!(tx.find_user(&id("users")).await?.is_some());
                assert!(tx.find_entry_point(&id("entry_points")).await?.is_some());
                let token = id("api_tokens");
                assert!(tx.find_token(&token).await?.is_some());
                // What version 1 called a token's role.
                let grants = tx
                    .list_grants_of(&[token.as_str().parse().unwrap()])
                    .await?;
                assert_eq!(grants.len(), 1, "{grants:?}");
                Ok(())
            })
        })
        .await;
    read.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_every_step_keeps_the_rows_of_a_populated_database_on_sqlite() {
    upgraded_with_all_its_rows("sqlite::memory:", "sqlite::memory:").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s09_every_step_keeps_the_rows_of_a_populated_database_on_postgresql() {
    let cluster = PostgresCluster::shared().unwrap();
    let url = cluster.database().await.unwrap();
    let moved = cluster.database().await.unwrap();
    upgraded_with_all_its_rows(&url, &moved).await;
}
