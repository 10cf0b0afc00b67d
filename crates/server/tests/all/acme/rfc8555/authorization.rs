//! Authorizations (RFC 8555 sections 7.1.4, 7.4.1, 7.5).

use serde_json::json;
use testkit::TestServer;

use super::super::support::{
    assert_refused, census, events, first_authorization, put_directory, status,
};

fn types(authorization: &serde_json::Value) -> Vec<&str> {
    let challenges = authorization["challenges"].as_array().unwrap();
    challenges
        .iter()
        .map(|c| c["type"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_4_an_authorization_offers_what_can_prove_its_identifier() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let dns = ["dns-01", "dns-account-01", "dns-persist-01"];
    for (name, value, wildcard, offered) in [
        (
            "www.example.org",
            "www.example.org",
            None,
            [&["http-01", "tls-alpn-01"][..], &dns].concat(),
        ),
        ("*.example.org", "example.org", Some(true), dns.to_vec()),
        (
            "192.0.2.1",
            "192.0.2.1",
            None,
            vec!["http-01", "tls-alpn-01"],
        ),
        (
            "2001:db8::1",
            "2001:db8::1",
            None,
            vec!["http-01", "tls-alpn-01"],
        ),
    ] {
        let order = client.new_order(&[name]).await.json();
        let body = client.get(first_authorization(&order)).await.json();
        assert_eq!(body["status"], "pending");
        assert_eq!(body["identifier"]["value"], value);
        assert_eq!(body.get("wildcard"), wildcard.map(|w| json!(w)).as_ref());
        assert!(body["expires"].is_string());
        let (mut seen, mut wanted) = (types(&body), offered);
        seen.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "{name}");
        for challenge in body["challenges"].as_array().unwrap() {
            assert_eq!(challenge["status"], "pending");
            assert!(
                challenge["url"]
                    .as_str()
                    .unwrap()
                    .starts_with(&server.url())
            );
            assert!(challenge.get("validated").is_none() && challenge.get("error").is_none());
            if let Some(token) = challenge["token"].as_str() {
                let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                assert!(token.len() >= 22 && token.chars().all(fine), "{token}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_3_a_name_and_its_wildcard_are_proven_apart() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let order = client.new_order(&["example.org", "*.example.org"]).await;
    let order = order.json();
    let urls = order["authorizations"].as_array().unwrap();
    assert_eq!(urls.len(), 2);
    let plain = client.get(urls[0].as_str().unwrap()).await.json();
    let wild = client.get(urls[1].as_str().unwrap()).await.json();
    assert_eq!(plain["identifier"], wild["identifier"]);
    assert_eq!(
        (plain.get("wildcard"), &wild["wildcard"]),
        (None, &json!(true))
    );
    // Tokens differ, so both records may stand side by side.
    assert_ne!(
        plain["challenges"][0]["token"],
        wild["challenges"][0]["token"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_5_2_an_authorization_can_be_given_up_and_nothing_else() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let pending = client.new_order(&["www.example.org"]).await.json();
    let (_, ready) = client.ready_order(&server, &["www.example.org"]).await;
    for order in [&pending, &ready] {
        let url = first_authorization(order);
        let before = status(&client, url).await;
        for payload in [
            json!({"status": "valid"}),
            json!({"status": "revoked"}),
            json!({"status": "Deactivated"}),
            json!({"status": null}),
            json!({}),
            json!({"identifier": {"type": "dns", "value": "x.example.org"}}),
        ] {
            assert_refused(&client.post(url, &payload).await, 400, "malformed");
        }
        assert_eq!(status(&client, url).await, before);
        let given_up = client.post(url, &json!({"status": "deactivated"})).await;
        given_up.assert_status(200);
        assert_eq!(given_up.json()["status"], "deactivated");
        let again = client.post(url, &json!({"status": "deactivated"})).await;
        assert_refused(&again, 400, "malformed");
        let challenge = given_up.json()["challenges"][0].clone();
        let answered = client.respond(&challenge).await;
        assert_ne!(answered.json()["status"], "processing", "{}", answered.text);
        assert_eq!(status(&client, url).await, "deactivated");
    }
    assert_eq!(events(&server, "authorization.deactivated").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_1_an_authorization_can_come_before_its_order() {
    let server = TestServer::start().await;
    put_directory(&server, "default", |spec| {
        spec.authorization_reuse_seconds = 3600 * 24
    })
    .await;
    let client = server.registered_client().await;
    let payload = json!({"identifier": {"type": "dns", "value": "www.example.org"}});
    let made = client.post(&client.at("newAuthz"), &payload).await;
    made.assert_status(201);
    let url = made.location();
    assert_eq!(client.get(&url).await.json(), made.json());
    client
        .authorize(&server, &json!({"authorizations": [url]}))
        .await;
    let order = client.new_order(&["www.example.org"]).await.json();
    assert_eq!(order["status"], "ready");
    assert_eq!(order["authorizations"], json!([url]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_1_not_every_identifier_can_be_authorized_before_its_order() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for (identifier, status, kind) in [
        (
            json!({"type": "dns", "value": "*.example.org"}),
            400,
            "malformed",
        ),
        (
            json!({"type": "dns", "value": "A.example.org"}),
            400,
            "malformed",
        ),
        (
            json!({"type": "email", "value": "a@example.org"}),
            400,
            "unsupportedIdentifier",
        ),
        (json!({"type": "dns"}), 400, "malformed"),
        (json!("www.example.org"), 400, "malformed"),
    ] {
        let payload = json!({ "identifier": identifier });
        let answer = client.post(&client.at("newAuthz"), &payload).await;
        assert_refused(&answer, status, kind);
    }
    let url = client.at("newAuthz");
    put_directory(&server, "default", |spec| spec.pre_authorization = false).await;
    let payload = json!({"identifier": {"type": "dns", "value": "www.example.org"}});
    assert_refused(&client.post(&url, &payload).await, 403, "unauthorized");
    assert_eq!(census(&server).await.1, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_1_an_identifier_that_any_profile_takes_can_be_authorized() {
    let server = TestServer::start().await;
    let profile = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap();
    let caller = lifecycle::actor::Caller::system();
    for (name, ip) in [("hosts", false), ("addresses", true)] {
        let mut spec = profile.spec.clone();
        spec.names.dns = !ip;
        spec.names.ip = ip;
        let put = server
            .lifecycle()
            .put_profile(name.to_owned(), spec, &caller);
        put.await.unwrap();
    }
    put_directory(&server, "both", |spec| {
        spec.profiles = vec!["hosts".to_owned(), "addresses".to_owned()];
    })
    .await;
    put_directory(&server, "hosts", |spec| {
        spec.profiles = vec!["hosts".to_owned()]
    })
    .await;
    let address = json!({"identifier": {"type": "ip", "value": "192.0.2.1"}});
    let client = super::super::support::registered_in(&server, "both").await;
    client
        .post(&client.at("newAuthz"), &address)
        .await
        .assert_status(201);
    let client = super::super::support::registered_in(&server, "hosts").await;
    let answer = client.post(&client.at("newAuthz"), &address).await;
    assert_refused(&answer, 403, "rejectedIdentifier");
}
