//! Limits that tell when to come back (N8).

use std::time::Duration;

use serde_json::json;
use testkit::TestServer;
use testkit::acme::{Answer, Client};

use super::support::{assert_complete_refusal, assert_refused, census, first_authorization};

#[track_caller]
fn wait_of(answer: &Answer) -> Duration {
    assert_refused(answer, 429, "rateLimited");
    let seconds = answer.header("retry-after").expect("when to come back");
    Duration::from_secs(seconds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_who_waits_as_long_as_told_orders_again() {
    let server = TestServer::start_with("[limits]\nnew_orders_per_account_per_hour = 3\n").await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    for n in 0..3 {
        let name = format!("n{n}.example.org");
        client.new_order(&[&name]).await.assert_status(201);
    }
    for _ in 0..5 {
        let wait = wait_of(&client.new_order(&["x.example.org"]).await);
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1200));
        // A second early is too early; the second that was told is not.
        server.clock.advance(wait - Duration::from_secs(1));
        let left = wait_of(&client.new_order(&["x.example.org"]).await);
        server.clock.advance(left);
        client
            .new_order(&["x.example.org"])
            .await
            .assert_status(201);
    }
    // Nobody pays for another's orders.
    other.new_order(&["y.example.org"]).await.assert_status(201);
    // An authorization ahead of an order is no way around.
    let payload = json!({"identifier": {"type": "dns", "value": "z.example.org"}});
    let wait = wait_of(&client.post(&client.at("newAuthz"), &payload).await);
    server.clock.advance(wait);
    let authorized = client.post(&client.at("newAuthz"), &payload).await;
    authorized.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p06_n08_a_refusal_at_the_door_is_an_acme_problem_with_a_nonce() {
    let server = TestServer::start_with("[limits]\nrequests_per_second_per_ip = 5\n").await;
    let client = server.registered_client().await;
    let mut refused = None;
    for _ in 0..200 {
        let answer = client.new_order(&["www.example.org"]).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("200 requests at once are more than five a second");
    assert!(wait_of(&refused) >= Duration::from_secs(1));
    assert_complete_refusal(&refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_of_orders_at_once_no_more_than_the_limit_are_made() {
    let server = TestServer::start_with("[limits]\nnew_orders_per_account_per_hour = 5\n").await;
    let client = server.registered_client().await;
    let names: Vec<String> = (0..40).map(|n| format!("n{n}.example.org")).collect();
    let orders = names.iter().map(|name| {
        let client = &client;
        async move { client.new_order(&[name.as_str()]).await }
    });
    let answers = futures::future::join_all(orders).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 5);
    for answer in answers.iter().filter(|a| a.status != 201) {
        wait_of(answer);
    }
    assert_eq!(census(&server).await.1, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_an_order_that_replaces_a_certificate_is_exempt() {
    let server = TestServer::start_with("[limits]\nnew_orders_per_account_per_hour = 2\n").await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    client
        .new_order(&["a.example.org"])
        .await
        .assert_status(201);
    wait_of(&client.new_order(&["www.example.org"]).await);
    let extra = json!({"replaces": issued.cert_id()});
    let renewal = client.new_order_with(&["www.example.org"], extra).await;
    renewal.assert_status(201);
    client.authorize(&server, &renewal.json()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_accounts_from_one_address_are_limited() {
    let server = TestServer::start_with("[limits]\nnew_accounts_per_ip_per_hour = 2\n").await;
    let mut first = server.registered_client().await;
    server.registered_client().await;
    let mut third = server.client().await;
    let wait = wait_of(&third.register().await);
    // Who has an account may look it up as often as it likes.
    for _ in 0..5 {
        first.kid = None;
        first.register().await.assert_status(200);
    }
    server.clock.advance(wait);
    third.register().await.assert_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_limits_hold_across_nodes_and_restarts() {
    let limits = "[limits]\nnew_orders_per_account_per_hour = 2\n";
    let mut server = TestServer::start_with(limits).await;
    let mut client = server.registered_client().await;
    client
        .new_order(&["a.example.org"])
        .await
        .assert_status(201);
    client
        .new_order(&["b.example.org"])
        .await
        .assert_status(201);
    if let Some(node) = server.second_node().await {
        let url = client.at("newOrder");
        let payload = json!({"identifiers": [{"type": "dns", "value": "c.example.org"}]});
        let jws = client.signed(&url, payload.to_string().as_bytes()).await;
        let elsewhere = url.replace(&server.url(), &format!("http://{}", node.address));
        wait_of(&client.send(&elsewhere, jws.to_string()).await);
        node.stop().await;
    }
    client.hang_up();
    server.crash_and_restart().await;
    let wait = wait_of(&client.new_order(&["c.example.org"]).await);
    server.clock.advance(wait);
    client
        .new_order(&["c.example.org"])
        .await
        .assert_status(201);
}

/// Answers a challenge with nothing in place, and waits until it has failed for good.
async fn fail_once(server: &TestServer, client: &Client, name: &str) -> Answer {
    let order = client.new_order(&[name]).await.json();
    let url = first_authorization(&order).to_owned();
    let challenge = client.challenge(&url, "http-01").await;
    let answer = client.respond(&challenge).await;
    if answer.status != 200 {
        return answer;
    }
    for _ in 0..200 {
        let body = client.get(&url).await.json();
        if body["status"] == "invalid" {
            return answer;
        }
        if body["challenges"][0].get("error").is_some() {
            server.clock.advance(Duration::from_secs(1));
            server.run_jobs().await;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{url} did not fail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_who_fails_too_often_waits() {
    let limits = "[limits]\nfailed_validations_per_account_per_hour = 3\n";
    let server = TestServer::start_with(limits).await;
    let client = server.registered_client().await;
    for n in 0..3 {
        let name = format!("f{n}.example.org");
        fail_once(&server, &client, &name).await.assert_status(200);
    }
    let wait = wait_of(&fail_once(&server, &client, "g.example.org").await);
    assert!(wait > Duration::from_secs(1000) && wait <= Duration::from_secs(1200));
    server.clock.advance(wait);
    client.issue(&server, &["www.example.org"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_success_is_not_counted() {
    let limits = "[limits]\nfailed_validations_per_account_per_hour = 1\n";
    let server = TestServer::start_with(limits).await;
    let client = server.registered_client().await;
    for n in 0..5 {
        client.issue(&server, &[&format!("n{n}.example.org")]).await;
    }
}
