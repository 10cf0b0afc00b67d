//! EAB keys, accounts, authorizations, orders.

use domain::access::Visibility;
use domain::acme::account::AccountStatus;
use domain::acme::authorization::{AuthorizationState, Proof};
use domain::acme::challenge::ChallengeKind;
use domain::acme::email::EmailChallenge;
use domain::id::{CertificateId, EnrollmentId};
use store::StoreError;
use store::accounts::AccountFilter;
use store::orders::OrderFilter;

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{RANDOM, account, at, authorization, directory, dns, eab_key, order};

both_engines! {
    async fn an_eab_key_counts_its_uses_and_is_revoked_once(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            tx.insert_directory(&directory).await?;
            let (key, newer) = (eab_key(&directory.id), eab_key(&directory.id));
            tx.insert_eab_key(&key).await?;
            tx.insert_eab_key(&newer).await?;
            assert_eq!(tx.find_eab_key(&key.id).await?.as_ref(), Some(&key));
            assert!(tx.note_eab_key_use(&key.id, at(3)).await?);
            let used = tx.find_eab_key_for_update(&key.id).await?.unwrap();
            assert_eq!((used.uses, used.last_used_at), (1, Some(at(3))));
            assert!(tx.revoke_eab_key(&key.id, at(4)).await?);
            assert!(!tx.revoke_eab_key(&key.id, at(5)).await?);
            let listed = tx.list_eab_keys(&Visibility::All, None, 1).await?;
            assert_eq!(listed, std::slice::from_ref(&newer));
            let rest = tx.list_eab_keys(&Visibility::All, Some(&newer.id), 10).await?;
            assert_eq!(rest[0].revoked_at, Some(at(4)));
        });
    }

    async fn an_account_reads_back_and_changes(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            tx.insert_directory(&directory).await?;
            let mut stored = account(&directory.id, "thumb");
            tx.insert_account(&stored).await?;
            assert_eq!(tx.find_account(&stored.id).await?.as_ref(), Some(&stored));
            stored.status = AccountStatus::Deactivated;
            stored.contacts.clear();
            stored.thumbprint = "new".to_owned();
            stored.updated_at = at(8);
            assert!(tx.update_account(&stored).await?);
            tx.retire_thumbprint(&stored.id, "thumb", at(8)).await?;
            assert_eq!(tx.find_account_for_update(&stored.id).await?.as_ref(), Some(&stored));
            assert_eq!(tx.find_account_by_thumbprint(&directory.id, "thumb").await?, None);
            let found = tx.find_account_by_thumbprint(&directory.id, "new").await?;
            assert_eq!(found.as_ref(), Some(&stored));
            assert!(tx.is_account_thumbprint("new").await?);
            assert!(!tx.is_account_thumbprint("thumb").await?);
            tx.retire_thumbprint(&stored.id, "older", at(1)).await?;
            tx.retire_thumbprint(&stored.id, "thumb", at(9)).await?;
            assert_eq!(tx.list_past_thumbprints(&stored.id).await?, ["thumb", "older"]);
        });
    }

    async fn a_key_belongs_to_one_account_of_a_directory(database) {
        let (here, there) = (directory("here"), directory("there"));
        let ids = (here.id.clone(), there.id.clone());
        transact!(database, |tx| {
            tx.insert_directory(&here).await?;
            tx.insert_directory(&there).await?;
            tx.insert_account(&account(&here.id, "thumb")).await?;
            tx.insert_account(&account(&there.id, "thumb")).await?;
        });
        let (here, there) = ids;
        let second: Result<(), StoreError> = database
            .store
            .write("test", move |tx| Box::pin(async move {
                tx.insert_account(&account(&here, "thumb")).await
            }))
            .await;
        assert!(second.unwrap_err().is_duplicate());
        let rolled_over: Result<bool, StoreError> = database
            .store
            .write("test", move |tx| Box::pin(async move {
                let mut other = account(&there, "other");
                tx.insert_account(&other).await?;
                other.thumbprint = "thumb".to_owned();
                tx.update_account(&other).await
            }))
            .await;
        assert!(rolled_over.unwrap_err().is_duplicate());
    }

    async fn an_account_of_an_unknown_directory_is_refused(database) {
        let result: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                tx.insert_account(&account(&directory("missing").id, "thumb")).await
            }))
            .await;
        assert!(matches!(result, Err(StoreError::MissingReference { .. })), "{result:?}");
    }

    async fn accounts_are_listed_by_what_is_asked(database) {
        transact!(database, |tx| {
            let (one, other) = (directory("one"), directory("other"));
            tx.insert_directory(&one).await?;
            tx.insert_directory(&other).await?;
            let key = eab_key(&one.id);
            tx.insert_eab_key(&key).await?;
            let mut bound = account(&one.id, "1");
            bound.eab_key_id = Some(key.id.clone());
            bound.eab_jws = Some("{}".to_owned());
            let mut revoked = account(&one.id, "2");
            revoked.status = AccountStatus::Revoked;
            let elsewhere = account(&other.id, "3");
            for account in [&bound, &revoked, &elsewhere] {
                tx.insert_account(account).await?;
            }
            let all = AccountFilter::default();
            let listed = tx.list_accounts(&all, None, 10).await?;
            assert_eq!(listed, [elsewhere.clone(), revoked.clone(), bound.clone()]);
            let page = tx.list_accounts(&all, Some(&elsewhere.id), 1).await?;
            assert_eq!(page, std::slice::from_ref(&revoked));
            let valid_here = AccountFilter {
                visible: Visibility::All,
                directory: Some(one.id.clone()),
                status: Some(AccountStatus::Valid),
                eab_key: None,
            };
            let listed = tx.list_accounts(&valid_here, None, 10).await?;
            assert_eq!(listed, std::slice::from_ref(&bound));
            assert_eq!(tx.list_accounts_of_eab_key(&key.id, None, 10).await?, [bound]);
        });
    }

    async fn an_authorization_reads_back_and_changes(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            let account = account(&directory.id, "thumb");
            let mut stored = authorization(&account.id, &directory.id, "example.org");
            let other = authorization(&account.id, &directory.id, "example.net");
            tx.insert_authorization(&stored).await?;
            tx.insert_authorization(&other).await?;
            assert_eq!(tx.find_authorization(&stored.id).await?.as_ref(), Some(&stored));
            stored.begin(ChallengeKind::Http01, at(1)).unwrap();
            stored.succeed(Proof::Challenge(ChallengeKind::Http01), at(2), at(5000), None).unwrap();
            assert!(tx.update_authorization(&stored).await?);
            let found = tx.find_authorization_for_update(&stored.id).await?;
            assert_eq!(found.as_ref(), Some(&stored));
            let missing = authorization(&account.id, &directory.id, "example.com").id;
            let ids = [other.id.clone(), missing, stored.id.clone()];
            let mut listed = tx.list_authorizations_by_ids(&ids).await?;
            listed.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(listed, [stored, other]);
            assert!(tx.list_authorizations_by_ids(&[]).await?.is_empty());
        });
    }

    async fn only_a_valid_authorization_for_the_same_name_is_used_again(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            let account = account(&directory.id, "thumb");
            let mut valid = authorization(&account.id, &directory.id, "example.org");
            valid.state = AuthorizationState::Valid {
                validated_at: at(0),
                by: Proof::Challenge(ChallengeKind::Dns01),
                caa_fresh_until: Some(at(50)),
            };
            let mut longer = valid.clone();
            longer.id = authorization(&account.id, &directory.id, "example.org").id;
            longer.expires_at = at(700);
            let pending = authorization(&account.id, &directory.id, "pending.example.org");
            for authorization in [&valid, &longer, &pending] {
                tx.insert_authorization(authorization).await?;
            }
            let cases = [
                ("example.org", false, 10, Some(&longer)),
                ("example.org", false, 650, Some(&longer)),
                ("example.org", false, 700, None),
                ("example.org", true, 10, None),
                ("www.example.org", false, 10, None),
                ("pending.example.org", false, 10, None),
            ];
            for (name, wildcard, when, expected) in cases {
                let found = tx
                    .find_valid_authorization(
                        &account.id, &directory.id, &dns(name), wildcard, at(when),
                    )
                    .await?;
                assert_eq!(found.as_ref(), expected, "{name} at {when}");
            }
            assert_eq!(tx.delete_expired_authorizations(at(650), 1).await?, 1);
            assert_eq!(tx.delete_expired_authorizations(at(650), 10).await?, 1);
            assert!(tx.find_authorization(&longer.id).await?.is_some());
        });
    }

    async fn a_mail_is_forgotten_with_its_authorization(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            let account = account(&directory.id, "thumb");
            let stored = authorization(&account.id, &directory.id, "mail.example.org");
            tx.insert_authorization(&stored).await?;
            let mail = EmailChallenge {
                authorization: stored.id.clone(),
                token: "half".to_owned(),
                message_id: "<1@example.org>".to_owned(),
                sent_at: None,
                digest: None,
                replied_at: None,
            };
            tx.insert_email_challenge(&mail).await?;
            tx.note_email_sent(&stored.id, at(5)).await?;
            tx.note_email_reply(&stored.id, "first", at(6)).await?;
            tx.note_email_reply(&stored.id, "second", at(7)).await?;
            let found = tx.find_email_challenge_by_token("half").await?.unwrap();
            assert_eq!((found.sent_at, found.replied_at), (Some(at(5)), Some(at(6))));
            assert_eq!(found.digest.as_deref(), Some("first"));
            assert_eq!(tx.purge_email_challenges().await?, 0);
            assert_eq!(tx.delete_expired_authorizations(at(100_000_000), 10).await?, 1);
            assert_eq!(tx.purge_email_challenges().await?, 1);
            assert!(tx.find_email_challenge(&stored.id).await?.is_none());
        });
    }

    async fn an_order_reads_back(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            let account = account(&directory.id, "thumb");
            let mut stored = order(&account.id, &directory.id);
            stored.replaces = Some(CertificateId::mint(at(0), &RANDOM));
            stored.replaces_cert_id = Some("aki.serial".to_owned());
            let newer = order(&account.id, &directory.id);
            tx.insert_order(&stored).await?;
            tx.insert_order(&newer).await?;
            assert_eq!(tx.find_order(&stored.id).await?.as_ref(), Some(&stored));
            assert_eq!(tx.find_order_for_update(&stored.id).await?.as_ref(), Some(&stored));
            let replacing = tx.list_orders_replacing(stored.replaces.as_ref().unwrap()).await?;
            assert_eq!(replacing, std::slice::from_ref(&stored));
            let listed = tx.list_orders_of_account(&account.id, None, 10).await?;
            assert_eq!(listed, [newer.clone(), stored.clone()]);
            let filter = OrderFilter { directory: Some(directory.id), ..OrderFilter::default() };
            assert_eq!(tx.list_orders(&filter, Some(&newer.id), 10).await?, [stored]);
        });
    }

    async fn of_many_finalize_requests_one_wins(database) {
        let directory = directory("default");
        let order = order(&account(&directory.id, "thumb").id, &directory.id);
        let id = order.id.clone();
        transact!(database, |tx| { tx.insert_order(&order).await? });
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let (store, id) = (database.store.clone(), id.clone());
                tokio::spawn(async move {
                    let won: Result<bool, StoreError> = store
                        .write("test", move |tx| Box::pin(async move {
                            let enrollment = EnrollmentId::mint(at(1), &RANDOM);
                            tx.set_order_enrollment(&id, &enrollment).await
                        }))
                        .await;
                    won.unwrap()
                })
            })
            .collect();
        let mut won = 0;
        for call in calls {
            won += usize::from(call.await.unwrap());
        }
        assert_eq!(won, 1);
    }

    async fn only_orders_that_came_to_nothing_are_cleaned_up(database) {
        transact!(database, |tx| {
            let directory = directory("default");
            let account = account(&directory.id, "thumb");
            let abandoned = order(&account.id, &directory.id);
            let finalized = order(&account.id, &directory.id);
            let mut open = order(&account.id, &directory.id);
            open.expires_at = at(9000);
            for order in [&abandoned, &finalized, &open] {
                tx.insert_order(order).await?;
            }
            let enrollment = EnrollmentId::mint(at(1), &RANDOM);
            assert!(tx.set_order_enrollment(&finalized.id, &enrollment).await?);
            assert_eq!(tx.delete_expired_orders(at(5000), 10).await?, 1);
            assert_eq!(tx.find_order(&abandoned.id).await?, None);
            let kept = tx.find_order(&finalized.id).await?.unwrap();
            assert_eq!(kept.enrollment_id, Some(enrollment));
            assert!(tx.find_order(&open.id).await?.is_some());
        });
    }
}
