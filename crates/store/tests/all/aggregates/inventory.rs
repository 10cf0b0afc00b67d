//! The inventory as it is searched: orders, full text, figures, many at once.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::Visibility;
use domain::certificate::{
    CertificateStatus, Facet, Figures, InventoryCertificate, Origin, Revocation,
};
use domain::id::{CertificateId, TeamId};
use pki::revocation::RevocationReason;
use pki::time::Timestamp;
use store::certificates::{CertificateFilter, CertificateSort, NameQuery, SortKey};
use store::teams::Owned;
use store::{StoreError, Tx};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{RANDOM, at, certificate, issuer, profile, serial_number, team};

const DAY: u64 = 24 * 3600;

fn days(count: u64) -> Duration {
    Duration::from_secs(count * DAY)
}

/// Certificates that differ in everything that figures are shown by, around `now`.
fn assorted(now: Timestamp, teams: &[TeamId]) -> Vec<InventoryCertificate> {
    let issuers = [None, Some(issuer("one").id), Some(issuer("two").id)];
    let profiles = [None, Some(profile("web").id)];
    let ends = [
        now - days(400),
        now - Duration::from_millis(1),
        now,
        now + days(7) - Duration::from_millis(1),
        now + days(7),
        now + days(29),
        now + days(30),
        now + days(60),
        now + days(90),
        now + days(5000),
    ];
    (0..120_usize)
        .map(|number| {
            let issuer = issuers[number % 3].as_ref();
            let serial = u8::try_from(number).unwrap();
            let name = format!("host{}.example.org", number % 40);
            let mut made = certificate(issuer, serial, &[&name]);
            made.profile_id = profiles[number % 2].clone();
            made.team_id = teams.get(number % (teams.len() + 1)).cloned();
            made.key_kind = ["p-256", "rsa-2048"][number / 2 % 2].to_owned();
            made.is_weak = number % 17 == 0;
            made.origin = [Origin::Issued, Origin::Imported][number / 5 % 2];
            made.not_after = ends[number % ends.len()];
            made.created_at = now - days(1);
            made.not_before = match number % 11 {
                0 => now + days(3),
                _ => now - days(500),
            };
            made.metadata = BTreeMap::new();
            if number % 13 == 0 {
                let reason = RevocationReason::Superseded;
                made.revocation = Some(Revocation { at: now, reason });
            }
            made
        })
        .collect()
}

async fn count(tx: &mut Tx<'_>, filter: CertificateFilter) -> Result<u64, StoreError> {
    let counted = tx.count_certificates(&filter).await?;
    let listed = tx.list_certificates(&filter, None, 500).await?;
    assert_eq!(counted, listed.len() as u64, "{filter:?}");
    Ok(counted)
}

/// The figures of what fits `base`, by counting.
async fn counted(
    tx: &mut Tx<'_>,
    base: &CertificateFilter,
    now: Timestamp,
) -> Result<Figures, StoreError> {
    let with = |status| CertificateFilter {
        status: Some((status, now)),
        ..base.clone()
    };
    let expiring = |count| CertificateFilter {
        expires_before: Some(now + days(count)),
        ..with(CertificateStatus::Valid)
    };
    Ok(Figures {
        total: count(tx, base.clone()).await?,
        valid: count(tx, with(CertificateStatus::Valid)).await?,
        not_yet_valid: count(tx, with(CertificateStatus::NotYetValid)).await?,
        expired: count(tx, with(CertificateStatus::Expired)).await?,
        revoked: count(tx, with(CertificateStatus::Revoked)).await?,
        expiring_7_days: count(tx, expiring(7)).await?,
        expiring_30_days: count(tx, expiring(30)).await?,
        expiring_90_days: count(tx, expiring(90)).await?,
    })
}

