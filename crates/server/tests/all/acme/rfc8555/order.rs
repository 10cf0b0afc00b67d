//! Orders (RFC 8555 sections 7.1.3 and 7.4).

use std::time::Duration;

use pki::key::{KeyAlgorithm, LocalKey};
use pki::time::Timestamp;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::csr_for;
use testkit::clock::days;

use super::super::support::{assert_refused, census, first_authorization, status};

fn read(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_3_an_order_has_all_its_members_and_keeps_them() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let answer = client.new_order(&["b.example.org", "a.example.org"]).await;
    answer.assert_status(201);
    let order = answer.json();
    assert_eq!(order["status"], "pending");
    let identifiers = json!([
        {"type": "dns", "value": "b.example.org"},
        {"type": "dns", "value": "a.example.org"},
    ]);
    assert_eq!(order["identifiers"], identifiers);
    assert_eq!(order["authorizations"].as_array().unwrap().len(), 2);
    assert!(
        order["finalize"]
            .as_str()
            .unwrap()
            .starts_with(&server.url())
    );
    assert!(read(&order["expires"]) > domain::clock::Clock::now(&server.clock));
    for absent in ["certificate", "error", "notBefore", "notAfter", "replaces"] {
        assert!(order.get(absent).is_none(), "{absent} in {order}");
    }
    assert_eq!(client.get(&answer.location()).await.json(), order);
    client.authorize(&server, &order).await;
    let ready = client.get(&answer.location()).await.json();
    assert_eq!(ready["status"], "ready");
    for fixed in ["identifiers", "authorizations", "finalize"] {
        assert_eq!(ready[fixed], order[fixed]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_dates_are_honoured_or_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let now = domain::clock::Clock::now(&server.clock).floor_to_second();
    let hour = Duration::from_secs(3600);
    for (from, until) in [
        (None, Some(now + days(91))),
        (None, Some(now)),
        (None, Some(now - hour)),
        (Some(now + days(1)), Some(now + hour)),
        (Some(now - days(2)), None),
        (Some(now + days(3)), None),
        (Some(now + days(1)), Some(now + days(92))),
    ] {
        let mut extra = json!({});
        if let Some(from) = from {
            extra["notBefore"] = json!(from);
        }
        if let Some(until) = until {
            extra["notAfter"] = json!(until);
        }
        let answer = client
            .new_order_with(&["www.example.org"], extra.clone())
            .await;
        assert_eq!(answer.status, 400, "{extra}: {}", answer.text);
        assert_refused(&answer, 400, "malformed");
    }
    for dates in [
        json!({"notBefore": "yesterday"}),
        json!({"notAfter": 1}),
        json!({"notAfter": "2026-13-01T00:00:00Z"}),
    ] {
        let answer = client.new_order_with(&["www.example.org"], dates).await;
        assert_refused(&answer, 400, "malformed");
    }
    assert_eq!(census(&server).await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_dates_that_were_taken_are_those_of_the_certificate() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let now = domain::clock::Clock::now(&server.clock).floor_to_second();
    let hour = Duration::from_secs(3600);
    for (from, until) in [
        (None, Some(now + days(30))),
        (Some(now), None),
        (Some(now), Some(now + days(10))),
        (Some(now + hour), Some(now + 2 * hour)),
        (None, Some(now + days(90) - hour - Duration::from_secs(1))),
    ] {
        let mut extra = json!({});
        if let Some(from) = from {
            extra["notBefore"] = json!(from);
        }
        if let Some(until) = until {
            extra["notAfter"] = json!(until);
        }
        let order = client
            .new_order_with(&["www.example.org"], extra.clone())
            .await;
        order.assert_status(201);
        let order = order.json();
        for member in ["notBefore", "notAfter"] {
            assert_eq!(order.get(member), extra.get(member), "{order}");
        }
        client.authorize(&server, &order).await;
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let done = client
            .finalize(&order, &csr_for(&["www.example.org"], &key))
            .await;
        done.assert_status(200);
        let pem = client
            .get(done.json()["certificate"].as_str().unwrap())
            .await
            .text;
        let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
        let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
        assert!(from.is_none_or(|from| leaf.not_before == from));
        assert!(until.is_none_or(|until| leaf.not_after == until));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_6_an_order_ends_with_a_challenge_that_failed() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["a.example.org", "b.example.org"]).await;
    let url = first_authorization(&order.json()).to_owned();
    let challenge = client.challenge(&url, "http-01").await;
    client.respond(&challenge).await.assert_status(200);
    for _ in 0..4 {
        server.clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.run_jobs().await;
    }
    assert_eq!(client.settled(&url).await["status"], "invalid");
    let ended = client.get(&order.location()).await.json();
    assert_eq!(ended["status"], "invalid");
    assert_eq!(
        ended["error"]["type"],
        "urn:ietf:params:acme:error:unauthorized"
    );
    assert_refused(
        &client.finalize(&ended, &[0x30, 0]).await,
        403,
        "orderNotReady",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_6_an_order_that_is_not_finalized_expires() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (ready_url, ready) = client.ready_order(&server, &["www.example.org"]).await;
    let pending = client.new_order(&["www.example.org"]).await;
    server
        .clock
        .set(read(&ready["expires"]).max(read(&pending.json()["expires"])));
    server.clock.advance(Duration::from_secs(1));
    for url in [&ready_url, &pending.location()] {
        let order = client.get(url).await.json();
        assert_eq!(order["status"], "invalid", "{order}");
        assert!(order["error"]["detail"].is_string());
    }
    let url = first_authorization(&pending.json()).to_owned();
    assert_eq!(status(&client, &url).await, "invalid");
    assert_eq!(
        status(&client, first_authorization(&ready)).await,
        "expired"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_an_order_outlives_the_end_of_its_server() {
    let mut server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, &["www.example.org"]).await;
    client.hang_up();
    server.crash_and_restart().await;
    assert_eq!(status(&client, &order_url).await, "ready");
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let done = client
        .finalize(&order, &csr_for(&["www.example.org"], &key))
        .await;
    assert_eq!(done.json()["status"], "valid", "{}", done.text);
}
