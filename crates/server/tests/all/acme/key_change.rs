//! A new key for an account (P10, RFC 8555 section 7.3.5).

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, Key};

use super::support::{assert_complete_refusal, assert_refused, put_directory, registered_in};

/// What goes into a key change; a test bends one part of it.
struct Change {
    header: Value,
    payload: Value,
}

impl Change {
    fn of(client: &Client, new: &Key) -> Self {
        Self {
            header: json!({"alg": new.alg(), "jwk": new.jwk(), "url": client.at("keyChange")}),
            payload: json!({"account": client.kid, "oldKey": client.key.jwk()}),
        }
    }

    fn signed(&self, key: &Key) -> Value {
        key.jws(&self.header, self.payload.to_string().as_bytes())
    }
}

async fn change_key(client: &Client, new: &Key) -> Answer {
    let inner = Change::of(client, new).signed(new);
    client.post(&client.at("keyChange"), &inner).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_the_old_key_ends_at_once_and_pending_orders_go_on() {
    let server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let (order_url, order) = client.ready_order(&server, &["www.example.org"]).await;
    let open = client.new_order(&["open.example.org"]).await.json();
    let new = Key::p256();
    let changed = change_key(&client, &new).await;
    changed.assert_status(200);
    assert_eq!(changed.header("location"), client.kid.as_deref());
    assert_refused(&client.get(&order_url).await, 400, "malformed");
    client.key = new;
    assert_eq!(client.get(&order_url).await.json()["status"], "ready");
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = testkit::acme::csr_for(&["www.example.org"], &key);
    client.finalize(&order, &csr).await.assert_status(200);
    // An open challenge is answered with the new key's thumbprint.
    client.authorize(&server, &open).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_key_in_use_is_a_conflict_that_names_its_account() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    let answer = change_key(&client, &other.key).await;
    assert_refused(&answer, 409, "malformed");
    assert_eq!(answer.header("location"), other.kid.as_deref());
    // Its own key is in use, too.
    let answer = change_key(&client, &client.key).await;
    assert_refused(&answer, 409, "malformed");
    assert_eq!(answer.header("location"), client.kid.as_deref());
    client
        .get(client.kid.as_deref().unwrap())
        .await
        .assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_of_two_accounts_that_want_one_key_one_gets_it() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.registered_client().await);
    }
    let wanted = Key::p256();
    let answers = futures::future::join_all(clients.iter().map(|c| change_key(c, &wanted))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    for loser in answers.iter().filter(|answer| answer.status == 409) {
        assert_eq!(loser.location(), winner.location());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_5_every_check_of_a_key_change_refuses_what_it_is_for() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    let elsewhere = registered_in(&server, "other").await;
    let new = Key::p256();
    let fine = || Change::of(&client, &new);
    let bent = |bend: &dyn Fn(&mut Change)| {
        let mut change = fine();
        bend(&mut change);
        change.signed(&new)
    };
    let nonce = client.nonce().await;
    let mut broken = fine().signed(&new);
    broken["signature"] = json!(testkit::acme::b64([1_u8; 64]));
    let mut unprotected = fine().signed(&new);
    unprotected["header"] = json!({});
    for (what, inner) in [
        (
            "no inner JWS",
            json!({"account": client.kid, "oldKey": client.key.jwk()}),
        ),
        ("broken inner signature", broken),
        ("signed by the old key", fine().signed(&client.key)),
        ("unprotected header", unprotected),
        (
            "kid inside",
            bent(&|c| {
                c.header.as_object_mut().unwrap().remove("jwk");
                c.header["kid"] = json!(client.kid);
            }),
        ),
        (
            "jwk and kid inside",
            bent(&|c| c.header["kid"] = json!(client.kid)),
        ),
        ("nonce inside", bent(&|c| c.header["nonce"] = json!(nonce))),
        (
            "other url inside",
            bent(&|c| c.header["url"] = json!(client.at("newOrder"))),
        ),
        (
            "url of another directory",
            bent(&|c| c.header["url"] = json!(elsewhere.at("keyChange"))),
        ),
        (
            "no url inside",
            bent(&|c| drop(c.header.as_object_mut().unwrap().remove("url"))),
        ),
        (
            "algorithm of another key",
            bent(&|c| c.header["alg"] = json!("ES384")),
        ),
        ("algorithm none", bent(&|c| c.header["alg"] = json!("none"))),
        (
            "another account",
            bent(&|c| c.payload["account"] = json!(other.kid)),
        ),
        (
            "no account",
            bent(&|c| drop(c.payload.as_object_mut().unwrap().remove("account"))),
        ),
        (
            "another old key",
            bent(&|c| c.payload["oldKey"] = other.key.jwk()),
        ),
        (
            "the new key as old key",
            bent(&|c| c.payload["oldKey"] = new.jwk()),
        ),
        (
            "no old key",
            bent(&|c| drop(c.payload.as_object_mut().unwrap().remove("oldKey"))),
        ),
        (
            "old key that is a text",
            bent(&|c| c.payload["oldKey"] = json!(client.key.thumbprint())),
        ),
    ] {
        let answer = client.post(&client.at("keyChange"), &inner).await;
        assert!(
            (400..=403).contains(&answer.status),
            "{what}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
    }
    client
        .get(client.kid.as_deref().unwrap())
        .await
        .assert_status(200);
    change_key(&client, &new).await.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_5_a_key_change_is_signed_by_the_account() {
    let server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let new = Key::p256();
    let inner = Change::of(&client, &new).signed(&new);
    client.kid = None;
    let answer = client.post(&client.at("keyChange"), &inner).await;
    assert_refused(&answer, 400, "malformed");
}
