//! How long a proof counts, and what ends it (I8, I9).

use std::time::Duration;

use domain::acme::challenge::ChallengeKind;
use domain::acme::directory::DirectorySpec;
use domain::id::AccountId;
use lifecycle::actor::Caller;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, csr_for};

use super::support::{
    KeyTerms, assert_refused, binding_key, census, first_authorization, put_directory, status,
};

const NAMES: [&str; 3] = ["a.example.org", "b.example.org", "c.example.org"];
const HOUR: Duration = Duration::from_secs(3600);

async fn finalize(client: &Client, order: &Value, names: &[&str]) -> Answer {
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    client.finalize(order, &csr_for(names, &key)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_a_validation_older_than_the_reuse_window_is_redone_for_each_name() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.authorization_reuse_seconds = 2 * 3600
    })
    .await;
    let client = server.registered_client().await;
    client.issue(&server, &NAMES).await;
    server.clock.advance(HOUR);
    let within = client.new_order(&NAMES).await.json();
    assert_eq!(within["status"], "ready", "{within}");
    finalize(&client, &within, &NAMES).await.assert_status(200);
    server.clock.advance(HOUR + Duration::from_secs(1));
    let after = client.new_order(&NAMES).await.json();
    assert_eq!(after["status"], "pending");
    for url in after["authorizations"].as_array().unwrap() {
        assert_eq!(status(&client, url.as_str().unwrap()).await, "pending");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_each_name_has_an_age_of_its_own() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.authorization_reuse_seconds = 2 * 3600
    })
    .await;
    let client = server.registered_client().await;
    for name in NAMES {
        client.issue(&server, &[name]).await;
        server.clock.advance(HOUR);
    }
    // Three hours, two hours and one hour ago: the second to the second still counts.
    let order = client.new_order(&NAMES).await.json();
    let mut seen = Vec::new();
    for url in order["authorizations"].as_array().unwrap() {
        seen.push(status(&client, url.as_str().unwrap()).await);
    }
    assert_eq!(seen, ["pending", "valid", "valid"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_by_default_every_order_is_proven_anew() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    client.issue(&server, &NAMES).await;
    let order = client.new_order(&NAMES).await.json();
    assert_eq!(order["status"], "pending");
    // And one that was ready ends with its proofs.
    client.authorize(&server, &order).await;
    server.clock.advance(8 * 24 * HOUR);
    let answer = finalize(&client, &order, &NAMES).await;
    assert_refused(&answer, 403, "orderNotReady");
}

/// Reuses what was proven a moment ago, but under other rules than then.
async fn status_under_new_rules(change: fn(&mut DirectorySpec)) -> String {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.authorization_reuse_seconds = 2 * 3600
    })
    .await;
    let client = server.registered_client().await;
    client.issue(&server, &NAMES[..1]).await;
    put_directory(&server, "default", change).await;
    let order = client.new_order(&NAMES[..1]).await.json();
    order["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i08_a_proof_of_a_kind_no_longer_taken_is_not_reused() {
    let unchanged = status_under_new_rules(|_| {}).await;
    assert_eq!(unchanged, "ready");
    let stricter = status_under_new_rules(|spec| {
        spec.challenges = vec![ChallengeKind::Dns01];
    });
    assert_eq!(stricter.await, "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_order_ends_with_any_of_its_authorizations() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for place in 0..NAMES.len() {
        let (order_url, order) = client.ready_order(&server, &NAMES).await;
        let url = order["authorizations"][place].as_str().unwrap();
        let answer = client.post(url, &json!({"status": "deactivated"})).await;
        answer.assert_status(200);
        assert_eq!(answer.json()["status"], "deactivated");
        assert_refused(
            &finalize(&client, &order, &NAMES).await,
            403,
            "orderNotReady",
        );
        assert_eq!(status(&client, &order_url).await, "invalid");
    }
    assert_eq!(census(&server).await.2, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_authorization_that_orders_share_ends_all_of_them() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.authorization_reuse_seconds = 2 * 3600
    })
    .await;
    let client = server.registered_client().await;
    let (_, first) = client.ready_order(&server, &NAMES[..1]).await;
    let second = client.new_order(&NAMES[..1]).await.json();
    assert_eq!(first["authorizations"], second["authorizations"]);
    let url = first_authorization(&first);
    let answer = client.post(url, &json!({"status": "deactivated"})).await;
    answer.assert_status(200);
    for order in [first, second] {
        let answer = finalize(&client, &order, &NAMES[..1]).await;
        assert_refused(&answer, 403, "orderNotReady");
    }
    let third = client.new_order(&NAMES[..1]).await.json();
    assert_eq!(third["status"], "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_order_ends_with_its_account() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    let account = client.kid.clone().unwrap();
    let closed = client
        .post(&account, &json!({"status": "deactivated"}))
        .await;
    closed.assert_status(200);
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        401,
        "unauthorized",
    );
    // Ended by the operator it is the same.
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    let url = client.kid.clone().unwrap();
    let id: AccountId = url.rsplit('/').next().unwrap().parse().unwrap();
    let revoked = domain::acme::account::AccountStatus::Revoked;
    let caller = Caller::system();
    let ended = server.lifecycle().end_account(&id, revoked, &caller);
    ended.await.unwrap();
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        401,
        "unauthorized",
    );
    assert_eq!(census(&server).await.2, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_order_ends_with_the_version_of_its_profile() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    let profile = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap();
    let mut spec = profile.spec.clone();
    spec.validity_seconds = 3600 * 24;
    let caller = Caller::system();
    let put = server
        .lifecycle()
        .put_profile("default".to_owned(), spec, &caller);
    put.await.unwrap();
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        400,
        "invalidProfile",
    );
    assert_eq!(census(&server).await.2, 0);
    client.issue(&server, &NAMES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_order_ends_when_its_directory_withdraws_the_profile() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    put_directory(&server, "default", |spec| {
        spec.profiles = vec!["short-lived".to_owned()];
    })
    .await;
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        400,
        "invalidProfile",
    );
    assert_eq!(census(&server).await.2, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_an_order_ends_when_its_directory_takes_its_proofs_no_more() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &NAMES).await;
    put_directory(&server, "default", |spec| {
        spec.challenges = vec![ChallengeKind::Dns01]
    })
    .await;
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        403,
        "unauthorized",
    );
    assert_eq!(census(&server).await.2, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_trust_that_was_withdrawn_proves_nothing() {
    let server = TestServer::start().await;
    put_directory(&server, "inside", |spec| {
        spec.trusted = true;
        spec.external_account_required = true;
        spec.authorization_reuse_seconds = 2 * 3600;
    })
    .await;
    let terms = KeyTerms {
        names: &[".example.org"],
        ..KeyTerms::default()
    };
    let key = binding_key(&server, terms).await;
    let mut client = Client::new(&server.directory_url("inside")).await;
    key.register(&mut client).await.assert_status(201);
    let order = client.new_order(&NAMES).await.json();
    assert_eq!(order["status"], "ready");
    put_directory(&server, "inside", |spec| spec.trusted = false).await;
    assert_refused(
        &finalize(&client, &order, &NAMES).await,
        403,
        "unauthorized",
    );
    assert_eq!(client.new_order(&NAMES).await.json()["status"], "pending");
}