/// Every figure by every facet, and the sum of all, are what the list's filters count.
async fn assert_figures(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut all = Figures::default();
    let mut by_facet: Vec<(Facet, Figures)> = Vec::new();
    for (facet, figures) in tx.certificate_figures(now).await? {
        all += figures;
        let facet = Facet {
            is_revoked: false,
            ..facet
        };
        match by_facet.iter_mut().find(|(known, _)| *known == facet) {
            Some((_, sum)) => *sum += figures,
            None => by_facet.push((facet, figures)),
        }
    }
    assert_eq!(counted(tx, &CertificateFilter::default(), now).await?, all);
    // What has no issuer, profile or team cannot be asked for by it; the sum of all tells.
    for (facet, figures) in by_facet {
        if facet.issuer.is_none() || facet.profile.is_none() || facet.team.is_none() {
            continue;
        }
        let filter = CertificateFilter {
            issuer: facet.issuer,
            profile: facet.profile,
            team: facet.team,
            key_kind: Some(facet.key_kind),
            weak: Some(facet.is_weak),
            origin: Some(facet.origin),
            ..CertificateFilter::default()
        };
        assert_eq!(counted(tx, &filter, now).await?, figures, "{filter:?}");
    }
    Ok(())
}

async fn file_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    while tx.file_certificates(7).await? > 0 {}
    Ok(())
}

