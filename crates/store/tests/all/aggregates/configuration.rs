//! Settings, tokens, issuers, profiles, directories.

use domain::access::Visibility;
use domain::issuer::IssuerState;

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{at, chain, directory, issuer, profile, token};

both_engines! {
    async fn a_setting_is_written_once_or_always_as_asked(database) {
        transact!(database, |tx| {
            assert_eq!(tx.find_setting("a").await?, None);
            assert!(tx.insert_setting_if_absent("a", "first", at(0)).await?);
            assert!(!tx.insert_setting_if_absent("a", "second", at(1)).await?);
            assert_eq!(tx.find_setting("a").await?.as_deref(), Some("first"));
            tx.put_setting("a", "third", at(2)).await?;
            tx.put_setting("b", "other", at(2)).await?;
            assert_eq!(tx.find_setting("a").await?.as_deref(), Some("third"));
            assert!(tx.delete_setting("a").await?);
            assert!(!tx.delete_setting("a").await?);
            assert_eq!(tx.find_setting("b").await?.as_deref(), Some("other"));
        });
    }

    async fn a_one_time_value_is_taken_by_exactly_one_of_many(database) {
        transact!(database, |tx| { tx.put_setting("link", "x", at(0)).await? });
        let takers: Vec<_> = (0..20)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let taken: Result<bool, store::StoreError> = store
                        .write("test", |tx| Box::pin(async move { tx.delete_setting("link").await }))
                        .await;
                    taken.unwrap()
                })
            })
            .collect();
        let mut winners = 0;
        for taker in takers {
            winners += usize::from(taker.await.unwrap());
        }
        assert_eq!(winners, 1);
    }

    async fn a_token_is_found_by_hash_and_id_until_it_is_revoked_once(database) {
        let (one, other) = (token(), token());
        transact!(database, |tx| {
            tx.insert_token(&one).await?;
            tx.insert_token(&other).await?;
            assert_eq!(tx.find_token_by_hash(&one.hash).await?.as_ref(), Some(&one));
            assert_eq!(tx.find_token(&other.id).await?.as_ref(), Some(&other));
            assert_eq!(tx.list_tokens(&Visibility::All, None, 10).await?, [other.clone(), one.clone()]);
            assert_eq!(tx.list_tokens(&Visibility::All, Some(&other.id), 10).await?, std::slice::from_ref(&one));
            assert!(tx.touch_token(&one.id, at(5)).await?);
            assert!(tx.revoke_token(&one.id, at(6)).await?);
            assert!(!tx.revoke_token(&one.id, at(7)).await?);
            let found = tx.find_token(&one.id).await?.unwrap();
            assert_eq!((found.last_used_at, found.revoked_at), (Some(at(5)), Some(at(6))));
            assert_eq!(tx.find_token(&other.id).await?.unwrap().revoked_at, None);
        });
    }

    async fn an_issuer_reads_back_and_changes(database) {
        let mut stored = issuer("issuing");
        transact!(database, |tx| {
            tx.insert_issuer(&stored).await?;
            tx.insert_issuer(&issuer("a root")).await?;
            assert_eq!(tx.find_issuer(&stored.id).await?.as_ref(), Some(&stored));
            stored.state = IssuerState::Active;
            stored.name = "new name".to_owned();
            assert!(tx.update_issuer(&stored).await?);
            assert_eq!(tx.find_issuer_by_name("new name").await?.as_ref(), Some(&stored));
            assert_eq!(tx.find_issuer_by_name("issuing").await?, None);
            let names: Vec<_> = tx.list_issuers().await?.into_iter().map(|i| i.name).collect();
            assert_eq!(names, ["a root", "new name"]);
            assert!(!tx.update_issuer(&issuer("missing")).await?);
        });
    }

    async fn a_profile_has_one_current_version_and_keeps_the_older(database) {
        let first = profile("default");
        let mut second = first.clone();
        second.version = 2;
        second.spec.validity_seconds = 60;
        transact!(database, |tx| {
            tx.insert_profile(&first).await?;
            assert_eq!(tx.find_profile("default").await?.as_ref(), Some(&first));
            tx.insert_profile(&second).await?;
            tx.insert_profile(&profile("client")).await?;
            assert_eq!(tx.find_profile("default").await?.as_ref(), Some(&second));
            let old = tx.find_profile_version(&first.id, 1).await?;
            assert_eq!(old.as_ref(), Some(&first));
            assert_eq!(tx.find_profile_version(&first.id, 3).await?, None);
            let listed = tx.list_profiles().await?;
            let names: Vec<_> = listed.iter().map(|p| (p.name.as_str(), p.version)).collect();
            assert_eq!(names, [("client", 1), ("default", 2)]);
        });
    }

    async fn two_profiles_of_one_name_are_not_current_together(database) {
        let result: Result<(), store::StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                tx.insert_profile(&profile("default")).await?;
                tx.insert_profile(&profile("default")).await
            }))
            .await;
        assert!(result.unwrap_err().is_duplicate());
    }

    async fn a_directory_reads_back_and_changes(database) {
        let mut stored = directory("default");
        transact!(database, |tx| {
            tx.insert_directory(&stored).await?;
            assert_eq!(tx.find_directory(&stored.id).await?.as_ref(), Some(&stored));
            stored.spec.external_account_required = true;
            stored.updated_at = at(9);
            assert!(tx.update_directory(&stored).await?);
            assert_eq!(tx.find_directory_by_name("default").await?.as_ref(), Some(&stored));
            assert_eq!(tx.list_directories().await?, [stored]);
            assert!(!tx.update_directory(&directory("missing")).await?);
        });
    }

    async fn a_chain_is_stored_once_and_reads_back(database) {
        transact!(database, |tx| {
            let id = tx.put_chain(&chain()).await?;
            assert_eq!(tx.put_chain(&chain()).await?, id);
            assert_eq!(tx.find_chain(&id).await?, Some(chain()));
            assert_eq!(tx.find_chain(&chain().with_leaf(vec![1]).id()).await?, None);
        });
    }
}
