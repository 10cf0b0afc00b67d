//! Sessions: what opens them, what ends them, and what other sites cannot do with them.

use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::TestServer;

use super::browser::{Browser, PASSWORD, SESSION, administrator, invited};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_session_opens_the_api_with_its_users_roles_until_it_is_signed_out() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let grants = json!([{ "role": "auditor" }]);
    let (mut auditor, _) = invited(&mut admin, "ada", grants).await;
    let answer = auditor.get("/api/v1/audit").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = auditor
        .post("/api/v1/tokens", json!({ "name": "x", "role": "auditor" }))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    let me = auditor.get("/api/v1/me").await;
    assert_eq!(me.body["kind"], "user", "{}", me.text);

    let kept = auditor.cookies.clone();
    let out = auditor.delete("/api/v1/session").await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    assert!(
        !auditor.cookies.contains_key(SESSION),
        "the cookie is cleared"
    );
    auditor.cookies = kept;
    let answer = auditor.get("/api/v1/audit").await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "it ended on the server, too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_the_cookie_is_out_of_reach_of_scripts_other_hosts_and_plain_http() {
    let server = TestServer::start().await;
    let _admin = administrator(&server).await;
    let mut browser = Browser::of(&server);
    let answer = browser.sign_in("root", PASSWORD, None).await;
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|found| found == part), "{cookie}");
    }
    assert!(!answer.text.contains(&browser.cookies[SESSION]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    for _ in 0..11 {
        server.clock.advance(Duration::from_secs(59 * 60));
        let answer = admin.get("/api/v1/session").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    // Used all along, and yet twelve hours are enough.
    server.clock.advance(Duration::from_secs(72 * 60));
    let answer = admin.get("/api/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

    let mut idle = Browser::of(&server);
    assert_eq!(
        idle.sign_in("root", PASSWORD, None).await.status,
        StatusCode::OK
    );
    server.clock.advance(Duration::from_secs(60 * 60));
    let answer = idle.get("/api/v1/session").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_another_site_changes_nothing_in_the_name_of_who_is_signed_in() {
    let server = TestServer::start().await;
    let admin = administrator(&server).await;
    let cookie = format!("{SESSION}={}", admin.cookies[SESSION]);
    let csrf = admin.csrf.clone().unwrap();
    let url = format!("{}/api/v1/users", server.url());
    let http = reqwest::Client::new();
    let own = server.url();
    for (what, headers, status) in [
        ("no token", vec![("sec-fetch-site", "same-origin")], 403),
        ("a wrong token", vec![("x-csrf-token", "0123")], 403),
        (
            "another site",
            vec![("x-csrf-token", &*csrf), ("sec-fetch-site", "cross-site")],
            403,
        ),
        (
            "a sibling",
            vec![("x-csrf-token", &*csrf), ("sec-fetch-site", "same-site")],
            403,
        ),
        (
            "another origin",
            vec![("x-csrf-token", &*csrf), ("origin", "https://evil.example")],
            403,
        ),
        (
            "our own page",
            vec![("x-csrf-token", &*csrf), ("origin", &*own)],
            201,
        ),
    ] {
        let mut request = http.post(&url).header(COOKIE, &cookie);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request
            .json(&json!({ "name": "eve" }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), status, "{what}");
    }
    // Nobody is signed in by a page of another site either.
    let body = json!({ "name": "root", "password": PASSWORD });
    let request = http.post(format!("{}/api/v1/session", server.url()));
    let request = request.header("sec-fetch-site", "cross-site").json(&body);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_one_sees_ones_own_sessions_and_ends_the_others() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (mut ada, _) = invited(&mut admin, "ada", json!([])).await;
    let mut second = Browser::of(&server);
    second.sign_in("ada", PASSWORD, None).await;
    let mut third = Browser::of(&server);
    third.sign_in("ada", PASSWORD, None).await;
    let listed = ada.get("/api/v1/sessions").await;
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "{}", listed.text);
    let current: Vec<_> = items.iter().filter(|s| s["is_current"] == true).collect();
    assert_eq!(current.len(), 1);

    let third_id = third.get("/api/v1/session").await.body["id"].clone();
    let path = format!("/api/v1/sessions/{}", third_id.as_str().unwrap());
    assert_eq!(
        admin.delete(&path).await.status,
        StatusCode::NOT_FOUND,
        "not root's"
    );
    assert_eq!(ada.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        third.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(second.get("/api/v1/session").await.status, StatusCode::OK);
    assert_eq!(
        ada.delete("/api/v1/sessions").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        second.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(ada.get("/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_what_is_delicate_asks_for_a_proof_that_is_recent() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    server.clock.advance(Duration::from_secs(16 * 60));
    let answer = admin.post("/api/v1/users", json!({ "name": "eve" })).await;
    assert_eq!(answer.problem(), "proof-needed", "{}", answer.text);
    let read = admin.get("/api/v1/users").await;
    assert_eq!(read.status, StatusCode::OK, "reading asks for none");
    let wrong = json!({ "password": "not the password" });
    let answer = admin.post("/api/v1/session/reauthenticate", wrong).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let right = json!({ "password": PASSWORD });
    let answer = admin.post("/api/v1/session/reauthenticate", right).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let answer = admin.post("/api/v1/users", json!({ "name": "eve" })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let mut other = Browser::of(&server);
    other.sign_in("root", PASSWORD, None).await;
    for (body, status) in [
        (
            json!({ "password": "wrong password", "new_password": "another good one" }),
            401,
        ),
        (
            json!({ "password": PASSWORD, "new_password": "short" }),
            400,
        ),
        (
            json!({ "password": PASSWORD, "new_password": "another good one" }),
            204,
        ),
    ] {
        let answer = admin.post("/api/v1/session/password", body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    assert_eq!(
        other.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(admin.get("/api/v1/session").await.status, StatusCode::OK);
    let mut again = Browser::of(&server);
    let answer = again.sign_in("root", PASSWORD, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = again.sign_in("root", "another good one", None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_has_no_session_and_a_session_needs_no_token() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let made = admin
        .post(
            "/api/v1/tokens",
            json!({ "name": "t", "role": "administrator" }),
        )
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let mut program = Browser::of(&server);
    let request = program
        .request(Method::GET, "/api/v1/session")
        .bearer_auth(made.body["secret"].as_str().unwrap());
    let answer = program.send(request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
}