both_engines! {
    async fn u3_figures_are_what_lists_count_at_all_times(database) {
        transact!(database, |tx| {
            let now = at(0);
            let mut teams = Vec::new();
            for name in ["web", "mail"] {
                let team = team(name);
                tx.insert_team(&team).await?;
                teams.push(team.id);
            }
            let made = assorted(now, &teams);
            let (single, batch) = made.split_at(60);
            for certificate in single {
                tx.insert_certificate(certificate).await?;
            }
            assert_figures(tx, now).await?;
            tx.insert_certificates(batch).await?;
            assert_figures(tx, now).await?;
            file_all(tx).await?;
            assert_figures(tx, now).await?;
            for certificate in made.iter().skip(3).step_by(7) {
                let revocation =
                    Revocation { at: now, reason: RevocationReason::KeyCompromise };
                tx.revoke_certificate(&certificate.id, &revocation).await?;
            }
            for certificate in made.iter().step_by(5) {
                let object = Owned::Certificate(certificate.id.as_str());
                tx.set_owner(object, teams.first(), now).await?;
            }
            assert_figures(tx, now).await?;
            file_all(tx).await?;
            for later in [Duration::from_millis(1), days(3), days(7), days(31), days(6000)] {
                assert_figures(tx, now + later).await?;
            }
        });
    }

    async fn u3_every_order_is_paged_without_gap_or_overlap(database) {
        transact!(database, |tx| {
            let mut made = assorted(at(0), &[]);
            let several: [&[&str]; 5] = [
                &[],
                &["b.example.com", "z.example.org", "c.example.org"],
                &["example.org", "*.example.org"],
                &["example-x.org", "d.example.org"],
                &["y.example.org", "x.example.net"],
            ];
            for (number, names) in (200..).zip(several) {
                made.push(certificate(None, number, names));
            }
            for certificate in &made {
                tx.insert_certificate(certificate).await?;
            }
            let filters = [
                CertificateFilter::default(),
                CertificateFilter {
                    names: vec![NameQuery::Suffix("example.org".to_owned())],
                    ..CertificateFilter::default()
                },
                CertificateFilter {
                    expires_after: Some(at(0)),
                    status: Some((CertificateStatus::Valid, at(0))),
                    ..CertificateFilter::default()
                },
            ];
            for filter in &filters {
                for key in [SortKey::Created, SortKey::NotAfter, SortKey::Name] {
                    for descending in [false, true] {
                        let sort = CertificateSort { key, descending };
                        assert_order(tx, filter, sort, &made).await?;
                    }
                }
            }
        });
    }

    async fn texts_are_found_wherever_they_stand(database) {
        transact!(database, |tx| {
            let mut shop = certificate(None, 1, &["shop-eu.example.org", "b.example.net"]);
            shop.subject = "CN=shop-eu.example.org,O=Müller & Söhne".to_owned();
            shop.metadata = BTreeMap::from([("owner".to_owned(), "Team Web 100%".to_owned())]);
            let mut mail = certificate(None, 2, &["mail.example.org"]);
            mail.metadata = BTreeMap::new();
            let mut plain = certificate(None, 3, &[]);
            plain.subject = "CN=printer_7".to_owned();
            plain.metadata = BTreeMap::new();
            for certificate in [&shop, &mail, &plain] {
                tx.insert_certificate(certificate).await?;
            }
            file_all(tx).await?;
            let fingerprint = mail.fingerprint.to_string();
            let cases: [(&str, &[u8]); 15] = [
                ("example.org", &[2, 1]),
                ("EXAMPLE.NET", &[1]),
                ("hop-e", &[1]),
                ("op", &[1]),
                ("müller", &[1]),
                ("& söhne", &[1]),
                ("team web", &[1]),
                ("web 100%", &[1]),
                ("0%", &[1]),
                ("%%", &[]),
                ("printer_7", &[3]),
                ("printer-7", &[]),
                ("owner", &[]),
                ("nothing of it", &[]),
                (&fingerprint[..12], &[2]),
            ];
            for (text, expected) in cases {
                let filter =
                    CertificateFilter { texts: vec![text.to_owned()], ..Default::default() };
                assert_eq!(found(tx, &filter).await?, expected, "{text}");
            }
            for (part, expected) in [("hop-eu.ex", &[1][..]), ("example", &[2, 1]), ("söhne", &[])] {
                let names = vec![NameQuery::Contains(part.to_owned())];
                let filter = CertificateFilter { names, ..Default::default() };
                assert_eq!(found(tx, &filter).await?, expected, "{part}");
            }
            let both = vec!["example".to_owned(), "mail".to_owned()];
            let filter = CertificateFilter { texts: both, ..Default::default() };
            assert_eq!(found(tx, &filter).await?, [2]);
        });
    }

    async fn filters_of_the_search_select(database) {
        transact!(database, |tx| {
            let team = team("web");
            tx.insert_team(&team).await?;
            let mut weak = certificate(None, 1, &["a.example.org"]);
            weak.is_weak = true;
            weak.key_kind = "rsa-1024".to_owned();
            let mut owned = certificate(None, 2, &["b.example.org"]);
            owned.id = CertificateId::mint(at(1000), &RANDOM);
            owned.team_id = Some(team.id.clone());
            let mut replaced = certificate(None, 3, &["b.example.org"]);
            replaced.id = CertificateId::mint(at(2000), &RANDOM);
            replaced.replaced_by = Some(weak.id.clone());
            for certificate in [&weak, &owned, &replaced] {
                tx.insert_certificate(certificate).await?;
            }
            let none = CertificateFilter::default;
            let seen = |teams: &[&TeamId]| CertificateFilter {
                visible: Visibility::Teams(teams.iter().map(|&team| team.clone()).collect()),
                ..none()
            };
            let other: TeamId = TeamId::mint(at(0), &RANDOM);
            let cases: Vec<(CertificateFilter, &[u8])> = vec![
                (CertificateFilter { weak: Some(true), ..none() }, &[1]),
                (CertificateFilter { weak: Some(false), ..none() }, &[3, 2]),
                (CertificateFilter { key_kind: Some("rsa-1024".to_owned()), ..none() }, &[1]),
                (CertificateFilter { team: Some(team.id.clone()), ..none() }, &[2]),
                (CertificateFilter { replaced: Some(true), ..none() }, &[3]),
                (CertificateFilter { replaced: Some(false), ..none() }, &[2, 1]),
                (CertificateFilter { created_before: Some(at(2000)), ..none() }, &[2, 1]),
                (CertificateFilter { created_after: Some(at(1000)), ..none() }, &[3, 2]),
                (seen(&[]), &[]),
                (seen(&[&team.id]), &[2]),
                (seen(&[&team.id, &other]), &[2]),
            ];
            for (filter, expected) in cases {
                assert_eq!(found(tx, &filter).await?, expected, "{filter:?}");
                assert_eq!(tx.count_certificates(&filter).await?, expected.len() as u64);
            }
        });
    }

    async fn what_is_known_is_found_by_fingerprint_and_by_serial_number(database) {
        transact!(database, |tx| {
            let made: Vec<InventoryCertificate> = (0..120)
                .map(|serial| {
                    let mut made = certificate(None, serial, &["x.example.org"]);
                    made.metadata = BTreeMap::new();
                    made
                })
                .collect();
            let (known, new) = made.split_at(110);
            tx.insert_certificates(known).await?;
            let fingerprints: Vec<_> = made.iter().map(|made| made.fingerprint).collect();
            let found = tx.find_known_certificates(&fingerprints).await?;
            assert_eq!(found.len(), known.len());
            assert_eq!(found.get(&known[7].fingerprint), Some(&known[7].id));
            assert!(!found.contains_key(&new[0].fingerprint));
            let same = tx
                .find_certificates_of_serials(&[serial_number(3), serial_number(119)])
                .await?;
            assert_eq!(same.len(), 1);
            assert_eq!(same[0].id, known[3].id);
            assert_eq!(same[0].issuer_name, known[3].issuer_name);
        });
        let again: Result<(), StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                let known = tx.list_certificates(&CertificateFilter::default(), None, 1).await?;
                tx.insert_certificates(&known).await
            }))
            .await;
        assert!(again.unwrap_err().is_duplicate());
    }
}

