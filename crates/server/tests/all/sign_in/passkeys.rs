//! Passkeys: registered, signed in with, removed; and what an authenticator cannot get away with.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::TestServer;

use super::authenticator::Authenticator;
use super::browser::{Answer, Browser, administrator, invited};

async fn register(browser: &mut Browser, authenticator: &mut Authenticator) -> Answer {
    let path = "/api/v1/session/passkeys/challenge";
    let challenge = browser.post(path, json!({})).await;
    assert_eq!(challenge.status, StatusCode::OK, "{}", challenge.text);
    let selection = &challenge.body["options"]["publicKey"]["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["userVerification"], "required");
    let body = json!({
        "ticket": challenge.body["ticket"], "name": "laptop",
        "credential": authenticator.create(&challenge.body["options"]),
    });
    browser.post("/api/v1/session/passkeys", body).await
}

async fn challenge(browser: &mut Browser) -> Value {
    let path = "/api/v1/session/passkey/challenge";
    let answer = browser.post(path, json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.body
}

async fn sign_in(browser: &mut Browser, authenticator: &mut Authenticator) -> Answer {
    let challenge = challenge(browser).await;
    let body = json!({
        "ticket": challenge["ticket"], "credential": authenticator.get(&challenge["options"]),
    });
    browser.post("/api/v1/session/passkey", body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_signs_its_owner_in_without_a_name_until_it_is_removed() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, _) = invited(&mut admin, "ada", json!([])).await;
    let mut key = Authenticator::new(&server.url());
    let registered = register(&mut ada, &mut key).await;
    assert_eq!(
        registered.status,
        StatusCode::CREATED,
        "{}",
        registered.text
    );
    let mut other = Browser::of(&server);
    for _ in 0..2 {
        let answer = sign_in(&mut other, &mut key).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(
            (&answer.body["name"], &answer.body["method"]),
            (&json!("ada"), &json!("passkey"))
        );
    }
    let listed = ada.get("/api/v1/session/passkeys").await;
    assert_eq!(listed.body["items"][0]["name"], "laptop", "{}", listed.text);
    let path = format!(
        "/api/v1/session/passkeys/{}",
        registered.body["id"].as_str().unwrap()
    );
    assert_eq!(
        admin.delete(&path).await.status,
        StatusCode::NOT_FOUND,
        "not root's"
    );
    assert_eq!(ada.delete(&path).await.status, StatusCode::NO_CONTENT);
    let answer = sign_in(&mut other, &mut key).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_of_another_site_an_unverified_owner_or_another_user_opens_nothing() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, id) = invited(&mut admin, "ada", json!([])).await;
    let mut key = Authenticator::new(&server.url());
    assert_eq!(
        register(&mut ada, &mut key).await.status,
        StatusCode::CREATED
    );
    let mut browser = Browser::of(&server);

    let honest = key.origin.clone();
    key.origin = "https://evil.example".to_owned();
    let answer = sign_in(&mut browser, &mut key).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "phished: {}",
        answer.text
    );
    key.origin = honest;
    key.verifies = false;
    let answer = sign_in(&mut browser, &mut key).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "no finger: {}",
        answer.text
    );
    key.verifies = true;
    let mut stranger = Authenticator::new(&server.url());
    stranger.create(
        &json!({ "publicKey": { "rp": { "id": "localhost" }, "user": { "id": "AAAA" },
        "challenge": "AAAA" } }),
    );
    let answer = sign_in(&mut browser, &mut stranger).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "unknown: {}",
        answer.text
    );

    let disabled = admin
        .post(&format!("/api/v1/users/{id}/disable"), json!({}))
        .await;
    assert_eq!(disabled.status, StatusCode::OK);
    let answer = sign_in(&mut browser, &mut key).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "disabled: {}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_is_good_once_and_for_the_one_it_was_made_for() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, _) = invited(&mut admin, "ada", json!([])).await;
    let mut key = Authenticator::new(&server.url());
    assert_eq!(
        register(&mut ada, &mut key).await.status,
        StatusCode::CREATED
    );
    let mut browser = Browser::of(&server);
    let given = challenge(&mut browser).await;
    let body = json!({ "ticket": given["ticket"], "credential": key.get(&given["options"]) });
    let answer = browser.post("/api/v1/session/passkey", body.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = browser.post("/api/v1/session/passkey", body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);

    let given = challenge(&mut browser).await;
    server.clock.advance(std::time::Duration::from_secs(5 * 60));
    let body = json!({ "ticket": given["ticket"], "credential": key.get(&given["options"]) });
    let answer = browser.post("/api/v1/session/passkey", body).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "too old: {}",
        answer.text
    );

    // Ada's challenge does not register a key for root.
    let path = "/api/v1/session/passkeys/challenge";
    let given = ada.post(path, json!({})).await.body;
    let mut another = Authenticator::new(&server.url());
    let body = json!({ "ticket": given["ticket"], "name": "x",
        "credential": another.create(&given["options"]) });
    let answer = admin.post("/api/v1/session/passkeys", body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
}
