//! The event log of a live server: what is done to it shows (S6), and nothing is done without it (S7).

use domain::enrollment::EnrollmentState;
use domain::event::{ChainFault, Checkpoint, SealedEvent};
use lifecycle::events::verify_export;
use pki::key::SigningKey;
use serde_json::json;
use store::StoreError;
use testkit::TestServer;
use testkit::acme::{b64, csr_for};

use crate::pki_frontend::revoke;

/// The log of a server on which something happened, whole and signed.
async fn log() -> (Vec<SealedEvent>, Vec<Checkpoint>, pki::key::PublicKey) {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for name in ["one.example.org", "two.example.org", "three.example.org"] {
        let issued = client.issue(&server, &[name]).await;
        revoke(&client, &issued).await;
    }
    let lifecycle = server.lifecycle();
    while lifecycle.seal_events().await.unwrap() {}
    lifecycle.sign_checkpoint().await.unwrap();
    let checkpoints = lifecycle.checkpoints(0, 10_000).await.unwrap();
    // What came after the last checkpoint nobody has signed for yet.
    let signed = u32::try_from(checkpoints.last().unwrap().position).unwrap();
    let events = lifecycle.sealed_events(0, signed).await.unwrap();
    let key = lifecycle.checkpoint_key().await.unwrap();
    (events, checkpoints, key.public_key().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s06_every_change_of_a_live_servers_log_is_found() {
    let (events, checkpoints, key) = log().await;
    let (end, _) = verify_export(&events, &checkpoints, Some(&key)).unwrap();
    assert_eq!(end, events.len() as i64);
    let names: Vec<&str> = events
        .iter()
        .map(|sealed| sealed.event.name.as_str())
        .collect();
    for name in [
        "installation.created",
        "account.created",
        "certificate.issued",
        "certificate.revoked",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for at in 0..events.len() {
        let verify = |changed: &[SealedEvent]| verify_export(changed, &checkpoints, Some(&key));
        let mut edited = events.clone();
        edited[at].event.data = json!({"edited": true});
        assert_eq!(
            verify(&edited),
            Err(ChainFault::Altered {
                position: at as i64 + 1
            })
        );
        let mut renamed = events.clone();
        renamed[at].event.actor.id.push('x');
        assert!(verify(&renamed).is_err());
        let mut deleted = events.clone();
        deleted.remove(at);
        assert!(verify(&deleted).is_err());
        if at > 0 {
            let mut exchanged = events.clone();
            exchanged.swap(at - 1, at);
            assert!(verify(&exchanged).is_err());
        }
        // A tail that is cut off is missed by the checkpoint that saw it.
        assert!(verify(&events[..at]).is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s06_a_log_made_anew_does_not_agree_with_its_checkpoints() {
    let (events, checkpoints, key) = log().await;
    // Whoever holds the database can compute every hash again, but not sign.
    let mut forged = events.clone();
    forged[0].event.data = json!({"forged": true});
    let mut hash = domain::event::EventHash::GENESIS;
    for sealed in &mut forged {
        hash = domain::event::EventHash::next(hash, sealed.position, &sealed.event);
        sealed.hash = hash;
    }
    assert!(verify_export(&forged, &checkpoints, Some(&key)).is_err());
    let mut resigned = checkpoints.clone();
    for checkpoint in &mut resigned {
        checkpoint.hash = forged[checkpoint.position as usize - 1].hash;
    }
    assert!(matches!(
        verify_export(&forged, &resigned, Some(&key)),
        Err(ChainFault::CheckpointSignature { .. })
    ));
}

/// From now on no event can be written, or again.
pub async fn set_writable(server: &TestServer, writable: bool) {
    let (from, to) = match writable {
        true => ("events_away", "events"),
        false => ("events", "events_away"),
    };
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    server
        .store()
        .write("test.rename", move |tx| {
            Box::pin(async move { tx.execute(sql.as_str(), &[]).await.map(drop) })
        })
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s07_what_cannot_be_written_to_the_log_does_not_happen() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["audited.example.org"]).await;
    let (order_url, order) = client
        .ready_order(&server, &["unaudited.example.org"])
        .await;
    set_writable(&server, false).await;

    let payload = json!({"certificate": b64(&issued.chain[0])});
    let refused = client.post(&client.at("revokeCert"), &payload).await;
    assert!(
        refused.status >= 500 && refused.header("retry-after").is_some(),
        "{refused:?}"
    );
    let mut newcomer = server.client().await;
    let refused = newcomer.register().await;
    assert!(refused.status >= 500, "{refused:?}");
    // The certificate may be signed, but it leaves only once its event is written.
    let key = &issued.key;
    let answer = client
        .finalize(&order, &csr_for(&["unaudited.example.org"], key))
        .await;
    let is_issued = answer.status == 200 && answer.json()["status"] == "valid";
    assert!(!is_issued, "{answer:?}");
    assert!(answer.status >= 500 || answer.json().get("certificate").is_none());

    set_writable(&server, true).await;
    let lifecycle = server.lifecycle();
    let entries = lifecycle
        .list_certificates(Default::default(), None, 100)
        .await
        .unwrap();
    let entry = |name: &str| {
        entries
            .iter()
            .find(|entry| entry.names.iter().any(|n| n == name))
    };
    assert!(entry("audited.example.org").unwrap().revocation.is_none());
    assert!(entry("unaudited.example.org").is_none());
    assert_eq!(
        newcomer.register().await.status,
        201,
        "no account was left behind"
    );
    revoke(&client, &issued).await;

    // The enrollment that was stopped goes on when its lease ends.
    server
        .run_jobs_until(async || {
            server.clock.advance(std::time::Duration::from_secs(61));
            client.get(&order_url).await.json()["status"] == "valid"
        })
        .await;
    let enrollments = lifecycle
        .list_enrollments(Default::default(), None, 100)
        .await
        .unwrap();
    assert!(
        enrollments
            .iter()
            .all(|e| matches!(e.state, EnrollmentState::Issued { .. }))
    );
}
