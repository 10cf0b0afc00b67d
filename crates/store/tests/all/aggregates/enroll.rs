//! Held keys, named requests, bulk actions, and the renewal that is under way.

use domain::bulk::{Bulk, BulkAction, BulkCounts, BulkItem, BulkOutcome, BulkState, PLAN_LIFETIME};
use domain::enrollment::EnrollmentState;
use domain::event::Actor;
use domain::held_key::HeldKey;
use domain::id::{BulkId, CertificateId};
use domain::idempotency::Attempt;
use pki::fingerprint::Fingerprint;
use pki::key::KeyAlgorithm;

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{RANDOM, at, enrollment};

fn attempt(principal: &str, request: &str, second: i64) -> Attempt {
    Attempt {
        principal: principal.to_owned(),
        key: "k-1".parse().unwrap(),
        request: Fingerprint::of(request.as_bytes()),
        sealed_answer: None,
        created_at: at(second),
        expires_at: at(second + 100),
    }
}

fn bulk() -> Bulk {
    Bulk {
        id: BulkId::mint(at(0), &RANDOM),
        action: BulkAction::Transfer { team: None },
        planner: Actor::system(),
        per_minute: 60,
        state: BulkState::Planned,
        created_at: at(0),
        expires_at: at(0) + PLAN_LIFETIME,
        started_at: None,
        finished_at: None,
    }
}

fn item(outcome: BulkOutcome) -> BulkItem {
    BulkItem {
        certificate: CertificateId::mint(at(0), &RANDOM),
        outcome,
        detail: None,
    }
}

both_engines! {
    async fn a_held_key_is_handed_out_to_one_and_destroyed_when_its_time_is_over(database) {
        transact!(database, |tx| {
            let mut of_key = Vec::new();
            let issued = EnrollmentState::Issued {
                certificate: CertificateId::mint(at(0), &RANDOM),
            };
            let failed = EnrollmentState::Failed { reason: "x".to_owned() };
            for state in [enrollment().state, issued, failed] {
                let mut stored = enrollment();
                stored.state = state;
                stored.updated_at = at(10);
                tx.insert_enrollment(&stored).await?;
                let key = HeldKey {
                    enrollment: stored.id.clone(),
                    owner: "tok_1".to_owned(),
                    algorithm: KeyAlgorithm::Rsa2048,
                    sealed: "sealed".to_owned(),
                    created_at: at(0),
                    expires_at: at(1000),
                };
                tx.insert_held_key(&key).await?;
                of_key.push(stored.id);
            }
            let found = tx.find_held_key(&of_key[0]).await?.unwrap();
            assert_eq!((found.algorithm, found.expires_at), (KeyAlgorithm::Rsa2048, at(1000)));
            let overdue = tx.list_overdue_held_keys(at(20), at(5), 10).await?;
            assert_eq!(overdue, [of_key[2].clone()], "failed");
            let overdue = tx.list_overdue_held_keys(at(20), at(15), 10).await?;
            assert_eq!(overdue.len(), 2, "issued long enough ago, too");
            let overdue = tx.list_overdue_held_keys(at(1000), at(5), 10).await?;
            assert_eq!(overdue.len(), 3, "its time is over");
            assert!(tx.delete_held_key(&of_key[0]).await?);
            assert!(!tx.delete_held_key(&of_key[0]).await?, "once");
            assert!(tx.find_held_key(&of_key[0]).await?.is_none());
        });
    }

    async fn a_named_request_is_begun_once_until_it_expires(database) {
        transact!(database, |tx| {
            let first = attempt("tok_1", "a", 0);
            assert_eq!(tx.begin_attempt(&first).await?, None);
            let again = tx.begin_attempt(&attempt("tok_1", "b", 1)).await?;
            assert_eq!(again, Some(first.clone()), "the first one stands");
            assert_eq!(tx.begin_attempt(&attempt("tok_2", "b", 1)).await?, None, "another's own");
            assert!(tx.answer_attempt("tok_1", &first.key, "sealed").await?);
            assert!(!tx.answer_attempt("tok_1", &first.key, "other").await?);
            assert!(!tx.forget_attempt("tok_1", &first.key).await?, "what is answered stays");
            let again = tx.begin_attempt(&attempt("tok_1", "a", 2)).await?.unwrap();
            assert_eq!(again.sealed_answer.as_deref(), Some("sealed"));
            assert!(tx.forget_attempt("tok_2", &first.key).await?);
            assert_eq!(tx.begin_attempt(&attempt("tok_1", "b", 100)).await?, None, "expired");
            assert_eq!(tx.purge_attempts(at(200)).await?, 1);
        });
    }

    async fn a_bulk_action_settles_each_certificate_once(database) {
        transact!(database, |tx| {
            let mut stored = bulk();
            let items = [
                item(BulkOutcome::Pending),
                item(BulkOutcome::Excluded),
                item(BulkOutcome::Pending),
            ];
            tx.insert_bulk(&stored, &items).await?;
            assert_eq!(tx.find_bulk(&stored.id).await?, Some(stored.clone()));
            let pending = Some(BulkOutcome::Pending);
            let first = tx.list_bulk_items(&stored.id, pending, None, 1).await?;
            let rest = tx
                .list_bulk_items(&stored.id, pending, Some(&first[0].certificate), 9)
                .await?;
            assert_eq!((first.len(), rest.len()), (1, 1));
            let done = BulkItem {
                outcome: BulkOutcome::Done,
                detail: Some("enr_1".to_owned()),
                ..first[0].clone()
            };
            assert!(tx.settle_bulk_item(&stored.id, &done, at(1)).await?);
            let failed = BulkItem { outcome: BulkOutcome::Failed, ..done.clone() };
            assert!(!tx.settle_bulk_item(&stored.id, &failed, at(2)).await?, "once");
            let counts = tx.count_bulk_items(&stored.id).await?;
            let expected = BulkCounts { excluded: 1, pending: 1, done: 1, failed: 0 };
            assert_eq!(counts, expected);
            stored.state = BulkState::Cancelled;
            stored.finished_at = Some(at(5));
            assert!(tx.update_bulk(&stored).await?);
            assert_eq!(tx.find_bulk_for_update(&stored.id).await?, Some(stored.clone()));
            let own = tx.list_bulks(Some("certwright"), None, 9).await?;
            assert_eq!(own, [stored.clone()]);
            assert!(tx.list_bulks(Some("tok_1"), None, 9).await?.is_empty());
            assert_eq!(tx.purge_bulks(at(5)).await?, 0);
            assert_eq!(tx.purge_bulks(at(6)).await?, 1);
            assert!(tx.list_bulk_items(&stored.id, None, None, 9).await?.is_empty());
        });
    }

    async fn the_renewal_under_way_is_found_until_it_ends(database) {
        transact!(database, |tx| {
            let replaced = CertificateId::mint(at(0), &RANDOM);
            let mut stored = enrollment();
            stored.replaces = Some(replaced.clone());
            tx.insert_enrollment(&stored).await?;
            let found = tx.find_enrollment_replacing(&replaced).await?;
            assert_eq!(found, Some(stored.id.clone()));
            stored.state = EnrollmentState::Failed { reason: "x".to_owned() };
            tx.update_enrollment(&stored).await?;
            assert_eq!(tx.find_enrollment_replacing(&replaced).await?, None);
        });
    }
}
