//! What `Store::write` promises.

use store::{StoreError, params};

use crate::fixture::{add, both_engines, ids, insert};

/// An error of a caller of the store.
#[derive(Debug, PartialEq)]
enum VerbError {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for VerbError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

both_engines! {
    async fn a_write_is_there_when_it_is_acknowledged(database) {
        add(&database.store, "a").await.unwrap();
        assert_eq!(ids(&database.store).await, ["a"]);
    }

    async fn nothing_is_kept_of_an_operation_that_answers_an_error(database) {
        let refused: Result<(), VerbError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                insert(tx, "a").await?;
                Err(VerbError::Refused)
            }))
            .await;
        assert_eq!(refused, Err(VerbError::Refused));
        assert!(ids(&database.store).await.is_empty());
    }

    async fn nothing_is_kept_after_a_failed_statement_even_if_the_closure_ignores_it(database) {
        add(&database.store, "taken").await.unwrap();
        let ignored: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                insert(tx, "before").await?;
                drop(insert(tx, "taken").await);
                drop(insert(tx, "after").await);
                Ok(())
            }))
            .await;
        assert!(ignored.unwrap_err().is_duplicate());
        assert_eq!(ids(&database.store).await, ["taken"]);
    }

    async fn nothing_is_kept_of_an_operation_that_panics_and_the_next_one_works(database) {
        let panicked: Result<(), StoreError> = database
            .store
            .write("test.panic", |tx| Box::pin(async move {
                insert(tx, "a").await?;
                panic!("on purpose");
            }))
            .await;
        assert_eq!(panicked, Err(StoreError::Panicked { name: "test.panic" }));
        add(&database.store, "b").await.unwrap();
        assert_eq!(ids(&database.store).await, ["b"]);
    }

    async fn of_many_concurrent_operations_only_the_failing_ones_are_undone(database) {
        let running: Vec<_> = (0..200)
            .map(|number| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let id = format!("{number:03}");
                    store
                        .write("test", move |tx| Box::pin(async move {
                            insert(tx, &id).await?;
                            match number % 3 {
                                0 => Err(VerbError::Refused),
                                _ => Ok(()),
                            }
                        }))
                        .await
                })
            })
            .collect();
        let mut kept = Vec::new();
        for (number, task) in running.into_iter().enumerate() {
            match task.await.unwrap() {
                Ok(()) => kept.push(format!("{number:03}")),
                Err(error) => assert_eq!(error, VerbError::Refused),
            }
        }
        assert_eq!(kept.len(), 133);
        assert_eq!(ids(&database.store).await, kept);
    }

    async fn one_of_many_concurrent_writers_of_a_key_wins(database) {
        let running: Vec<_> = (0..50)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move { add(&store, "the one").await })
            })
            .collect();
        let mut won = 0;
        for task in running {
            match task.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert!(error.is_duplicate(), "{error}"),
            }
        }
        assert_eq!(won, 1);
    }

    async fn a_write_is_finished_although_its_caller_goes_away(database) {
        let store = database.store.clone();
        let caller = tokio::spawn(async move { add(&store, "a").await });
        // Let it line up, then hang up.
        while ids(&database.store).await.is_empty() && !caller.is_finished() {
            tokio::task::yield_now().await;
        }
        caller.abort();
        drop(caller.await);
        add(&database.store, "b").await.unwrap();
        assert_eq!(ids(&database.store).await, ["a", "b"]);
    }

    async fn a_parameter_is_bound_by_its_number_wherever_it_stands(database) {
        add(&database.store, "a").await.unwrap();
        let row: Result<(String, i64, String), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                let sql = "UPDATE jobs SET payload = $2, attempts = $3 WHERE id = $1 AND $2 <> id";
                tx.execute_one(sql, params!["a", "{\"b\":1}", 7]).await?;
                let row = tx
                    .query_one("SELECT payload, attempts, id FROM jobs WHERE id = $1", params!["a"])
                    .await?;
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            }))
            .await;
        assert_eq!(row.unwrap(), ("{\"b\":1}".to_owned(), 7, "a".to_owned()));
    }

    async fn a_wrong_number_of_parameters_is_an_error(database) {
        for sql in ["DELETE FROM jobs WHERE id = $1 AND kind = $2", "DELETE FROM jobs"] {
            let result: Result<u64, StoreError> = database
                .store
                .write("test", move |tx| Box::pin(async move {
                    tx.execute(sql, params!["a"]).await
                }))
                .await;
            assert!(matches!(result, Err(StoreError::Statement(_))), "{result:?}");
        }
    }

    async fn changing_no_row_where_one_is_meant_is_an_error(database) {
        let result: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                insert(tx, "a").await?;
                tx.execute_one("DELETE FROM jobs WHERE id = $1", params!["missing"]).await
            }))
            .await;
        assert_eq!(result, Err(StoreError::RowCount { expected: 1, found: 0 }));
        assert!(ids(&database.store).await.is_empty());
    }

    async fn each_kind_of_broken_rule_has_its_error(database) {
        add(&database.store, "a").await.unwrap();
        let duplicate = add(&database.store, "a").await.unwrap_err();
        assert!(duplicate.is_duplicate(), "{duplicate}");
        let missing: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                let sql = "INSERT INTO jobs (id, kind, payload, created_at, attempts, revision) VALUES ($1, $2, '', 0, 0, 0)";
                tx.execute_one(sql, params!["b", None::<String>]).await
            }))
            .await;
        assert!(matches!(missing, Err(StoreError::Refused { .. })), "{missing:?}");
        let wrong: Result<u64, StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move { tx.execute("DELETE FROM no_table", params![]).await }))
            .await;
        assert!(matches!(wrong, Err(StoreError::Statement(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_closure_that_awaits_something_else_is_refused_on_sqlite() {
    let database = crate::fixture::Database::sqlite().await;
    let result: Result<(), StoreError> = database
        .store
        .write("test.sleep", |tx| {
            Box::pin(async move {
                insert(tx, "a").await?;
                tokio::task::yield_now().await;
                Ok(())
            })
        })
        .await;
    assert!(
        matches!(
            result,
            Err(StoreError::Misuse {
                name: "test.sleep",
                ..
            })
        ),
        "{result:?}"
    );
    assert!(ids(&database.store).await.is_empty());
}
