//! Enrollments and what they may leave behind.

use domain::access::Visibility;
use domain::enrollment::EnrollmentState;
use store::StoreError;
use store::enrollments::{EnrollmentFilter, Orphan};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{at, enrollment, issuer, serial_number, signing};

both_engines! {
    async fn an_enrollment_keeps_what_is_to_be_signed(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing");
            let mut stored = enrollment();
            tx.insert_enrollment(&stored).await?;
            let found = tx.find_enrollment(&stored.id).await?.unwrap();
            assert_eq!(format!("{found:?}"), format!("{stored:?}"));
            stored.state = signing(&issuer.id, 7);
            stored.updated_at = at(4);
            assert!(tx.update_enrollment(&stored).await?);
            let found = tx.find_enrollment_for_update(&stored.id).await?.unwrap();
            assert_eq!(format!("{found:?}"), format!("{stored:?}"));
            assert!(!tx.update_enrollment(&enrollment()).await?);
        });
    }

    async fn an_enrollment_may_begin_with_signing(database) {
        transact!(database, |tx| {
            let mut stored = enrollment();
            stored.state = signing(&issuer("issuing").id, 7);
            tx.insert_enrollment(&stored).await?;
            let found = tx.find_enrollment(&stored.id).await?.unwrap();
            assert_eq!(found.state, stored.state);
        });
    }

    async fn two_enrollments_never_sign_with_one_serial_of_an_issuer(database) {
        let (one, other) = (issuer("one").id, issuer("other").id);
        let again = one.clone();
        transact!(database, |tx| {
            for issuer in [&one, &other] {
                let mut stored = enrollment();
                stored.state = signing(issuer, 7);
                tx.insert_enrollment(&stored).await?;
            }
        });
        let result: Result<bool, StoreError> = database
            .store
            .write("test", move |tx| Box::pin(async move {
                let mut stored = enrollment();
                tx.insert_enrollment(&stored).await?;
                stored.state = signing(&again, 7);
                tx.update_enrollment(&stored).await
            }))
            .await;
        assert!(result.unwrap_err().is_duplicate());
    }

    async fn s01_what_was_prepared_and_never_recorded_is_an_orphan(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing").id;
            let mut failed = enrollment();
            failed.state = signing(&issuer, 7);
            tx.insert_enrollment(&failed).await?;
            assert!(tx.list_orphans(None, 10).await?.is_empty());
            failed.state = EnrollmentState::Failed { reason: "gave up".to_owned() };
            tx.update_enrollment(&failed).await?;
            let mut never_signed = enrollment();
            never_signed.state = EnrollmentState::Failed { reason: "no issuer".to_owned() };
            tx.insert_enrollment(&never_signed).await?;
            let orphan = Orphan {
                enrollment: failed.id.clone(),
                issuer,
                serial: serial_number(7),
                tbs: vec![0x30, 7],
            };
            assert_eq!(tx.list_orphans(None, 10).await?, [orphan]);
            assert!(tx.list_orphans(Some(&failed.id), 10).await?.is_empty());
        });
    }

    async fn enrollments_are_listed_by_status_newest_first(database) {
        transact!(database, |tx| {
            let (one, other) = (enrollment(), enrollment());
            let mut cancelled = enrollment();
            cancelled.state = EnrollmentState::Cancelled { reason: "by hand".to_owned() };
            for enrollment in [&one, &other, &cancelled] {
                tx.insert_enrollment(enrollment).await?;
            }
            let ids = |listed: Vec<domain::enrollment::Enrollment>| -> Vec<_> {
                listed.into_iter().map(|enrollment| enrollment.id).collect()
            };
            let all = EnrollmentFilter::default();
            let listed = ids(tx.list_enrollments(&all, None, 2).await?);
            assert_eq!(listed, [cancelled.id.clone(), other.id.clone()]);
            let approved = EnrollmentFilter { status: Some("approved".to_owned()), ..EnrollmentFilter::default() };
            let listed = ids(tx.list_enrollments(&approved, None, 10).await?);
            assert_eq!(listed, [other.id.clone(), one.id.clone()]);
            let rest = ids(tx.list_enrollments(&approved, Some(&other.id), 10).await?);
            assert_eq!(rest, [one.id]);
        });
    }

    async fn what_failed_long_ago_is_counted_no_more(database) {
        transact!(database, |tx| {
            let failed = |age: u64| {
                let mut failed = enrollment();
                failed.state = EnrollmentState::Failed { reason: "the CA is gone".to_owned() };
                failed.updated_at = failed.updated_at - std::time::Duration::from_secs(age);
                failed
            };
            let (fresh, old, other) = (failed(0), failed(3600), enrollment());
            for enrollment in [&fresh, &old, &other] {
                tx.insert_enrollment(enrollment).await?;
            }
            let since = fresh.updated_at;
            let all = Visibility::All;
            assert_eq!(tx.count_failed_enrollments(&all, since).await?, 1);
            assert_eq!(tx.count_failed_enrollments(&all, old.updated_at).await?, 2);
            let none = Visibility::Teams(std::collections::BTreeSet::new());
            assert_eq!(tx.count_failed_enrollments(&none, old.updated_at).await?, 0);
            let lately = EnrollmentFilter {
                status: Some("failed".to_owned()),
                changed_since: Some(since),
                ..EnrollmentFilter::default()
            };
            let listed = tx.list_enrollments(&lately, None, 10).await?;
            assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&fresh.id]);
        });
    }
}
