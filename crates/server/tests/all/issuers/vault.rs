//! The PKI engine of Vault and OpenBao, played by a server that can misbehave.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::vault::{Fault, ROLE_ID, SECRET_ID, TOKEN, TestVault};

use super::{administrator, create, events, finding, route_to};
use crate::enroll::Api;

fn settings(vault: &TestVault) -> Value {
    json!({ "url": vault.url(), "mount": "pki", "role": "web" })
}

/// A server whose profile `default` is signed by Vault.
async fn with_vault() -> (TestServer, TestVault, Api) {
    let (server, vault) = (TestServer::start().await, TestVault::start().await);
    let api = administrator(&server).await;
    let token = json!({ "token": TOKEN });
    create(&api, "vault", "vault", settings(&vault), token)
        .await
        .expect(201);
    route_to(&api, json!([{ "issuer": "vault", "weight": 1 }])).await;
    (server, vault, api)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acme_client_gets_a_certificate_of_vault_and_its_revocation_reaches_vault() {
    let (server, vault, api) = with_vault().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    assert_eq!(issued.chain[1], vault.ca().der());
    let body = api.get("/api/v1/certificates?name=www.example.org").await;
    let (id, issuer) = (&body["items"][0]["id"], &body["items"][0]["issuer"]);
    assert_eq!(issuer, "vault");
    let path = format!("/api/v1/certificates/{}/revoke", id.as_str().unwrap());
    api.post(&path, json!({ "reason": "superseded" }))
        .await
        .expect(200);
    server
        .run_jobs_until(async || vault.is_revoked(&issued.chain[0]))
        .await;
    server
        .run_jobs_until(async || events(&api, "certificate.revocation_told").await.len() == 1)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_vault_says_line_by_line_what_works() {
    let (_server, vault, api) = with_vault().await;
    let test = "/api/v1/issuers/vault/test";
    let check = api.post(test, json!({})).await.expect(200);
    assert_eq!(check["passed"], true, "{check}");
    for aspect in ["reach", "credentials", "rights", "chain", "dry-run"] {
        assert_eq!(finding(&check, aspect).0, "passed", "{check}");
    }
    // What the CA said of itself is known from now on.
    let shown = api.get("/api/v1/issuers/vault").await;
    assert_eq!(shown["certificate"]["subject"], "CN=Vault CA");

    vault.forbid_revocation();
    let check = api.post(test, json!({})).await.expect(200);
    assert_eq!(finding(&check, "rights").0, "warning", "{check}");
    vault.forget_tokens();
    let check = api.post(test, json!({})).await.expect(200);
    assert_eq!(check["passed"], false);
    assert_eq!(finding(&check, "credentials").0, "failed");
    assert_eq!(finding(&check, "rights").0, "skipped");
    vault.fails(Fault::Html);
    let check = api.post(test, json!({})).await.expect(200);
    assert!(finding(&check, "reach").1.contains("no Vault"), "{check}");
    let told = serde_json::to_string(&events(&api, "issuer.tested").await).unwrap();
    assert!(!told.contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approle_gets_another_token_when_its_own_ends() {
    let (server, vault) = (TestServer::start().await, TestVault::start().await);
    let api = administrator(&server).await;
    let mut by_role = settings(&vault);
    by_role["authentication"] = json!({ "method": "approle", "role_id": ROLE_ID });
    let secrets = json!({ "secret_id": SECRET_ID });
    create(&api, "vault", "vault", by_role, secrets)
        .await
        .expect(201);
    route_to(&api, json!([{ "issuer": "vault", "weight": 1 }])).await;
    let client = server.registered_client().await;
    client.issue(&server, &["one.example.org"]).await;
    vault.forget_tokens();
    client.issue(&server, &["two.example.org"]).await;
    // At half of its life it is renewed, not got anew.
    server.clock.advance(Duration::from_secs(700));
    client.issue(&server, &["three.example.org"]).await;
    let calls = vault.calls();
    let count = |wanted: &str| calls.iter().filter(|call| call.ends_with(wanted)).count();
    assert_eq!(count("auth/approle/login"), 2, "{calls:?}");
    assert_eq!(count("auth/token/renew-self"), 1, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_of_an_issuer_are_written_and_never_read() {
    let (server, vault, api) = with_vault().await;
    let shown = api.get("/api/v1/issuers/vault").await;
    assert!(
        shown["secrets"]["token"].is_string(),
        "since when it is set"
    );
    for text in [
        shown.to_string(),
        api.get("/api/v1/issuers").await.to_string(),
        api.get("/api/v1/audit").await.to_string(),
    ] {
        assert!(!text.contains(TOKEN));
    }
    let stored = server.lifecycle().list_issuers().await.unwrap();
    assert!(!format!("{stored:?}").contains(TOKEN));

    // Whoever may write settings may not have the secret sent to another place.
    let path = "/api/v1/issuers/vault";
    let elsewhere = json!({ "settings": { "url": "https://thief.example.org", "role": "web" } });
    let refused = api
        .call(Method::PUT, path, Some(elsewhere))
        .await
        .expect(400);
    assert!(
        refused["detail"].as_str().unwrap().contains("token"),
        "{refused}"
    );
    let mut same = settings(&vault);
    same["role"] = json!("web2");
    let body = json!({ "settings": same });
    let changed = api.call(Method::PUT, path, Some(body)).await.expect(200);
    assert_eq!(changed["settings"]["role"], "web2");
    assert!(changed["secrets"]["token"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_work_are_refused_with_what_to_mend() {
    let server = TestServer::start().await;
    let api = administrator(&server).await;
    let good = json!({ "url": "https://vault.example.org", "role": "web" });
    let with = |member: &str, value: Value| {
        let mut settings = good.clone();
        settings[member] = value;
        settings
    };
    let token = json!({ "token": "x" });
    for (kind, settings, secrets, said) in [
        (
            "vualt",
            good.clone(),
            token.clone(),
            "there is no kind of issuer",
        ),
        (
            "vault",
            with("url", json!("http://vault.example.org")),
            token.clone(),
            "https",
        ),
        ("vault", with("rolle", json!("x")), token.clone(), "rolle"),
        (
            "vault",
            with("role", json!("../x")),
            token.clone(),
            "`role`",
        ),
        (
            "vault",
            good.clone(),
            json!({ "tocken": "x" }),
            "takes no secret `tocken`",
        ),
        (
            "vault",
            good.clone(),
            json!({}),
            "the secret `token` is missing",
        ),
        (
            "adcs",
            json!({ "url": "https://ca/certsrv", "template": "W", "username": "u" }),
            json!({}),
            "`password` is needed",
        ),
        ("embedded", json!({}), json!({}), "/issuers/import"),
        (
            "command",
            json!({ "program": "../../bin/sh" }),
            json!({}),
            "`program`",
        ),
    ] {
        let refused = create(&api, "x", kind, settings, secrets).await.expect(400);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{said}: {detail}");
    }
}
