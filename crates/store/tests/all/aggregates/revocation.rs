//! Revocation, CRLs, OCSP responders, blocked keys.

use domain::certificate::Revocation;
use pki::revocation::RevocationReason;
use store::StoreError;
use store::crls::StoredCrl;
use store::delegates::StoredDelegate;

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{KEY_ID, at, certificate, issuer, serial_number};

const REVOCATION: Revocation = Revocation {
    at: pki::time::Timestamp::from_seconds(1_790_000_005),
    reason: RevocationReason::Superseded,
};

both_engines! {
    async fn a_certificate_is_revoked_once(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing").id;
            let stored = certificate(Some(&issuer), 1, &[]);
            tx.insert_certificate(&stored).await?;
            let status = tx.serial_status(&KEY_ID, &serial_number(1)).await?;
            assert_eq!(status, Some((None, at(10_000))));
            assert!(tx.revoke_certificate(&stored.id, &REVOCATION).await?);
            let later = Revocation { at: at(9), reason: RevocationReason::KeyCompromise };
            assert!(!tx.revoke_certificate(&stored.id, &later).await?);
            let status = tx.serial_status(&KEY_ID, &serial_number(1)).await?;
            assert_eq!(status, Some((Some(REVOCATION), at(10_000))));
            let found = tx.find_certificate(&stored.id).await?.unwrap();
            assert_eq!(found.revocation, Some(REVOCATION));
            assert_eq!(tx.serial_status(&KEY_ID, &serial_number(2)).await?, None);
        });
    }

    async fn a_crl_lists_what_is_revoked_and_not_long_expired_page_by_page(database) {
        transact!(database, |tx| {
            let (issuer, other) = (issuer("issuing").id, issuer("other").id);
            for serial in 0..9_u8 {
                let owner = if serial == 8 { &other } else { &issuer };
                let mut stored = certificate(Some(owner), serial, &[]);
                stored.not_after = at(1000 * i64::from(serial));
                tx.insert_certificate(&stored).await?;
                if serial != 4 {
                    tx.revoke_certificate(&stored.id, &REVOCATION).await?;
                }
            }
            let mut listed = Vec::new();
            let mut after = None;
            loop {
                let page = tx.list_unexpired_revoked(&issuer, at(2000), after.as_ref(), 2).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                assert!(page.iter().all(|entry| entry.revocation == REVOCATION));
                listed.extend(page.into_iter().map(|entry| entry.serial));
            }
            assert_eq!(listed, [2, 3, 5, 6, 7].map(serial_number));
        });
    }

    async fn crl_numbers_are_used_once_and_old_crls_go(database) {
        let issuer = issuer("issuing").id;
        let again = issuer.clone();
        transact!(database, |tx| {
            assert_eq!(tx.find_latest_crl(&issuer).await?, None);
            for number in [1, 2, 10] {
                tx.insert_crl(&issuer, number, at(number), at(number + 100), &[7]).await?;
            }
            let latest = StoredCrl {
                number: 10,
                this_update: at(10),
                next_update: at(110),
                der: vec![7],
            };
            assert_eq!(tx.find_latest_crl(&issuer).await?, Some(latest));
            assert_eq!(tx.delete_crls_before(&issuer, 10).await?, 2);
            assert_eq!(tx.find_latest_crl(&issuer).await?.unwrap().number, 10);
        });
        let second: Result<(), StoreError> = database
            .store
            .write("test", move |tx| Box::pin(async move {
                tx.insert_crl(&again, 10, at(0), at(1), &[8]).await
            }))
            .await;
        assert!(second.unwrap_err().is_duplicate());
    }

    async fn s04_after_each_restore_crl_numbers_rise_above_all_published(database) {
        transact!(database, |tx| {
            assert_eq!(tx.crl_number_floor().await?, 0);
            tx.insert_crl(&issuer("issuing").id, 5, at(0), at(1), &[7]).await?;
            tx.raise_floors_after_restore(at(0)).await?;
            let first = tx.crl_number_floor().await?;
            assert!(first > 5);
            tx.raise_floors_after_restore(at(3600)).await?;
            let second = tx.crl_number_floor().await?;
            // The second restore may be of the same backup: then only the time tells them apart.
            assert!(second >= at(3600).seconds() && second > first + 100);
            tx.raise_floors_after_restore(at(-9000)).await?;
            assert!(tx.crl_number_floor().await? > second, "a clock set back does not lower it");
        });
    }

    async fn a_responder_takes_the_place_of_the_one_before(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing").id;
            assert_eq!(tx.find_ocsp_responder(&issuer).await?, None);
            let mut responder = StoredDelegate {
                certificate: vec![1, 2],
                sealed_key: "sealed".to_owned(),
                not_after: at(100),
            };
            tx.put_ocsp_responder(&issuer, &responder, at(0)).await?;
            responder.certificate = vec![3];
            responder.not_after = at(200);
            tx.put_ocsp_responder(&issuer, &responder, at(90)).await?;
            assert_eq!(tx.find_ocsp_responder(&issuer).await?, Some(responder));
        });
    }

    async fn a_blocked_key_stays_blocked_for_its_first_reason(database) {
        transact!(database, |tx| {
            assert!(!tx.is_key_blocked(&[1; 32]).await?);
            tx.block_key(&[1; 32], "keyCompromise", at(1)).await?;
            tx.block_key(&[1; 32], "again", at(2)).await?;
            tx.block_key(&[0; 32], "weak", at(3)).await?;
            assert!(tx.is_key_blocked(&[1; 32]).await?);
            let listed = tx.list_blocked_keys(None, 10).await?;
            let reasons: Vec<_> = listed.iter().map(|key| key.reason.as_str()).collect();
            assert_eq!(reasons, ["weak", "keyCompromise"]);
            let rest = tx.list_blocked_keys(Some(&[0; 32]), 10).await?;
            assert_eq!((rest.len(), rest[0].blocked_at), (1, at(1)));
        });
    }
}