async fn found(tx: &mut Tx<'_>, filter: &CertificateFilter) -> Result<Vec<u8>, StoreError> {
    let listed = tx.list_certificates(filter, None, 100).await?;
    let serial = |made: &InventoryCertificate| made.serial.as_be_octets()[1];
    Ok(listed.iter().map(serial).collect())
}

/// All pages of a list hold what fits, in the order that sorting it by hand gives.
async fn assert_order(
    tx: &mut Tx<'_>,
    filter: &CertificateFilter,
    sort: CertificateSort,
    made: &[InventoryCertificate],
) -> Result<(), StoreError> {
    let fitting = tx.list_certificates(filter, None, 500).await?;
    let mut expected: Vec<&InventoryCertificate> = made
        .iter()
        .filter(|made| fitting.iter().any(|fits| fits.id == made.id))
        .collect();
    let below = filter.names.first().map(|query| match query {
        NameQuery::Suffix(suffix) => suffix.rsplit('.').collect::<Vec<_>>().join("."),
        other => panic!("{other:?} is not for this"),
    });
    let name = |made: &InventoryCertificate| {
        let keys = made.names.iter();
        let keys = keys.map(|name| name.rsplit('.').collect::<Vec<_>>().join("."));
        let fits = |key: &String| match &below {
            None => true,
            Some(below) => key == below || key.starts_with(&format!("{below}.")),
        };
        keys.filter(fits).min().unwrap_or_else(|| "~".to_owned())
    };
    expected.sort_by(|one, other| {
        let by_key = match sort.key {
            SortKey::Created => std::cmp::Ordering::Equal,
            SortKey::NotAfter => one.not_after.cmp(&other.not_after),
            SortKey::Name => name(one).cmp(&name(other)),
        };
        by_key.then_with(|| one.id.cmp(&other.id))
    });
    if sort.descending {
        expected.reverse();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = tx
            .search_certificates(filter, sort, after.as_ref(), 7)
            .await?;
        let Some(last) = page.last() else { break };
        let text = last.cursor.to_string();
        after = Some(text.parse().unwrap());
        seen.extend(page.into_iter().map(|listed| listed.certificate.id));
    }
    let expected: Vec<_> = expected.iter().map(|made| made.id.clone()).collect();
    assert_eq!(seen, expected, "{sort:?} {filter:?}");
    Ok(())
}
