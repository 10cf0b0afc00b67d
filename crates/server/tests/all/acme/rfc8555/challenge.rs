//! Challenges and their retries; http-01 (RFC 8555 sections 7.1.5, 7.5.1, 8.2, 8.3; RFC 8738).

use std::time::Duration;

use domain::acme::challenge::ChallengeKind;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;

use super::super::support::{
    assert_refused, events, first_authorization, links, put_directory, status,
};

/// Looks until the challenge shows an error or is settled.
async fn tried(client: &Client, url: &str) -> Value {
    for _ in 0..200 {
        let body = client.get(url).await.json();
        if body.get("error").is_some() || body["status"] != "processing" {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{url} was not tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_2_a_wrong_response_is_tried_again_and_may_still_become_right() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await;
    let body = order.json();
    let authorization = first_authorization(&body);
    let challenge = client.challenge(authorization, "http-01").await;
    let token = challenge["token"].as_str().unwrap();
    let url = challenge["url"].as_str().unwrap();
    server.web.put(token, "something else");
    let begun = client.respond(&challenge).await;
    begun.assert_status(200);
    assert_eq!(links(&begun, "up"), [authorization]);
    let shown = tried(&client, url).await;
    assert_eq!(shown["status"], "processing", "{shown}");
    assert_eq!(
        shown["error"]["type"],
        "urn:ietf:params:acme:error:incorrectResponse"
    );
    assert!(
        shown["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("something else")
    );
    let looked = client.get(authorization).await;
    assert_eq!(looked.json()["status"], "pending");
    for answer in [looked, client.get(url).await] {
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
    }
    server.web.put(token, &client.key_authorization(token));
    server.clock.advance(Duration::from_secs(2));
    server.run_jobs().await;
    let proven = client.settled(authorization).await;
    assert_eq!(proven["status"], "valid", "{proven}");
    let challenge = client.challenge(authorization, "http-01").await;
    assert_eq!(challenge["status"], "valid");
    assert!(challenge["validated"].is_string());
    assert!(challenge.get("error").is_none());
    assert_eq!(status(&client, &order.location()).await, "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_2_a_response_that_stays_wrong_ends_the_authorization() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await.json();
    let authorization = first_authorization(&order);
    let challenge = client.challenge(authorization, "http-01").await;
    let url = challenge["url"].as_str().unwrap();
    client.respond(&challenge).await.assert_status(200);
    tried(&client, url).await;
    server.clock.advance(Duration::from_secs(2));
    server.run_jobs().await;
    let failed = client.settled(authorization).await;
    assert_eq!(failed["status"], "invalid");
    let challenge = client.get(url).await.json();
    assert_eq!(challenge["status"], "invalid");
    assert_eq!(
        challenge["error"]["type"],
        "urn:ietf:params:acme:error:incorrectResponse"
    );
    assert_eq!(events(&server, "authorization.failed").await, 1);
    // To ask again is a question, and the answer does not change.
    server.web.put(
        challenge["token"].as_str().unwrap(),
        &client.key_authorization(challenge["token"].as_str().unwrap()),
    );
    let again = client.respond(&challenge).await;
    again.assert_status(200);
    assert_eq!(again.json()["status"], "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_5_1_a_challenge_is_begun_once_however_often_it_is_answered() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await.json();
    let authorization = first_authorization(&order);
    let challenge = client.challenge(authorization, "http-01").await;
    let token = challenge["token"].as_str().unwrap();
    server.web.put(token, &client.key_authorization(token));
    let answers = futures::future::join_all((0..20).map(|_| client.respond(&challenge))).await;
    for answer in &answers {
        answer.assert_status(200);
        let seen = answer.json()["status"].clone();
        assert!(seen == "processing" || seen == "valid", "{seen}");
    }
    assert_eq!(client.settled(authorization).await["status"], "valid");
    let again = client.respond(&challenge).await;
    assert_eq!(again.json()["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_5_1_the_response_is_an_object_whose_members_do_not_matter() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await.json();
    let authorization = first_authorization(&order);
    let challenge = client.challenge(authorization, "http-01").await;
    let url = challenge["url"].as_str().unwrap();
    for payload in [json!([]), json!("{}"), Value::Null, json!(1)] {
        assert_refused(&client.post(url, &payload).await, 400, "malformed");
    }
    assert_eq!(client.get(url).await.json()["status"], "pending");
    let token = challenge["token"].as_str().unwrap();
    server.web.put(token, &client.key_authorization(token));
    let extra = json!({"keyAuthorization": "from an older draft", "type": "http-01"});
    client.post(url, &extra).await.assert_status(200);
    assert_eq!(client.settled(authorization).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_3_the_key_authorization_is_that_of_the_account() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let other = server.registered_client().await;
    for (what, valid) in [
        ("own", true),
        ("own, line break behind", true),
        ("another account's", false),
        ("token only", false),
        ("thumbprint only", false),
        ("own, text before", false),
    ] {
        let order = client.new_order(&["www.example.org"]).await.json();
        let authorization = first_authorization(&order);
        let challenge = client.challenge(authorization, "http-01").await;
        let token = challenge["token"].as_str().unwrap();
        let own = client.key_authorization(token);
        server.web.put(
            token,
            &match what {
                "own" => own,
                "own, line break behind" => format!("{own}\r\n"),
                "another account's" => other.key_authorization(token),
                "token only" => token.to_owned(),
                "thumbprint only" => client.key.thumbprint(),
                _ => format!("x{own}"),
            },
        );
        client.respond(&challenge).await.assert_status(200);
        let shown = tried(&client, challenge["url"].as_str().unwrap()).await;
        assert_eq!(shown["status"] == "valid", valid, "{what}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc8738_s5_an_address_is_proven_by_http_at_that_address() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["127.0.0.1"]).await;
    let leaf = issued.leaf();
    let address = pki::name::GeneralName::Ip("127.0.0.1".parse().unwrap());
    assert_eq!(leaf.names, [address]);
    assert_eq!(leaf.subject.common_name(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc8738_s7_an_address_has_no_challenge_in_dns() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.challenges = vec![ChallengeKind::Dns01]
    })
    .await;
    let client = server.registered_client().await;
    let answer = client.new_order(&["192.0.2.1"]).await;
    assert_refused(&answer, 400, "rejectedIdentifier");
    let client = server.registered_client().await;
    put_directory(&server, "default", |spec| {
        spec.challenges = ChallengeKind::ALL.to_vec()
    })
    .await;
    let order = client.new_order(&["192.0.2.1"]).await.json();
    let url = first_authorization(&order).replace("/authz/", "/challenge/");
    let answer = client.post(&format!("{url}/dns-01"), &json!({})).await;
    assert_refused(&answer, 404, "malformed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_a_challenge_that_is_not_offered_is_not_there() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["*.example.org"]).await.json();
    let url = first_authorization(&order).replace("/authz/", "/challenge/");
    for kind in ["http-01", "tls-alpn-01", "tls-sni-01", "x"] {
        let url = format!("{url}/{kind}");
        assert_refused(&client.get(&url).await, 404, "malformed");
        assert_refused(&client.post(&url, &json!({})).await, 404, "malformed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s8_2_a_probe_survives_the_end_of_its_server() {
    let mut server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let order = client.new_order(&["www.example.org"]).await.json();
    let authorization = first_authorization(&order).to_owned();
    let challenge = client.challenge(&authorization, "http-01").await;
    client.respond(&challenge).await.assert_status(200);
    tried(&client, challenge["url"].as_str().unwrap()).await;
    client.hang_up();
    server.crash_and_restart().await;
    let token = challenge["token"].as_str().unwrap();
    server.web.put(token, &client.key_authorization(token));
    server.clock.advance(Duration::from_secs(120));
    server.run_jobs().await;
    assert_eq!(client.settled(&authorization).await["status"], "valid");
}
