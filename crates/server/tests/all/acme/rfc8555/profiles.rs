//! The profiles extension (draft-ietf-acme-profiles).

use std::time::Duration;

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::json;
use testkit::TestServer;
use testkit::acme::csr_for;
use testkit::clock::days;

use super::super::support::{assert_refused, census, put_directory};

const NAMES: &[&str] = &["www.example.org"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_s4_an_order_gets_the_profile_it_asks_for_and_shows_it() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for (asked, shown, life) in [
        (json!({}), "default", days(90)),
        (json!({"profile": "default"}), "default", days(90)),
        (
            json!({"profile": "short-lived"}),
            "short-lived",
            days(6) + Duration::from_secs(16 * 3600),
        ),
    ] {
        let order = client.new_order_with(NAMES, asked).await;
        order.assert_status(201);
        let order = order.json();
        assert_eq!(order["profile"], shown);
        client.authorize(&server, &order).await;
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let done = client.finalize(&order, &csr_for(NAMES, &key)).await.json();
        assert_eq!(done["profile"], shown);
        let pem = client.get(done["certificate"].as_str().unwrap()).await.text;
        let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
        let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
        // Both ends of a validity belong to it.
        let seconds = Duration::from_secs(1);
        assert_eq!(leaf.not_after.since(leaf.not_before) + seconds, life);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_s4_a_profile_that_is_not_offered_is_refused() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let profile = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap();
    let caller = lifecycle::actor::Caller::system();
    let put = server
        .lifecycle()
        .put_profile("secret".to_owned(), profile.spec.clone(), &caller);
    put.await.unwrap();
    for name in ["secret", "nothing", "", "Default", "../default"] {
        let answer = client.new_order_with(NAMES, json!({"profile": name})).await;
        assert_refused(&answer, 400, "invalidProfile");
    }
    let answer = client.new_order_with(NAMES, json!({"profile": 1})).await;
    assert_refused(&answer, 400, "malformed");
    assert_eq!(census(&server).await.1, 0);
    put_directory(&server, "default", |spec| {
        spec.profiles.push("secret".to_owned())
    })
    .await;
    let answer = client
        .new_order_with(NAMES, json!({"profile": "secret"}))
        .await;
    answer.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_s4_a_profile_that_does_not_fit_the_names_refuses_each() {
    let server = TestServer::start().await;
    let profile = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap();
    let caller = lifecycle::actor::Caller::system();
    let mut spec = profile.spec.clone();
    spec.names.ip = false;
    spec.names.wildcards = false;
    spec.names.allow = vec![".example.org".parse().unwrap()];
    spec.names.deny = vec!["admin.example.org".parse().unwrap()];
    let put = server
        .lifecycle()
        .put_profile("narrow".to_owned(), spec, &caller);
    put.await.unwrap();
    put_directory(&server, "default", |spec| {
        spec.profiles = vec!["narrow".to_owned()]
    })
    .await;
    let client = server.registered_client().await;
    let bad = [
        "192.0.2.1",
        "*.example.org",
        "www.example.net",
        "admin.example.org",
    ];
    for name in bad {
        let answer = client.new_order(&["www.example.org", name]).await;
        assert_refused(&answer, 400, "rejectedIdentifier");
        let problems = answer.json()["subproblems"].clone();
        assert_eq!(problems[0]["identifier"]["value"], name, "{problems}");
    }
    client.new_order(NAMES).await.assert_status(201);
}
