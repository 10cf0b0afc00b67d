//! Deliveries in order, cursors that nobody moves twice, steps that are told once.

use domain::id::{ChannelId, DeliveryId, EventId, IncidentId, NodeId};
use domain::notification::delivery::{Delivery, DeliveryState};
use domain::notification::incident::{Closing, ClosingReason, Incident, IncidentState};
use store::jobs::Lease;
use store::notification::deliveries::DeliveryFilter;
use store::notification::expiry::{Watched, first_since};
use store::notification::incidents::IncidentFilter;

use super::transact;
use crate::fixture::{Database, both_engines};
use crate::samples::{RANDOM, at, certificate};

fn lease(until: i64) -> Lease {
    Lease {
        owner: NodeId::mint(at(0), &RANDOM),
        until: at(until),
    }
}

fn delivery(channel: &ChannelId, object: &str, position: i64) -> Delivery {
    Delivery {
        id: DeliveryId::mint(at(position), &RANDOM),
        channel_id: channel.clone(),
        event_id: EventId::mint(at(position), &RANDOM),
        object: object.to_owned(),
        position,
        recipient: String::new(),
        addresses: Vec::new(),
        state: DeliveryState::Waiting,
        attempts: 0,
        next_at: at(0),
        last_error: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

async fn claim(database: &Database, channel: &ChannelId, now: i64, lease: &Lease) -> Vec<i64> {
    let (channel, lease) = (channel.clone(), lease.clone());
    let claimed = transact!(database, |tx| {
        tx.claim_deliveries(&channel, at(now), &lease, 10).await?
    });
    claimed
        .into_iter()
        .map(|delivery| delivery.position)
        .collect()
}

both_engines! {
    async fn deliveries_of_an_object_are_claimed_one_behind_the_other(database) {
        let channel = ChannelId::mint(at(0), &RANDOM);
        let other = ChannelId::mint(at(0), &RANDOM);
        let mut first = delivery(&channel, "a", 1);
        let all = [
            first.clone(),
            delivery(&channel, "a", 2),
            delivery(&channel, "b", 3),
            delivery(&other, "a", 4),
        ];
        let again = all.clone();
        transact!(database, |tx| {
            assert_eq!(tx.insert_deliveries(&all).await?, 4);
            assert_eq!(tx.insert_deliveries(&again).await?, 0);
        });
        let (one, two) = (lease(60), lease(200));
        assert_eq!(claim(&database, &channel, 10, &one).await, [1, 3]);
        assert!(claim(&database, &channel, 20, &two).await.is_empty());
        first.state = DeliveryState::Delivered;
        let (settled, lease) = (first.clone(), one.clone());
        transact!(database, |tx| {
            assert!(tx.settle_delivery(&settled, &lease).await?);
        });
        assert_eq!(claim(&database, &channel, 21, &two).await, [2]);
        // The first claim is over: whoever held it may say nothing any more.
        assert_eq!(claim(&database, &channel, 60, &two).await, [3]);
        let late = lease_of(&database, &channel, 3).await;
        transact!(database, |tx| {
            assert!(!tx.settle_delivery(&late, &one).await?);
        });
    }

    async fn what_was_given_up_is_listed_and_sent_off_again(database) {
        let channel = ChannelId::mint(at(0), &RANDOM);
        let mut dead = delivery(&channel, "a", 1);
        let waiting = delivery(&channel, "b", 2);
        let rows = [dead.clone(), waiting.clone()];
        transact!(database, |tx| { tx.insert_deliveries(&rows).await? });
        let lease = lease(60);
        claim(&database, &channel, 1, &lease).await;
        dead.state = DeliveryState::Dead;
        dead.last_error = Some("no".to_owned());
        let (id, settled) = (dead.id.clone(), dead.clone());
        transact!(database, |tx| {
            assert!(tx.settle_delivery(&settled, &lease).await?);
            let filter = DeliveryFilter {
                state: Some(DeliveryState::Dead),
                ..DeliveryFilter::default()
            };
            assert_eq!(tx.list_deliveries(&filter, None, 10).await?, [settled]);
            assert!(tx.resend_delivery(&id, at(70)).await?);
            assert!(!tx.resend_delivery(&id, at(70)).await?);
            assert!(tx.list_deliveries(&filter, None, 10).await?.is_empty());
            assert_eq!(tx.resend_dead_deliveries(&channel, at(71)).await?, 0);
        });
    }

    async fn a_clock_that_was_set_back_strands_no_delivery(database) {
        let channel = ChannelId::mint(at(0), &RANDOM);
        let mut far = delivery(&channel, "a", 1);
        far.next_at = at(1_000_000);
        let rows = [far];
        let wanted = channel.clone();
        transact!(database, |tx| {
            tx.insert_deliveries(&rows).await?;
            assert!(tx.has_due_deliveries(&wanted, at(10)).await?);
            assert!(!tx.has_due_deliveries(&wanted, at(999_000)).await?);
        });
        assert_eq!(claim(&database, &channel, 10, &lease(60)).await, [1]);
    }

    async fn a_cursor_is_moved_by_who_read_from_where_it_stood(database) {
        let (one, two) = (lease(60), lease(60));
        transact!(database, |tx| {
            tx.set_cursor("x", 5, at(0)).await?;
            assert!(tx.advance_cursor("x", 5, 9).await?);
            assert!(!tx.advance_cursor("x", 5, 7).await?);
            assert_eq!(tx.find_cursor("x").await?.unwrap().position, 9);
            let mut claimed = tx.claim_cursor("x", at(1), &one).await?.unwrap();
            assert!(tx.claim_cursor("x", at(1), &two).await?.is_none());
            claimed.position = 12;
            assert!(!tx.release_cursor("x", &two, &claimed).await?);
            assert!(tx.release_cursor("x", &one, &claimed).await?);
            assert_eq!(tx.claim_cursor("x", at(1), &two).await?.unwrap().position, 12);
        });
    }

    async fn a_step_is_passed_once_and_never_upwards(database) {
        let mut entry = certificate(None, 1, &["a.example"]);
        (entry.not_before, entry.not_after) = (at(0), at(1000));
        let stored = entry.clone();
        transact!(database, |tx| { tx.insert_certificate(&stored).await? });
        let watched = |threshold: Option<u8>, due_at: i64| Watched {
            certificate: entry.id.clone(),
            threshold,
            due_at: at(due_at),
        };
        let (early, first, again, lower) = (
            watched(None, 680),
            watched(Some(33), 950),
            watched(Some(33), 950),
            watched(Some(5), 2000),
        );
        let id = entry.id.clone();
        transact!(database, |tx| {
            let from = first_since(at(0));
            assert_eq!(tx.watch_certificates(&from, 33, 10).await?, None);
            assert_eq!(tx.watch_certificates(&from, 33, 10).await?, None);
            assert!(tx.list_due_certificates(at(669), 10).await?.is_empty());
            let due = tx.list_due_certificates(at(670), 10).await?;
            assert_eq!(due, std::slice::from_ref(&id));
            assert!(!tx.note_watched(&early).await?);
            assert_eq!(tx.find_told(&id).await?, None);
            assert!(tx.list_due_certificates(at(679), 10).await?.is_empty());
            // A longer ladder is looked at sooner.
            assert_eq!(tx.hasten_watched("", 50, 10).await?, None);
            assert_eq!(tx.list_due_certificates(at(500), 10).await?.len(), 1);
            assert!(tx.note_watched(&first).await?);
            assert!(!tx.note_watched(&again).await?);
            assert_eq!(tx.find_told(&id).await?, Some(33));
            assert!(tx.list_due_certificates(at(949), 10).await?.is_empty());
            assert_eq!(tx.hasten_watched("", 50, 10).await?, None);
            assert_eq!(tx.list_due_certificates(at(0), 10).await?.len(), 1);
            assert!(tx.note_watched(&lower).await?);
            assert!(!tx.note_watched(&first).await?);
            assert_eq!(tx.find_told(&id).await?, Some(5));
            assert_eq!(tx.forget_watched(at(1001), 10).await?, 1);
        });
    }

    async fn a_certificate_has_one_open_incident(database) {
        let entry = certificate(None, 1, &["a.example"]);
        let incident = |threshold| Incident {
            id: IncidentId::mint(at(0), &RANDOM),
            certificate_id: entry.id.clone(),
            threshold,
            opened_at: at(1),
            updated_at: at(1),
            acknowledgement: None,
            closed: None,
        };
        let (first, second, third) = (incident(33), incident(5), incident(5));
        transact!(database, |tx| {
            assert!(tx.open_incident(&first).await?);
            assert!(!tx.open_incident(&second).await?);
            let open = tx.list_open_incidents(None, 10).await?;
            assert_eq!((open.len(), open[0].threshold), (1, 5));
            let closing = Closing { at: at(2), reason: ClosingReason::Renewed };
            assert!(tx.close_incident(&first.id, &closing).await?);
            assert!(!tx.close_incident(&first.id, &closing).await?);
            assert!(tx.open_incident(&third).await?);
            let filter = IncidentFilter {
                state: Some(IncidentState::Closed),
                ..IncidentFilter::default()
            };
            let closed = tx.list_incidents(&filter, None, 10).await?;
            assert_eq!(closed[0].closed, Some(closing));
        });
    }
}

async fn lease_of(database: &Database, channel: &ChannelId, position: i64) -> Delivery {
    let filter = DeliveryFilter {
        channel: Some(channel.clone()),
        ..DeliveryFilter::default()
    };
    let all = transact!(database, |tx| {
        tx.list_deliveries(&filter, None, 10).await?
    });
    let mut found = all
        .into_iter()
        .filter(|delivery| delivery.position == position);
    found.next().unwrap()
}
