//! What `Store::read` and `Store::scan` promise.

use pki::time::Timestamp;
use store::{StoreError, params};

use crate::fixture::{add, both_engines, ids};

both_engines! {
    async fn a_read_sees_what_was_acknowledged_before(database) {
        for number in 0..50 {
            let id = format!("{number:02}");
            add(&database.store, &id).await.unwrap();
            let found: Result<bool, StoreError> = database
                .store
                .read("test", |tx| Box::pin(async move {
                    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1)";
                    tx.query_one(sql, params![&id]).await?.get(0)
                }))
                .await;
            assert!(found.unwrap());
        }
    }

    async fn a_read_cannot_write(database) {
        let result: Result<u64, StoreError> = database
            .store
            .read("test", |tx| Box::pin(async move {
                tx.execute("DELETE FROM jobs", params![]).await
            }))
            .await;
        assert!(matches!(result, Err(StoreError::Misuse { .. })), "{result:?}");
    }

    async fn a_scan_sees_one_snapshot_while_others_write(database) {
        add(&database.store, "a").await.unwrap();
        let (first_done, first) = std::sync::mpsc::channel();
        let (written, go_on) = std::sync::mpsc::channel::<()>();
        let store = database.store.clone();
        let scan = tokio::spawn(async move {
            store
                .scan("test", move |tx| Box::pin(async move {
                    let sql = "SELECT count(*) FROM jobs";
                    let before: i64 = tx.query_one(sql, params![]).await?.get(0)?;
                    first_done.send(()).unwrap();
                    tokio::task::block_in_place(|| go_on.recv().unwrap());
                    let after: i64 = tx.query_one(sql, params![]).await?.get(0)?;
                    Ok::<_, StoreError>((before, after))
                }))
                .await
        });
        tokio::task::spawn_blocking(move || first.recv().unwrap()).await.unwrap();
        add(&database.store, "b").await.unwrap();
        written.send(()).unwrap();
        assert_eq!(scan.await.unwrap().unwrap(), (1, 1));
        assert_eq!(ids(&database.store).await, ["a", "b"]);
    }

    async fn every_kind_of_value_reads_back(database) {
        let time = Timestamp::from_millis(1_790_000_000_123);
        let read: Result<_, StoreError> = database
            .store
            .read("test", move |tx| Box::pin(async move {
                let sql = "SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT), \
                           CAST($4 AS TEXT), CAST($5 AS BIGINT)";
                let row = tx
                    .query_one(sql, params![i64::MIN, "grüße", time, None::<&str>, true])
                    .await?;
                assert_eq!(row.len(), 5);
                assert_eq!(row.get::<&str>(1)?, "grüße");
                assert_eq!(row.get::<Option<i64>>(0)?, Some(i64::MIN));
                let wrong = row.get::<i64>(1).unwrap_err();
                assert!(matches!(wrong, StoreError::Column { index: 1, .. }), "{wrong}");
                assert!(row.get::<String>(3).is_err(), "NULL is not a text");
                Ok((
                    row.get::<i64>(0)?,
                    row.get::<String>(1)?,
                    row.get::<Timestamp>(2)?,
                    row.get::<Option<String>>(3)?,
                    row.get::<bool>(4)?,
                ))
            }))
            .await;
        assert_eq!(read.unwrap(), (i64::MIN, "grüße".to_owned(), time, None, true));
    }

    async fn texts_sort_by_their_octets(database) {
        for id in ["b", "B", "a", "Ä", "_", "1"] {
            add(&database.store, id).await.unwrap();
        }
        assert_eq!(ids(&database.store).await, ["1", "B", "_", "a", "b", "Ä"]);
    }

    async fn a_pattern_tells_upper_from_lower_case(database) {
        for id in ["host.example", "HOST.example"] {
            add(&database.store, id).await.unwrap();
        }
        let found: Result<Vec<String>, StoreError> = database
            .store
            .read("test", |tx| Box::pin(async move {
                let sql = "SELECT id FROM jobs WHERE id LIKE $1";
                let rows = tx.query(sql, params!["host%"]).await?;
                rows.iter().map(|row| row.get(0)).collect()
            }))
            .await;
        assert_eq!(found.unwrap(), ["host.example"]);
    }
}
