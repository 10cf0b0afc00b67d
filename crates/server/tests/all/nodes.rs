//! Several nodes on one PostgreSQL database: what one did, the others know.

use std::time::Duration;

use certwright::serve::Server;
use futures::StreamExt;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::ocsp::{OcspDigest, OcspIssuer, OcspRequest};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client, csr_for};

use crate::pki_frontend::{number, revoke};

/// Longer than any node remembers what another may change.
const A_SECOND: Duration = Duration::from_millis(1200);

/// The same resource at another node.
fn at(node: &Server, server: &TestServer, url: &str) -> String {
    url.replace(&server.url(), &format!("http://{}", node.address))
}

/// A request signed for the public URL, sent to a node of choice.
async fn post(
    client: &Client,
    server: &TestServer,
    node: &Server,
    url: &str,
    payload: &Value,
) -> Answer {
    let header = client.header(url).await;
    let jws = client.key.jws(&header, payload.to_string().as_bytes());
    client.send(&at(node, server, url), jws.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_nonce_is_accepted_by_one_of_two_nodes_only() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    let url = client.at("newOrder");
    for round in 0..5 {
        let nonce = client.nonce().await;
        let header =
            json!({"alg": client.key.alg(), "kid": client.kid, "nonce": nonce, "url": url});
        let targets = [url.clone(), at(&node, &server, &url)];
        let answers: Vec<Answer> = futures::stream::iter(0..50)
            .map(|n| {
                let payload = json!({"identifiers": [{"type": "dns", "value": format!("n{n}.r{round}.example.org")}]});
                let jws = client.key.jws(&header, payload.to_string().as_bytes());
                let (client, target) = (&client, &targets[n % 2]);
                async move { client.send(target, jws.to_string()).await }
            })
            .buffer_unordered(50)
            .collect()
            .await;
        let accepted = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(accepted, 1);
        assert!(
            answers
                .iter()
                .all(|a| a.status == 201 || a.problem() == "badNonce")
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_deactivated_at_one_node_is_refused_at_the_other_within_a_second() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    let url = client.at("newOrder");
    let wanted = json!({"identifiers": [{"type": "dns", "value": "cache.example.org"}]});
    let answer = post(&client, &server, &node, &url, &wanted).await;
    answer.assert_status(201);
    let account = client.kid.clone().unwrap();
    client
        .post(&account, &json!({"status": "deactivated"}))
        .await
        .assert_status(200);
    tokio::time::sleep(A_SECOND).await;
    let answer = post(&client, &server, &node, &url, &wanted).await;
    answer.assert_problem(401, "unauthorized");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_at_one_node_shows_in_ocsp_and_crl_of_the_other_within_a_second() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["seen.example.org"]).await;
    let issuer = pki::certificate::Certificate::from_der(&issued.chain[1]).unwrap();
    let cert_id =
        OcspIssuer::from_certificate(&issuer).cert_id(OcspDigest::Sha256, &issued.leaf().serial);
    let question = OcspRequest {
        cert_ids: vec![cert_id],
        nonce: None,
    }
    .to_der();
    let connected = node
        .lifecycle
        .issuer_by_name("issuing")
        .await
        .unwrap()
        .unwrap();
    let good = node.lifecycle.answer_ocsp(&connected, &question).await;
    let before = reqwest::get(format!("http://{}/pki/issuing/crl", node.address))
        .await
        .unwrap();
    let before = pki::crl::Crl::from_der(&before.bytes().await.unwrap()).unwrap();
    revoke(&client, &issued).await;
    server.clock.advance(A_SECOND);
    let revoked = node.lifecycle.answer_ocsp(&connected, &question).await;
    assert_ne!(good.der, revoked.der);
    // CertStatus is [1] for revoked, [0] for good (RFC 6960 section 4.2.1).
    assert!(
        revoked.der.windows(2).any(|window| window == [0xa1, 0x16]),
        "revoked, with time and reason"
    );
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(2));
            let crl = reqwest::get(format!("http://{}/pki/issuing/crl", node.address))
                .await
                .unwrap();
            let crl = pki::crl::Crl::from_der(&crl.bytes().await.unwrap()).unwrap();
            number(&crl) > number(&before)
                && crl.entries.iter().any(|e| e.serial == issued.leaf().serial)
        })
        .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_finalize_at_two_nodes_at_once_gives_one_certificate() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    for round in 0..5 {
        let name = format!("r{round}.example.org");
        let (_, order) = client.ready_order(&server, &[&name]).await;
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let csr = json!({"csr": testkit::acme::b64(csr_for(&[&name], &key))});
        let url = order["finalize"].as_str().unwrap();
        let (here, there) = tokio::join!(
            client.post(url, &csr),
            post(&client, &server, &node, url, &csr)
        );
        let won = [&here, &there]
            .iter()
            .filter(|answer| answer.status == 200)
            .count();
        assert_eq!(won, 1, "{here:?} {there:?}");
    }
    let all = server
        .lifecycle()
        .list_certificates(Default::default(), None, 100)
        .await
        .unwrap();
    assert_eq!(
        all.iter()
            .filter(|entry| entry.enrollment_id.is_some())
            .count(),
        5
    );
    node.stop().await;
}
