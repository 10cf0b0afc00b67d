//! When to renew, and what replaces what (P12, RFC 9773).

use std::time::Duration;

use pki::time::Timestamp;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, Issued, Key, b64, csr_for};
use testkit::clock::days;

use super::support::{assert_refused, put_directory, status};

const HOUR: Duration = Duration::from_secs(3600);

/// The answer about a certificate, asked for by anybody.
async fn ask(client: &Client, cert_id: &str) -> Answer {
    let url = format!("{}/{cert_id}", client.at("renewalInfo"));
    let response = client.http.get(url).send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

fn window(answer: &Answer) -> (Timestamp, Timestamp) {
    let body = answer.json();
    let read = |value: &Value| serde_json::from_value::<Timestamp>(value.clone()).unwrap();
    let window = &body["suggestedWindow"];
    let (start, end) = (read(&window["start"]), read(&window["end"]));
    assert!(start < end, "{body}");
    (start, end)
}

async fn revoke(client: &Client, issued: &Issued) {
    let payload = json!({"certificate": b64(&issued.chain[0])});
    let answer = client.post(&client.at("revokeCert"), &payload).await;
    answer.assert_status(200);
}

async fn replacing(client: &Client, cert_id: &str, names: &[&str]) -> Answer {
    client
        .new_order_with(names, json!({"replaces": cert_id}))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_the_window_is_right_for_a_valid_a_revoked_and_an_expired_certificate() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let revoked = client.issue(&server, &["old.example.org"]).await;
    let leaf = issued.leaf();
    let fresh = ask(&client, &issued.cert_id()).await;
    fresh.assert_status(200);
    assert_eq!(fresh.header("content-type"), Some("application/json"));
    assert_eq!(fresh.header("retry-after"), Some("21600"));
    let (start, end) = window(&fresh);
    let now = domain::clock::Clock::now(&server.clock);
    let third = Duration::from_secs(30 * 24 * 3600);
    assert!(now < start && start < leaf.not_after - third && leaf.not_after - third < end);
    assert!(end < leaf.not_after);
    revoke(&client, &revoked).await;
    let (_, end) = window(&ask(&client, &revoked.cert_id()).await);
    assert!(end < now, "a revoked certificate is renewed at once");
    server.clock.advance(days(91));
    let now = domain::clock::Clock::now(&server.clock);
    let expired = ask(&client, &issued.cert_id()).await;
    expired.assert_status(200);
    assert!(window(&expired).1 < now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_certificate_that_is_unknown_or_not_named_properly_has_no_window() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let cert_id = issued.cert_id();
    let (authority, serial) = cert_id.split_once('.').unwrap();
    for (id, expected) in [
        (format!("{authority}.AIdlQyE"), 404),
        (format!("aYhba4dGQEHhs3uEe6CuLN4ByNQ.{serial}"), 404),
        (format!("{cert_id}="), 400),
        (format!("{authority}{serial}"), 400),
        (format!("{authority}.{serial}.{serial}"), 400),
        (format!(".{serial}"), 400),
        (format!("{authority}."), 400),
        ("%ff".to_owned(), 404),
        ("x".to_owned(), 400),
    ] {
        let answer = ask(&client, &id).await;
        assert_eq!(answer.status, expected, "{id}: {}", answer.text);
        assert_eq!(answer.problem(), "malformed");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
    let elsewhere = server.directory_url("nowhere");
    let url = elsewhere.replace("directory", &format!("renewal-info/{cert_id}"));
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_certificate_is_replaced_once_and_by_its_own_account() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client
        .issue(&server, &["www.example.org", "a.example.org"])
        .await;
    let cert_id = issued.cert_id();
    let stranger = server.registered_client().await;
    let foreign = replacing(&stranger, &cert_id, &["www.example.org"]).await;
    assert_refused(&foreign, 400, "malformed");
    let unrelated = replacing(&client, &cert_id, &["b.example.org"]).await;
    assert_refused(&unrelated, 400, "malformed");
    for unknown in ["AAAA.AAAA", "x", ""] {
        let answer = replacing(&client, unknown, &["www.example.org"]).await;
        assert_refused(&answer, 400, "malformed");
    }
    let order = replacing(&client, &cert_id, &["www.example.org"]).await;
    order.assert_status(201);
    assert_eq!(order.json()["replaces"], json!(cert_id));
    let again = replacing(&client, &cert_id, &["www.example.org"]).await;
    assert_refused(&again, 409, "alreadyReplaced");
    // Also once it was replaced for good.
    client.authorize(&server, &order.json()).await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let done = client
        .finalize(&order.json(), &csr_for(&["www.example.org"], &key))
        .await;
    assert_eq!(done.json()["status"], "valid", "{}", done.text);
    assert_eq!(done.json()["replaces"], json!(cert_id));
    let again = replacing(&client, &cert_id, &["www.example.org"]).await;
    assert_refused(&again, 409, "alreadyReplaced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_of_many_orders_at_once_one_replaces_the_certificate() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let cert_id = issued.cert_id();
    let orders = (0..20).map(|_| replacing(&client, &cert_id, &["www.example.org"]));
    let answers = futures::future::join_all(orders).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((made, refused), (1, 19));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_certificate_becomes_replaceable_again_when_its_order_fails() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let cert_id = issued.cert_id();
    let failed = replacing(&client, &cert_id, &["www.example.org"]).await;
    let authorization = failed.json()["authorizations"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let deactivated = client
        .post(&authorization, &json!({"status": "deactivated"}))
        .await;
    deactivated.assert_status(200);
    assert_eq!(status(&client, &failed.location()).await, "invalid");
    let expired = replacing(&client, &cert_id, &["www.example.org"]).await;
    expired.assert_status(201);
    server.clock.advance(days(8));
    assert_eq!(status(&client, &expired.location()).await, "invalid");
    let again = replacing(&client, &cert_id, &["www.example.org"]).await;
    again.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_2_short_lived_certificates_are_renewed_in_the_middle_of_their_life() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client
        .new_order_with(&["www.example.org"], json!({"profile": "short-lived"}))
        .await;
    client.authorize(&server, &order.json()).await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let done = client
        .finalize(&order.json(), &csr_for(&["www.example.org"], &key))
        .await
        .json();
    let pem = client.get(done["certificate"].as_str().unwrap()).await.text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
    let cert_id = pki::ari::CertId::of(&leaf).unwrap().to_string();
    let (start, end) = window(&ask(&client, &cert_id).await);
    let middle = leaf.not_before + leaf.not_after.since(leaf.not_before) / 2;
    assert!(start < middle && middle < end);
    assert!(end.since(start) < 4 * HOUR);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_a_new_key_of_the_account_and_another_profile_may_replace() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |_| {}).await;
    let client = Client::with_key(&server.directory_url("default"), Key::ed25519()).await;
    let mut client = client;
    client.register().await.assert_status(201);
    let issued = client.issue(&server, &["www.example.org"]).await;
    let extra = json!({"replaces": issued.cert_id(), "profile": "short-lived"});
    let order = client.new_order_with(&["www.example.org"], extra).await;
    order.assert_status(201);
    assert_eq!(order.json()["profile"], "short-lived");
}
