//! The event log and its chain.

use domain::event::{Checkpoint, EventHash, verify_chain};
use serde_json::{Value, json};
use store::events::EventFilter;
use store::{StoreError, Tx};

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{at, certificate, enrollment, event, issuer, profile, team};

/// What the log holds of an event with that name on an object.
async fn said(tx: &mut Tx<'_>, name: &str, object: &str) -> Result<Value, StoreError> {
    let event = event(name, object, 7);
    tx.insert_event(&event).await?;
    Ok(tx.find_event(&event.id).await?.unwrap().data)
}

both_engines! {
    async fn events_are_listed_by_what_is_asked(database) {
        transact!(database, |tx| {
            let events = [
                event("certificate.issued", "crt_1", 0),
                event("certificate.revoked", "crt_1", 1000),
                event("certificates.exported", "crt_2", 2000),
                event("token.created", "tok_1", 3000),
            ];
            for event in &events {
                tx.insert_event(event).await?;
            }
            let none = EventFilter::default;
            let cases: Vec<(EventFilter, &[usize])> = vec![
                (none(), &[3, 2, 1, 0]),
                (EventFilter { name: Some("certificate.".to_owned()), ..none() }, &[1, 0]),
                (EventFilter { name: Some("token.created".to_owned()), ..none() }, &[3]),
                (EventFilter { object: Some("crt_1".to_owned()), ..none() }, &[1, 0]),
                (EventFilter { since: Some(at(1000)), ..none() }, &[3, 2, 1]),
                (EventFilter { until: Some(at(1000)), ..none() }, &[1, 0]),
                (EventFilter { since: Some(at(1)), until: Some(at(2500)), ..none() }, &[2, 1]),
            ];
            for (filter, expected) in cases {
                let listed = tx.list_events(&filter, None, 10).await?;
                let expected: Vec<_> = expected.iter().map(|&index| events[index].clone()).collect();
                assert_eq!(listed, expected, "{filter:?}");
            }
            let page = tx.list_events(&none(), Some(&events[2].id), 1).await?;
            assert_eq!(page, [events[1].clone()]);
        });
    }

    async fn every_event_says_what_is_known_of_its_object(database) {
        transact!(database, |tx| {
            let (team, signer, mut policy) = (team("web"), issuer("issuing"), profile("tls"));
            policy.team_id = Some(team.id.clone());
            let mut asked = enrollment();
            (asked.profile_id, asked.profile_version) = (policy.id.clone(), policy.version);
            asked.team_id = Some(team.id.clone());
            let mut issued = certificate(Some(&signer.id), 1, &["a.example"]);
            (issued.profile_id, issued.profile_version) = (Some(policy.id.clone()), Some(1));
            issued.team_id = Some(team.id.clone());
            let found = certificate(None, 2, &["b.example"]);
            tx.insert_team(&team).await?;
            tx.insert_issuer(&signer).await?;
            tx.insert_profile(&policy).await?;
            tx.insert_enrollment(&asked).await?;
            tx.insert_certificate(&issued).await?;
            tx.insert_certificate(&found).await?;
            let whose = json!({ "team": team.id, "team_name": "web", "profile": "tls" });
            for (object, issuer, names) in [
                (asked.id.as_str(), "issuing", "*.example.org"),
                (issued.id.as_str(), "issuing", "a.example"),
            ] {
                for name in ["certificate.revoked", "enrollment.failed", "any.other"] {
                    let data = said(tx, name, object).await?;
                    assert_eq!((&data["issuer"], &data["names"]), (&json!(issuer), &json!([names])));
                    for (member, value) in whose.as_object().unwrap() {
                        assert_eq!(&data[member], value, "{name} {member}");
                    }
                    assert!(data["metadata"].is_object(), "{name}");
                    assert_eq!(data["z"], 1);
                }
            }
            let data = said(tx, "profile.changed", policy.id.as_str()).await?;
            assert_eq!((&data["profile"], &data["team_name"]), (&json!("tls"), &json!("web")));
            let data = said(tx, "issuer.unhealthy", signer.id.as_str()).await?;
            assert_eq!(data["issuer"], "issuing");
            let data = said(tx, "certificate.discovered", found.id.as_str()).await?;
            assert_eq!((&data["team"], &data["issuer"]), (&json!(null), &json!("CN=Issuing")));
            assert_eq!(data.get("team_name"), None);
            // What the event says itself stands.
            let mut own = event("certificate.transferred", issued.id.as_str(), 5);
            own.data = json!({ "issuer": "another" });
            tx.insert_event(&own).await?;
            let read = tx.find_event(&own.id).await?.unwrap().data;
            assert_eq!((&read["issuer"], &read["profile"]), (&json!("another"), &json!("tls")));
        });
    }

    async fn s06_sealed_events_form_one_chain_that_verifies(database) {
        for round in 0..3 {
            transact!(database, |tx| {
                for number in 0..5 {
                    tx.insert_event(&event("test", &format!("{round}-{number}"), round)).await?;
                }
            });
            let sealed = transact!(database, |tx| { tx.seal_events(3, at(0)).await? });
            assert_eq!(sealed, 3);
        }
        let sealed = transact!(database, |tx| { tx.seal_events(100, at(0)).await? });
        assert_eq!(sealed, 6);
        transact!(database, |tx| {
            assert_eq!(tx.seal_events(100, at(0)).await?, 0);
            let sealed = tx.list_sealed_events(0, 100).await?;
            assert_eq!(sealed.len(), 15);
            let end = verify_chain((0, EventHash::GENESIS), &sealed).unwrap();
            assert_eq!(tx.chain_end().await?, end);
            let rest = tx.list_sealed_events(13, 100).await?;
            assert_eq!(rest, sealed[13..]);
        });
    }

    async fn many_sealers_at_once_make_one_chain(database) {
        transact!(database, |tx| {
            assert_eq!(tx.chain_end().await?, (0, EventHash::GENESIS));
            for number in 0..60 {
                tx.insert_event(&event("test", &number.to_string(), 0)).await?;
            }
        });
        let sealers: Vec<_> = (0..8)
            .map(|_| {
                let store = database.store.clone();
                tokio::spawn(async move {
                    let sealed: Result<u64, StoreError> = store
                        .write("test", |tx| Box::pin(async move { tx.seal_events(10, at(0)).await }))
                        .await;
                    sealed.unwrap()
                })
            })
            .collect();
        let mut sealed = 0;
        for sealer in sealers {
            sealed += sealer.await.unwrap();
        }
        assert_eq!(sealed, 60);
        transact!(database, |tx| {
            let events = tx.list_sealed_events(0, 100).await?;
            assert_eq!(verify_chain((0, EventHash::GENESIS), &events).unwrap().0, 60);
        });
    }

    async fn checkpoints_read_back_in_order(database) {
        transact!(database, |tx| {
            assert_eq!(tx.find_latest_checkpoint().await?, None);
            let checkpoint = |position| Checkpoint {
                position,
                hash: EventHash([position as u8; 32]),
                at: at(position),
                signature: "c2ln".to_owned(),
                key_id: "ab".to_owned(),
            };
            tx.insert_checkpoint(&checkpoint(4)).await?;
            tx.insert_checkpoint(&checkpoint(9)).await?;
            let mut second_signer = checkpoint(9);
            second_signer.signature = "other".to_owned();
            tx.insert_checkpoint(&second_signer).await?;
            assert_eq!(tx.list_checkpoints(0, 10).await?, [checkpoint(4), checkpoint(9)]);
            assert_eq!(tx.list_checkpoints(4, 10).await?, [checkpoint(9)]);
            assert_eq!(tx.find_latest_checkpoint().await?, Some(checkpoint(9)));
        });
    }
}
