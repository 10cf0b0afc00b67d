//! An ACME CA behind ours: its challenges are solved centrally, its account serves everybody.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::MockClock;
use testkit::acme::csr_for;
use testkit::acme_ca::TestAcmeCa;

use super::Desk;
use super::bind::{Bind, SECRET};
use super::pebble::{Habits, Pebble};

/// A day and an hour.
const DAY: u64 = 25 * 60 * 60;

fn port(desk: &Desk) -> u16 {
    let url: reqwest::Url = desk.server.url().parse().unwrap();
    url.port().unwrap()
}

async fn pebble(desk: &Desk, sleep: u32) -> Pebble {
    Pebble::start(Habits {
        http_port: port(desk),
        dns: desk.server.dns.address,
        nonces_refused: 40,
        sleep,
    })
    .await
}

fn is_from_pebble(leaf: &Certificate) -> bool {
    let issuer = leaf.issuer.to_string();
    issuer.contains("Pebble Intermediate CA")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acme_client_of_ours_gets_a_certificate_of_an_upstream_acme_ca() {
    let desk = Desk::start().await;
    let pebble = pebble(&desk, 1).await;
    let settings = pebble.settings(json!({"challenge": "http-01"}));
    desk.configure("acme", settings, json!({})).await;
    let (passed, findings) = desk.test("acme").await;
    assert!(passed, "{findings:#?}");
    assert!(
        findings
            .iter()
            .any(|line| line.starts_with("credentials passed: the CA knows")),
        "{findings:#?}"
    );
    desk.route_widely_to("acme").await;

    let client = desk.server.registered_client().await;
    let names = ["www.example.org", "example.org"];
    let (url, order) = client.ready_order(&desk.server, &names).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(&names, &key)).await;
    answer.assert_status(200);
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    assert!(answer.header("retry-after").is_some());
    let order = desk.decided(&client, &url).await;
    assert_eq!(order["status"], "valid", "{order} {}", pebble.log());
    let pem = client
        .get(order["certificate"].as_str().unwrap())
        .await
        .text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let leaf = Certificate::from_der(&chain[0]).unwrap();
    assert!(is_from_pebble(&leaf), "{}", leaf.issuer);
    let upper = Certificate::from_der(&chain[1]).unwrap();
    assert!(leaf.is_signed_by(&upper));
    assert_eq!(left_behind(&desk).await, 0);
}

/// How many responses to challenges are still in place.
async fn left_behind(desk: &Desk) -> usize {
    let found = desk.server.store().read("responses", |tx| {
        Box::pin(async move {
            let issuer = tx.find_issuer_by_name("acme").await?.unwrap();
            let far = pki::time::Timestamp::from_seconds(250_000_000_000);
            tx.list_challenge_responses_before(&issuer.id, far, 100)
                .await
        })
    });
    let found: Result<Vec<_>, store::StoreError> = found.await;
    found.unwrap().len()
}

