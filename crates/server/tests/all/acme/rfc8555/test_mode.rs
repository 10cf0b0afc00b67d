//! Directories on which clients are tested: they refuse and delay on purpose.

use std::sync::atomic::Ordering;

use domain::acme::directory::TestMode;
use pki::key::{KeyAlgorithm, LocalKey};
use testkit::TestServer;
use testkit::acme::csr_for;

use super::super::support::{first_authorization, put_directory};

const KIND: TestMode = TestMode {
    refuse_nonces_percent: 0,
    reuse_authorizations_percent: 0,
    validation_delay_millis: 0,
    issuance_delay_millis: 0,
    skip_validation: false,
};

async fn server_in(mode: TestMode) -> TestServer {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| spec.test_mode = Some(mode)).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_mode_a_client_that_retries_gets_through_refused_nonces() {
    let server = server_in(TestMode {
        refuse_nonces_percent: 50,
        ..KIND
    })
    .await;
    let client = server.registered_client().await;
    client
        .issue(&server, &["a.example.org", "b.example.org"])
        .await;
    assert!(client.bad_nonces.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_mode_validation_can_be_left_out() {
    let server = server_in(TestMode {
        skip_validation: true,
        ..KIND
    })
    .await;
    let client = server.registered_client().await;
    let order = client
        .new_order(&["nothing-there.example.org"])
        .await
        .json();
    let url = first_authorization(&order);
    let challenge = client.challenge(url, "tls-alpn-01").await;
    client.respond(&challenge).await.assert_status(200);
    assert_eq!(client.settled(url).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_mode_an_order_shows_processing_before_it_is_valid() {
    let server = server_in(TestMode {
        validation_delay_millis: 200,
        issuance_delay_millis: 400,
        ..KIND
    })
    .await;
    let client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, &["www.example.org"]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let begun = client
        .finalize(&order, &csr_for(&["www.example.org"], &key))
        .await;
    begun.assert_status(200);
    assert_eq!(begun.json()["status"], "processing", "{}", begun.text);
    assert!(begun.header("retry-after").is_some());
    assert!(begun.json().get("certificate").is_none());
    let settled = client.settled(&order_url).await;
    assert_eq!(settled["status"], "valid");
    assert!(settled["certificate"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_mode_orders_may_find_their_names_proven_already() {
    let server = server_in(TestMode {
        reuse_authorizations_percent: 100,
        ..KIND
    })
    .await;
    let client = server.registered_client().await;
    client.issue(&server, &["www.example.org"]).await;
    let order = client.new_order(&["www.example.org"]).await.json();
    assert_eq!(order["status"], "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_test_directory_took_on_trust_proves_nothing_when_it_is_one_no_longer() {
    let server = server_in(TestMode {
        skip_validation: true,
        ..KIND
    })
    .await;
    let client = server.registered_client().await;
    // Nobody answers the challenge.
    let order = client.new_order(&["www.example.org"]).await;
    let order_url = order.location();
    let order = order.json();
    let url = first_authorization(&order);
    let challenge = client.challenge(url, "http-01").await;
    client.respond(&challenge).await.assert_status(200);
    assert_eq!(client.settled(url).await["status"], "valid");
    put_directory(&server, "default", |spec| spec.test_mode = None).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client
        .finalize(&order, &csr_for(&["www.example.org"], &key))
        .await;
    assert_eq!(answer.status / 100, 4, "{}", answer.text);
    let order = client.get(&order_url).await.json();
    assert!(order.get("certificate").is_none(), "{order}");
}
