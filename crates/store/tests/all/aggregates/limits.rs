//! Rate limits and replay nonces.

use std::time::Duration;

use store::{Store, StoreConfig, StoreError, params};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::at;

both_engines! {
    async fn a_burst_is_taken_and_comes_back_place_by_place(database) {
        transact!(database, |tx| {
            for _ in 0..3 {
                assert_eq!(tx.take("a", at(0), 10_000, 3).await?, Ok(()));
            }
            assert_eq!(tx.take("a", at(0), 10_000, 3).await?, Err(Duration::from_secs(10)));
            assert_eq!(tx.take("a", at(4), 10_000, 3).await?, Err(Duration::from_secs(6)));
            assert_eq!(tx.take("b", at(4), 10_000, 3).await?, Ok(()));
            assert_eq!(tx.take("a", at(10), 10_000, 3).await?, Ok(()));
            assert!(tx.take("a", at(10), 10_000, 3).await?.is_err());
            for _ in 0..3 {
                assert_eq!(tx.take("a", at(1000), 10_000, 3).await?, Ok(()), "never more than the burst");
            }
            assert!(tx.take("a", at(1000), 10_000, 3).await?.is_err());
            assert_eq!(tx.purge_rate_limits(at(100)).await?, 1);
            assert!(tx.take("a", at(1000), 10_000, 3).await?.is_err());
        });
    }

    async fn concurrent_callers_get_no_more_than_the_burst(database) {
        let callers: Vec<_> = (0..40)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let taken: Result<Result<(), Duration>, StoreError> = store
                        .write("test", |tx| Box::pin(async move { tx.take("a", at(0), 1000, 5).await }))
                        .await;
                    taken.unwrap().is_ok()
                })
            })
            .collect();
        let mut granted = 0;
        for caller in callers {
            granted += usize::from(caller.await.unwrap());
        }
        assert_eq!(granted, 5);
    }

    async fn p05_a_nonce_is_redeemed_by_one_of_a_thousand(database) {
        database.store.nonce_epoch().await.unwrap();
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move { store.spend_nonce("nonce", at(0)).await.unwrap() })
            })
            .collect();
        let mut accepted = 0;
        for caller in callers {
            accepted += usize::from(caller.await.unwrap());
        }
        assert_eq!(accepted, 1);
    }

    async fn nonces_of_a_lost_epoch_are_void(database) {
        let store = &database.store;
        let epoch = store.nonce_epoch().await.unwrap();
        assert_eq!(store.nonce_epoch().await.unwrap(), epoch);
        assert!(store.spend_nonce("spent", at(0)).await.unwrap());
        // What a crash or a failover of the server does to unlogged tables.
        transact!(database, |tx| {
            tx.execute("DELETE FROM spent_nonces", params![]).await?;
            tx.execute("DELETE FROM nonce_epoch", params![]).await?;
        });
        assert!(!store.spend_nonce("spent", at(0)).await.unwrap());
        assert!(!store.spend_nonce("unspent", at(0)).await.unwrap());
        assert_ne!(store.nonce_epoch().await.unwrap(), epoch);
        assert!(store.spend_nonce("of the new epoch", at(0)).await.unwrap());
    }

    async fn spent_nonces_are_forgotten_when_they_are_old(database) {
        let store = &database.store;
        store.nonce_epoch().await.unwrap();
        assert!(store.spend_nonce("old", at(0)).await.unwrap());
        assert!(store.spend_nonce("new", at(100)).await.unwrap());
        assert_eq!(store.purge_nonces(at(100)).await.unwrap(), 1);
        assert!(!store.spend_nonce("new", at(101)).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_nonce_is_redeemed_by_one_of_two_nodes_and_after_a_restart_by_none() {
    let cluster = store::testing::PostgresCluster::shared().unwrap();
    let url = cluster.database().await.unwrap();
    let one = Store::open(StoreConfig::new(&url)).await.unwrap();
    let other = Store::open(StoreConfig::new(&url)).await.unwrap();
    let epoch = one.nonce_epoch().await.unwrap();
    assert_eq!(other.nonce_epoch().await.unwrap(), epoch);
    for number in 0..50 {
        let nonce = number.to_string();
        let (first, second) = tokio::join!(
            one.spend_nonce(&nonce, at(0)),
            other.spend_nonce(&nonce, at(0))
        );
        assert!(first.unwrap() != second.unwrap(), "exactly one of the two");
    }
    drop((one, other));
    let restarted = Store::open(StoreConfig::new(&url)).await.unwrap();
    restarted.nonce_epoch().await.unwrap();
    assert!(!restarted.spend_nonce("7", at(1)).await.unwrap());
}
