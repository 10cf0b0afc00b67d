//! Who may revoke (I12, RFC 8555 section 7.6).

use serde_json::json;
use testkit::TestServer;
use testkit::acme::{Answer, Client, Issued, Key, b64, csr_for};

use super::support::{assert_refused, events, put_directory, status};

const NAMES: &[&str] = &["a.example.org", "b.example.org"];

async fn revoke(client: &Client, der: &[u8], reason: Option<i64>) -> Answer {
    let mut payload = json!({ "certificate": b64(der) });
    if let Some(reason) = reason {
        payload["reason"] = json!(reason);
    }
    client.post(&client.at("revokeCert"), &payload).await
}

async fn holder_of(server: &TestServer, issued: &Issued) -> Client {
    let key = Key::of_certificate(&issued.key);
    Client::with_key(&server.directory_url("default"), key).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_the_issuing_account_the_key_and_the_holder_of_all_names_may_revoke() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let by_account = client.issue(&server, NAMES).await;
    let by_key = client.issue(&server, NAMES).await;
    let by_names = client.issue(&server, NAMES).await;
    let answer = revoke(&client, &by_account.chain[0], None).await;
    answer.assert_status(200);
    assert!(answer.text.is_empty());
    let holder = holder_of(&server, &by_key).await;
    revoke(&holder, &by_key.chain[0], Some(0))
        .await
        .assert_status(200);
    let other = server.registered_client().await;
    other.ready_order(&server, NAMES).await;
    revoke(&other, &by_names.chain[0], Some(4))
        .await
        .assert_status(200);
    assert_eq!(events(&server, "certificate.revoked").await, 3);
    for issued in [by_account, by_key, by_names] {
        let again = revoke(&client, &issued.chain[0], None).await;
        assert_refused(&again, 400, "alreadyRevoked");
    }
    assert_eq!(events(&server, "certificate.revoked").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_nobody_else_may_revoke() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    let der = &issued.chain[0];
    let stranger = server.registered_client().await;
    assert_refused(&revoke(&stranger, der, None).await, 403, "unauthorized");
    // Some of the names are not all of them …
    stranger.ready_order(&server, &NAMES[1..]).await;
    assert_refused(&revoke(&stranger, der, None).await, 403, "unauthorized");
    // … nor is one that was given up, or another name's wildcard.
    let (_, order) = stranger.ready_order(&server, &NAMES[..1]).await;
    let url = order["authorizations"][0].as_str().unwrap();
    stranger
        .post(url, &json!({"status": "deactivated"}))
        .await
        .assert_status(200);
    assert_refused(&revoke(&stranger, der, None).await, 403, "unauthorized");
    let key = Client::new(&server.directory_url("default")).await;
    assert_refused(&revoke(&key, der, None).await, 403, "unauthorized");
    let neighbour = holder_of(&server, &client.issue(&server, NAMES).await).await;
    assert_refused(&revoke(&neighbour, der, None).await, 403, "unauthorized");
    assert_eq!(events(&server, "certificate.revoked").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_authorizations_that_expired_give_no_right() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    let stranger = server.registered_client().await;
    stranger.ready_order(&server, NAMES).await;
    server.clock.advance(testkit::clock::days(8));
    let answer = revoke(&stranger, &issued.chain[0], None).await;
    assert_refused(&answer, 403, "unauthorized");
    // The account that it was issued to needs none.
    revoke(&client, &issued.chain[0], None)
        .await
        .assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_closed_account_revokes_nothing_but_the_key_still_does() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    let account = client.kid.clone().unwrap();
    client
        .post(&account, &json!({"status": "deactivated"}))
        .await
        .assert_status(200);
    assert_refused(
        &revoke(&client, &issued.chain[0], None).await,
        401,
        "unauthorized",
    );
    let holder = holder_of(&server, &issued).await;
    revoke(&holder, &issued.chain[0], None)
        .await
        .assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_compromised_key_is_blocked_everywhere_also_in_pending_orders() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    let (pending_url, pending) = client.ready_order(&server, NAMES).await;
    let neighbour = super::support::registered_in(&server, "other").await;
    let (theirs_url, theirs) = neighbour.ready_order(&server, &["c.example.org"]).await;
    let second = server.second_node().await;
    let holder = holder_of(&server, &issued).await;
    revoke(&holder, &issued.chain[0], Some(1))
        .await
        .assert_status(200);
    let refused = client
        .finalize(&pending, &csr_for(NAMES, &issued.key))
        .await;
    assert_refused(&refused, 400, "badCSR");
    assert_eq!(status(&client, &pending_url).await, "ready");
    let csr = csr_for(&["c.example.org"], &issued.key);
    assert_refused(&neighbour.finalize(&theirs, &csr).await, 400, "badCSR");
    assert_eq!(status(&neighbour, &theirs_url).await, "ready");
    if let Some(node) = second {
        let url = theirs["finalize"].as_str().unwrap();
        let payload = json!({ "csr": b64(&csr) }).to_string();
        let jws = neighbour.signed(url, payload.as_bytes()).await;
        let elsewhere = url.replace(&server.url(), &format!("http://{}", node.address));
        let answer = neighbour.send(&elsewhere, jws.to_string()).await;
        assert_refused(&answer, 400, "badCSR");
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_claim_of_compromise_without_the_key_blocks_nothing() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    revoke(&client, &issued.chain[0], Some(1))
        .await
        .assert_status(200);
    let (_, order) = client.ready_order(&server, NAMES).await;
    let again = client.finalize(&order, &csr_for(NAMES, &issued.key)).await;
    again.assert_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_6_reasons_are_those_a_subscriber_may_give() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, NAMES).await;
    for reason in [-1, 2, 6, 7, 8, 9, 10, 11, 255, 256, 257, i64::MAX] {
        let answer = revoke(&client, &issued.chain[0], Some(reason)).await;
        assert_refused(&answer, 400, "badRevocationReason");
    }
    for reason in [0, 1, 3, 4, 5] {
        let issued = client.issue(&server, NAMES).await;
        revoke(&client, &issued.chain[0], Some(reason))
            .await
            .assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_6_only_what_was_issued_here_is_revoked_here() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start().await;
    let client = server.registered_client().await;
    let foreign = elsewhere
        .registered_client()
        .await
        .issue(&elsewhere, NAMES)
        .await;
    let issued = client.issue(&server, NAMES).await;
    assert_refused(
        &revoke(&client, &foreign.chain[0], None).await,
        404,
        "malformed",
    );
    // Our own CAs are not an account's to revoke.
    assert_refused(
        &revoke(&client, &issued.chain[1], None).await,
        403,
        "unauthorized",
    );
    for octets in [&[][..], &[0x30, 0], &issued.chain[0][..100]] {
        assert_refused(&revoke(&client, octets, None).await, 404, "malformed");
    }
    for payload in [
        json!({}),
        json!({"certificate": issued.pem}),
        json!({"certificate": format!("{}=", b64(&issued.chain[0]))}),
        json!({"certificate": b64(&issued.chain[0]), "reason": "1"}),
    ] {
        let answer = client.post(&client.at("revokeCert"), &payload).await;
        assert_refused(&answer, 400, "malformed");
    }
    let events = events(&server, "certificate.revoked").await;
    assert_eq!(events, 0);
}
