//! The inventory: adding, finding, listing.

use domain::certificate::{CertificateStatus, InventoryCertificate, Origin, Revocation};
use domain::id::{CertificateId, EnrollmentId};
use pki::revocation::RevocationReason;
use store::certificates::{CertificateFilter, NameQuery};
use store::{StoreError, Tx};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{
    KEY_ID, RANDOM, account, at, certificate, directory, issuer, profile, serial_number,
};

both_engines! {
    async fn a_certificate_is_found_by_each_of_its_keys(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing").id;
            let mut stored = certificate(Some(&issuer), 1, &["www.example.org", "192.0.2.1"]);
            stored.enrollment_id = Some(EnrollmentId::mint(at(0), &RANDOM));
            stored.profile_id = Some(profile("default").id);
            stored.profile_version = Some(4);
            tx.insert_certificate(&stored).await?;
            tx.insert_certificate(&certificate(Some(&issuer), 2, &[])).await?;
            let found = [
                tx.find_certificate(&stored.id).await?,
                tx.find_certificate_for_update(&stored.id).await?,
                tx.find_certificate_by_fingerprint(&stored.fingerprint).await?,
                tx.find_certificate_by_serial(&KEY_ID, &serial_number(1)).await?,
                tx.find_certificate_by_enrollment(stored.enrollment_id.as_ref().unwrap()).await?,
            ];
            for found in found {
                assert_eq!(format!("{:?}", found.unwrap()), format!("{stored:?}"));
            }
            assert!(tx.find_certificate_by_serial(&[1], &serial_number(1)).await?.is_none());
        });
    }

    async fn what_others_issued_does_not_answer_for_our_serials(database) {
        transact!(database, |tx| {
            tx.insert_certificate(&certificate(None, 1, &[])).await?;
            tx.insert_certificate(&certificate(None, 1, &[])).await?;
            assert!(tx.find_certificate_by_serial(&KEY_ID, &serial_number(1)).await?.is_none());
            assert!(tx.serial_status(&KEY_ID, &serial_number(1)).await?.is_none());
        });
    }

    async fn one_serial_of_our_issuer_is_recorded_once(database) {
        let result: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                let issuer = issuer("issuing").id;
                tx.insert_certificate(&certificate(Some(&issuer), 1, &[])).await?;
                tx.insert_certificate(&certificate(Some(&issuer), 1, &[])).await
            }))
            .await;
        assert!(result.unwrap_err().is_duplicate());
    }

    async fn a_certificate_is_replaced_by_the_first_that_comes(database) {
        transact!(database, |tx| {
            let stored = certificate(None, 1, &[]);
            tx.insert_certificate(&stored).await?;
            let (first, second) =
                (CertificateId::mint(at(1), &RANDOM), CertificateId::mint(at(2), &RANDOM));
            assert!(tx.set_replaced_by(&stored.id, &first).await?);
            assert!(!tx.set_replaced_by(&stored.id, &second).await?);
            assert_eq!(tx.find_certificate(&stored.id).await?.unwrap().replaced_by, Some(first));
        });
    }

    async fn names_are_found_exactly_and_by_suffix(database) {
        transact!(database, |tx| {
            let names: [&[&str]; 6] = [
                &["example.org"],
                &["www.Example.org", "www.example.net"],
                &["*.example.org"],
                &["a.b.example.org", "b.example.org"],
                &["example.organic", "my-example.org"],
                &["192.0.2.1", "admin@example.org"],
            ];
            for (serial, names) in names.into_iter().enumerate() {
                let serial = u8::try_from(serial).unwrap();
                tx.insert_certificate(&certificate(None, serial, names)).await?;
            }
            let exact = |name: &str| NameQuery::Exact(name.to_owned());
            let suffix = |name: &str| NameQuery::Suffix(name.to_owned());
            let cases: [(NameQuery, &[u8]); 8] = [
                (exact("example.org"), &[0]),
                (exact("WWW.example.org"), &[1]),
                (exact("*.example.org"), &[2]),
                (exact("192.0.2.1"), &[5]),
                (exact("ample.org"), &[]),
                (suffix("example.org"), &[3, 2, 1, 0]),
                (suffix(".b.example.org"), &[3]),
                (suffix("net"), &[1]),
            ];
            for (name, expected) in cases {
                let filter = CertificateFilter { names: vec![name.clone()], ..Default::default() };
                assert_eq!(serials(tx, &filter).await?, expected, "{name:?}");
            }
        });
    }

    async fn a_suffix_of_very_many_names_is_found_as_well(database) {
        transact!(database, |tx| {
            let many: Vec<String> = (0..6000).map(|n| format!("host{n}.example.org")).collect();
            let mut crowded = certificate(None, 1, &[]);
            crowded.names = many;
            tx.insert_certificate(&crowded).await?;
            tx.insert_certificate(&certificate(None, 2, &["example.net"])).await?;
            tx.insert_certificate(&certificate(None, 3, &["example.org"])).await?;
            let filter = CertificateFilter {
                names: vec![NameQuery::Suffix("example.org".to_owned())],
                ..Default::default()
            };
            assert_eq!(serials(tx, &filter).await?, [3, 1]);
            assert_eq!(tx.count_certificates(&filter).await?, 2);
        });
    }

    async fn every_filter_selects(database) {
        transact!(database, |tx| {
            let issuer = issuer("issuing").id;
            let directory = directory("default");
            let mut special = certificate(Some(&issuer), 1, &["a.example.org"]);
            special.not_before = at(0);
            special.not_after = at(100);
            special.profile_id = Some(profile("default").id);
            special.account_id = Some(account(&directory.id, "thumb").id);
            let mut future = certificate(None, 2, &["b.example.org"]);
            future.not_before = at(200);
            future.not_after = at(300);
            future.origin = Origin::Discovered;
            let mut revoked = certificate(None, 3, &["c.example.org"]);
            revoked.not_after = at(90);
            revoked.revocation =
                Some(Revocation { at: at(1), reason: RevocationReason::KeyCompromise });
            for certificate in [&special, &future, &revoked] {
                tx.insert_certificate(certificate).await?;
            }
            let none = CertificateFilter::default;
            let status = |status, now| CertificateFilter { status: Some((status, at(now))), ..none() };
            let cases: Vec<(CertificateFilter, &[u8])> = vec![
                (none(), &[3, 2, 1]),
                (CertificateFilter { serial: Some(serial_number(2)), ..none() }, &[2]),
                (CertificateFilter { fingerprint: Some(revoked.fingerprint), ..none() }, &[3]),
                (CertificateFilter { issuer: Some(issuer), ..none() }, &[1]),
                (CertificateFilter { profile: special.profile_id.clone(), ..none() }, &[1]),
                (CertificateFilter { account: special.account_id.clone(), ..none() }, &[1]),
                (CertificateFilter { origin: Some(Origin::Discovered), ..none() }, &[2]),
                (CertificateFilter { expires_before: Some(at(100)), ..none() }, &[3]),
                (CertificateFilter { expires_after: Some(at(100)), ..none() }, &[2, 1]),
                (status(CertificateStatus::Valid, 50), &[1]),
                (status(CertificateStatus::Valid, 100), &[1]),
                (status(CertificateStatus::Expired, 101), &[1]),
                (status(CertificateStatus::Expired, 301), &[2, 1]),
                (status(CertificateStatus::NotYetValid, 50), &[2]),
                (status(CertificateStatus::Revoked, 50), &[3]),
            ];
            for (filter, expected) in cases {
                assert_eq!(serials(tx, &filter).await?, expected, "{filter:?}");
                let count = tx.count_certificates(&filter).await?;
                assert_eq!(count, expected.len() as u64, "{filter:?}");
            }
        });
    }

    async fn pages_follow_each_other_without_gap_or_overlap(database) {
        transact!(database, |tx| {
            for serial in 0..25 {
                tx.insert_certificate(&certificate(None, serial, &["x.example.org"])).await?;
            }
            let filter = CertificateFilter::default();
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let page = tx.list_certificates(&filter, after.as_ref(), 10).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                seen.extend(page.iter().map(|certificate| certificate.serial.clone()));
            }
            let expected: Vec<_> = (0..25).rev().map(serial_number).collect();
            assert_eq!(seen, expected);
        });
    }
}

/// The last octets of the serials of what fits the filter, after checking that the domain agrees
/// about the status.
async fn serials(tx: &mut Tx<'_>, filter: &CertificateFilter) -> Result<Vec<u8>, StoreError> {
    let listed: Vec<InventoryCertificate> = tx.list_certificates(filter, None, 100).await?;
    if let Some((status, now)) = filter.status {
        assert!(
            listed
                .iter()
                .all(|certificate| certificate.status(now) == status)
        );
    }
    Ok(listed
        .iter()
        .map(|certificate| certificate.serial.as_be_octets()[1])
        .collect())
}