async fn by_dns(desk: &Desk, bind: &Bind) -> Pebble {
    let pebble = Pebble::start(Habits {
        http_port: port(desk),
        dns: bind.address,
        nonces_refused: 20,
        sleep: 0,
    })
    .await;
    let solver = json!({
        "challenge": "dns-01", "provider": bind.provider(), "propagation_seconds": 1,
    });
    let secrets = json!({"tsig_secret": SECRET});
    desk.configure("acme", pebble.settings(solver), secrets)
        .await;
    desk.route_widely_to("acme").await;
    pebble
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_challenges_are_solved_by_signed_updates_and_cleared_away() {
    let (desk, bind) = (Desk::start().await, Bind::start().await);
    let pebble = by_dns(&desk, &bind).await;
    let (passed, findings) = desk.test("acme").await;
    assert!(passed, "{findings:#?}");
    // Wildcard and name share a record's name; both values have to be there at once.
    let chain = desk.issue(&["*.example.org", "example.org"]).await;
    assert!(is_from_pebble(&chain[0]), "{}", pebble.log());
    assert_eq!(bind.additions("_acme-challenge.example.org"), 2);
    assert_eq!(bind.texts("_acme-challenge.example.org").await, [""; 0]);
    assert_eq!(left_behind(&desk).await, 0);

    // A name in a zone that nobody may update is delegated by a CNAME to one that may be.
    let alias = "_acme-challenge.shop.example.net";
    desk.server.dns.set_cname(alias, "shop.acme.example.org");
    desk.issue(&["shop.example.net"]).await;
    assert_eq!(bind.additions("shop.acme.example.org"), 1);
    assert_eq!(bind.texts("shop.acme.example.org").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_told_by_the_test_and_to_whoever_waits() {
    // What is left behind is looked after a day later; by then the name server's clock has to be ours. An hour
    // more is for what goes by until the request is given up.
    let clock = MockClock::at(SystemClock.now() - Duration::from_secs(DAY));
    let (desk, bind) = (Desk::start_at(clock).await, Bind::start().await);
    let pebble = Pebble::start(Habits {
        http_port: port(&desk),
        dns: bind.address,
        nonces_refused: 5,
        sleep: 0,
    })
    .await;
    let mut provider = bind.provider();
    provider["zone"] = json!("example.org");
    let solver = json!({"challenge": "dns-01", "provider": provider});
    let wrong = json!({"tsig_secret": "d3Jvbmcgb2N0ZXRzIHdyb25nIG9jdGV0cyB3cm9uZyE="});
    desk.configure("acme", pebble.settings(solver), wrong).await;
    let (passed, findings) = desk.test("acme").await;
    assert!(!passed, "{findings:#?}");
    assert!(
        findings
            .iter()
            .any(|line| line.starts_with("rights failed") && line.contains("TSIG key")),
        "{findings:#?}"
    );
    desk.route_widely_to("acme").await;
    let place = desk.ask(&["a.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "failed", "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(reason.contains("refused the update"), "{reason}");
    assert_eq!(left_behind(&desk).await, 1);
    // What could not be taken away is tried again: with the right key it is gone.
    let body = json!({"secrets": {"tsig_secret": SECRET}});
    let answer = desk
        .api
        .call(reqwest::Method::PUT, "/api/v1/issuers/acme", Some(body))
        .await;
    assert!(answer.status.is_success(), "{}", answer.body);
    desk.server
        .clock
        .set(SystemClock.now() + Duration::from_secs(60));
    desk.server
        .run_jobs_until(async || left_behind(&desk).await == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_the_same_order_and_the_same_account_go_on() {
    let mut desk = Desk::start().await;
    let pebble = pebble(&desk, 2).await;
    let settings = pebble.settings(json!({"challenge": "http-01"}));
    desk.configure("acme", settings, json!({})).await;
    desk.route_widely_to("acme").await;
    let place = desk.ask(&["crash.example.org"]).await;
    desk.reaches(&place, "awaiting-issuer").await;
    desk.tick(1).await;
    desk.server.crash_and_restart().await;
    // The lease of the process that died ends.
    desk.tick(120).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "issued", "{state} {}", pebble.log());
    assert_eq!(pebble.said("Added order"), 1, "{}", pebble.log());
    assert_eq!(left_behind(&desk).await, 0);
    desk.revoke(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_ca_cannot_see_ends_the_request_with_its_own_words() {
    let desk = Desk::start().await;
    let pebble = Pebble::start(Habits {
        // Nobody answers there.
        http_port: 9,
        dns: desk.server.dns.address,
        nonces_refused: 5,
        sleep: 0,
    })
    .await;
    let settings = pebble.settings(json!({"challenge": "http-01"}));
    desk.configure("acme", settings, json!({})).await;
    desk.route_widely_to("acme").await;
    let place = desk.ask(&["unseen.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "failed", "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(
        reason.contains("the CA does not see control over unseen.example.org"),
        "{reason}"
    );
    assert_eq!(left_behind(&desk).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_is_down_loses_no_request() {
    let desk = Desk::start().await;
    let gone = pebble(&desk, 0).await;
    let settings: Value = gone.settings(json!({"challenge": "http-01"}));
    drop(gone);
    desk.configure("acme", settings, json!({})).await;
    desk.route_widely_to("acme").await;
    let (passed, findings) = desk.test("acme").await;
    assert!(
        !passed && findings[0].starts_with("reach failed"),
        "{findings:#?}"
    );
    let place = desk.ask(&["down.example.org"]).await;
    desk.server.clock.advance(Duration::from_secs(30));
    desk.server.run_jobs().await;
    let state = desk.state(&place).await;
    // It waits: for another try here, or for another issuer.
    let status = state["status"].as_str().unwrap();
    assert!(["approved", "signing"].contains(&status), "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_that_the_ca_gave_one_order_each_get_a_certificate_of_their_own() {
    let (desk, ca) = (Desk::start().await, TestAcmeCa::start().await);
    ca.reuses_orders();
    desk.configure("acme", ca.settings(), json!({})).await;
    desk.route_to("acme").await;
    let mut places = Vec::new();
    for _ in 0..3 {
        let place = desk.ask(&["twin.example.org"]).await;
        let waits = async || desk.state(&place).await["status"] == "awaiting-issuer";
        desk.server.run_jobs_until(waits).await;
        places.push(place);
    }
    assert_eq!(ca.replaced().len(), 1, "there is one order for all");
    let mut keys = std::collections::BTreeSet::new();
    for place in &places {
        let state = desk.settle(place, 2).await;
        assert_eq!(state["status"], "issued", "{state}");
        keys.insert(super::chain(&state)[0].spki_sha256);
    }
    assert_eq!(keys.len(), 3);
    assert_eq!(ca.peer.signed(), 3, "nothing was signed twice");
}
