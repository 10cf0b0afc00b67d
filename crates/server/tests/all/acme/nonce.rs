//! Nonces (P5, P7).

use futures::StreamExt;
use serde_json::json;
use testkit::TestServer;
use testkit::acme::{Answer, Client};

use super::support::{assert_refused, census};

/// A new order under a nonce that others use, too.
async fn order_with(client: &Client, target: &str, nonce: &str, name: &str) -> Answer {
    let url = client.at("newOrder");
    let header = json!({
        "alg": client.key.alg(), "kid": client.kid, "nonce": nonce, "url": url,
    });
    let payload = json!({"identifiers": [{"type": "dns", "value": name}]});
    let jws = client.key.jws(&header, payload.to_string().as_bytes());
    client.send(target, jws.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_one_nonce_is_accepted_once_under_concurrency() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let second = server.second_node().await;
    let own = client.at("newOrder");
    let targets: Vec<String> = match &second {
        None => vec![own],
        Some(node) => {
            let elsewhere = own.replace(&server.url(), &format!("http://{}", node.address));
            vec![own, elsewhere]
        }
    };
    let nonce = client.nonce().await;
    let answers: Vec<Answer> = futures::stream::iter(0..1_000)
        .map(|n| {
            let (client, nonce, target) = (&client, &nonce, &targets[n % targets.len()]);
            async move { order_with(client, target, nonce, &format!("n{n}.example.org")).await }
        })
        .buffer_unordered(250)
        .collect()
        .await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 201);
    assert_eq!(accepted.len(), 1);
    let mut fresh = std::collections::HashSet::new();
    for answer in refused {
        assert_refused(answer, 400, "badNonce");
        assert!(fresh.insert(answer.header("replay-nonce").unwrap()));
    }
    assert_eq!(census(&server).await.1, 1);
    if let Some(node) = second {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_restart_revives_no_nonce() {
    let mut server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let url = client.at("newOrder");
    let spent = client.nonce().await;
    order_with(&client, &url, &spent, "a.example.org")
        .await
        .assert_status(201);
    let unspent = client.nonce().await;
    client.hang_up();
    server.crash_and_restart().await;
    assert_refused(
        &order_with(&client, &url, &spent, "b.example.org").await,
        400,
        "badNonce",
    );
    let first = order_with(&client, &url, &unspent, "c.example.org").await;
    let second = order_with(&client, &url, &unspent, "d.example.org").await;
    // A shared store carries nonces over a restart; a store of one process begins anew.
    let carried = server.store().is_shared();
    assert_eq!(first.status == 201, carried, "{}", first.text);
    assert_refused(&second, 400, "badNonce");
    // The nonce of a refusal is good.
    let nonce = second.header("replay-nonce").unwrap();
    order_with(&client, &url, nonce, "e.example.org")
        .await
        .assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_a_nonce_is_spent_by_a_request_that_fails_otherwise() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let url = client.at("newOrder");
    let nonce = client.nonce().await;
    let refused = order_with(&client, &url, &nonce, "*.com").await;
    assert_eq!(refused.status, 400);
    assert_ne!(refused.problem(), "badNonce");
    assert_refused(
        &order_with(&client, &url, &nonce, "a.example.org").await,
        400,
        "badNonce",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_new_nonce_answers_head_and_get_and_is_never_stored() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let url = client.at("newNonce");
    let mut seen = std::collections::HashSet::new();
    for (method, status) in [("HEAD", 200), ("GET", 204), ("HEAD", 200), ("GET", 204)] {
        let method: reqwest::Method = method.parse().unwrap();
        let response = client.http.request(method, &url).send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let nonce = response.headers()["replay-nonce"].to_str().unwrap();
        let alphabet = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(nonce.len() >= 22 && nonce.chars().all(alphabet), "{nonce}");
        assert!(seen.insert(nonce.to_owned()));
        let links = response.headers().get_all("link");
        let index = format!("<{}>;rel=\"index\"", server.directory_url("default"));
        assert!(links.iter().any(|link| *link == index));
        assert!(response.text().await.unwrap().is_empty());
    }
    let registered = server.registered_client().await;
    registered.get(&url).await.assert_status(204);
}
