//! People: invited, disabled, enabled, reset, deleted; and who may not do that to whom.

use reqwest::StatusCode;
use serde_json::json;
use testkit::TestServer;

use super::browser::{Browser, PASSWORD, administrator, invited};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_starts_page_makes_an_administrator_a_token_and_a_session() {
    let server = TestServer::start().await;
    let secret = server.lifecycle().create_setup_link().await.unwrap();
    let path = format!("/setup/{}", secret.expose());
    let mut browser = Browser::of(&server);
    let page = browser.get(&path).await;
    assert!(page.text.contains("first administrator"), "{}", page.text);
    let fill = |password: &str, again: &str| {
        let encoded = |text: &str| text.replace(' ', "+");
        format!(
            "name=root&display_name=R&password={}&again={}",
            encoded(password),
            encoded(again)
        )
    };
    for (password, again, fault) in [
        (PASSWORD, "something else", "not the same"),
        ("short", "short", "too short"),
    ] {
        let request = browser.request(reqwest::Method::POST, &path);
        let answer = browser.send(request.body(fill(password, again))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text.contains(fault), "{}", answer.text);
    }
    let request = browser.request(reqwest::Method::POST, &path);
    let answer = browser.send(request.body(fill(PASSWORD, PASSWORD))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.text.contains("cwt_"), "{}", answer.text);
    let session = browser.get("/api/v1/session").await;
    assert_eq!(session.body["name"], "root", "{}", session.text);
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invited_user_chooses_a_password_by_a_link_that_works_once() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let body = json!({ "name": "Ada", "email": "ada@example.org" });
    let made = admin.post("/api/v1/users", body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(
        (&made.body["name"], &made.body["state"]),
        (&json!("ada"), &json!("invited"))
    );
    assert_eq!(
        admin.post("/api/v1/users", body).await.status,
        StatusCode::CONFLICT
    );
    let link = made.body["setup_url"].as_str().unwrap();
    let mut ada = Browser::of(&server);
    let page = ada.get(link).await;
    assert!(page.text.contains("Choose your password"), "{}", page.text);
    let form = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
    let request = ada.request(reqwest::Method::POST, link).body(form);
    let answer = ada.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = ada.get("/api/v1/session").await;
    assert_eq!(session.body["name"], "ada");
    assert_eq!(ada.get(link).await.status, StatusCode::NOT_FOUND, "used up");
    let shown = admin.get("/api/v1/users/ada").await;
    assert_eq!(shown.body["state"], "active", "{}", shown.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_disabled_user_is_out_at_once_and_in_again_when_enabled() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, id) = invited(&mut admin, "ada", json!([{ "role": "auditor" }])).await;
    let path = format!("/api/v1/users/{id}");
    let answer = admin.post(&format!("{path}/disable"), json!({})).await;
    assert_eq!(answer.body["state"], "disabled", "{}", answer.text);
    assert_eq!(
        ada.get("/api/v1/audit").await.status,
        StatusCode::UNAUTHORIZED
    );
    let answer = ada.sign_in("ada", PASSWORD, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = admin.post(&format!("{path}/enable"), json!({})).await;
    assert_eq!(answer.body["state"], "active", "{}", answer.text);
    assert_eq!(
        ada.sign_in("ada", PASSWORD, None).await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_role_that_is_taken_away_is_gone_with_the_next_request() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, id) = invited(&mut admin, "ada", json!([{ "role": "auditor" }])).await;
    assert_eq!(ada.get("/api/v1/audit").await.status, StatusCode::OK);
    let grants = admin.get(&format!("/api/v1/grants?principal={id}")).await;
    let grant = grants.body["items"][0]["id"].as_str().unwrap().to_owned();
    let answer = admin.delete(&format!("/api/v1/grants/{grant}")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    assert_eq!(ada.get("/api/v1/audit").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_takes_everything_away_and_gives_a_fresh_link() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, id) = invited(&mut admin, "ada", json!([])).await;
    let answer = admin
        .post(&format!("/api/v1/users/{id}/reset"), json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        ada.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    let refused = ada.sign_in("ada", PASSWORD, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let link = answer.body["setup_url"].as_str().unwrap();
    let secret = link.rsplit('/').next().unwrap();
    let body = json!({ "secret": secret, "password": "another good one" });
    let answer = ada.post("/api/v1/session/setup", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_nobody_resets_or_disables_themselves_their_betters_or_the_last_administrator() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let me = admin.get("/api/v1/session").await.body["user"].clone();
    let me = me.as_str().unwrap();
    let answer = admin
        .post(&format!("/api/v1/users/{me}/disable"), json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);

    let role = json!({ "description": "", "permissions": ["access:administer", "access:read"] });
    let request = admin
        .request(reqwest::Method::PUT, "/api/v1/roles/keeper")
        .json(&role);
    let answer = admin.send(request).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let (mut keeper, _) = invited(&mut admin, "keeper", json!([{ "role": "keeper" }])).await;
    for verb in ["disable", "reset"] {
        let answer = keeper
            .post(&format!("/api/v1/users/{me}/{verb}"), json!({}))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{verb} {}",
            answer.text
        );
    }
    let answer = keeper.delete(&format!("/api/v1/users/{me}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let body = json!({ "name": "mallory", "grants": [{ "role": "administrator" }] });
    let answer = keeper.post("/api/v1/users", body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let gone = keeper.get("/api/v1/users/mallory").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "nothing of it is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_people_is_in_the_audit_trail_without_secrets() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, id) = invited(&mut admin, "ada", json!([])).await;
    ada.sign_in("ada", "not the password", None).await;
    let deleted = admin.delete(&format!("/api/v1/users/{id}")).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_eq!(
        admin.get("/api/v1/users/ada").await.status,
        StatusCode::NOT_FOUND
    );
    server.run_jobs().await;
    let log = admin.get("/api/v1/audit?limit=100").await;
    for name in [
        "user.created",
        "user.invited",
        "user.activated",
        "session.started",
        "session.refused",
        "user.deleted",
    ] {
        assert!(
            log.text.contains(&format!("\"{name}\"")),
            "{name} {}",
            log.text
        );
    }
    for secret in [
        "correct horse",
        "not the password",
        "cwk_",
        "cws_",
        "argon2",
    ] {
        assert!(!log.text.contains(secret), "{secret}");
    }
}
