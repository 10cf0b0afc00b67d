//! One-time links: a token is bound to what it is for and to whom it is for.

use std::time::Duration;

use domain::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::TestServer;

use super::support::{Person, approvers, events, status, waiting};

const NAMES: &[&str] = &["shop.example.org"];

async fn link(person: &Person, approval: &str, verdicts: &[&str]) -> String {
    let path = format!("/api/v1/approvals/{approval}/link");
    let (code, made) = person.post(&path, json!({ "verdicts": verdicts })).await;
    assert_eq!(code, StatusCode::CREATED, "{made}");
    made["url"].as_str().unwrap().to_owned()
}

async fn open(method: Method, url: &str) -> reqwest::Response {
    reqwest::Client::new()
        .request(method, url)
        .send()
        .await
        .unwrap()
}

async fn say(url: &str, verdict: &str, reason: &str) -> StatusCode {
    let form = [("verdict", verdict), ("reason", reason)];
    let request = reqwest::Client::new().post(url).form(&form);
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_shows_the_facts_to_whoever_looks_and_changes_nothing_by_that() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let url = link(&anna, &waiting.approval, &["approve", "deny"]).await;
    assert!(
        url.starts_with(&format!("{}/approve/cwa_", server.url())),
        "{url}"
    );
    for method in [Method::HEAD, Method::GET, Method::GET] {
        let page = open(method, &url).await;
        assert_eq!(page.status(), StatusCode::OK);
        let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
    }
    let text = open(Method::GET, &url).await.text().await.unwrap();
    for fact in [NAMES[0], "Approve", "Deny", "issuing would sign", &anna.id] {
        assert!(text.contains(fact), "{fact} in {text}");
    }
    assert!(!text.contains("<script"), "{text}");
    assert_eq!(admin.show(&waiting.approval).await["status"], "pending");

    assert_eq!(
        say(&url, "deny", "").await,
        StatusCode::BAD_REQUEST,
        "a reason is needed"
    );
    assert_eq!(say(&url, "approve", "").await, StatusCode::OK);
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
    let shown = admin.show(&waiting.approval).await;
    assert_eq!(shown["decisions"][0]["via"], "link", "{shown}");
    assert_eq!(shown["decisions"][0]["by"], anna.id, "{shown}");
    assert_eq!(
        say(&url, "approve", "").await,
        StatusCode::NOT_FOUND,
        "used"
    );
    assert_eq!(
        open(Method::GET, &url).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_bound_to_its_approval_its_approver_and_what_it_can_say() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let one = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let two = waiting(&server, &client, &admin, &["b.example.org"]).await;
    // Who may not decide gets none.
    let path = format!("/api/v1/approvals/{}/link", one.approval);
    let (code, body) = admin.post(&path, json!({})).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    // It says what it can say, of the approval it is for, whatever else is sent.
    let denies = link(&anna, &one.approval, &["deny"]).await;
    assert_eq!(say(&denies, "approve", "x").await, StatusCode::NOT_FOUND);
    let elsewhere = format!("{denies}?approval={}", two.approval);
    assert_eq!(say(&elsewhere, "deny", "not ours").await, StatusCode::OK);
    assert_eq!(status(&client, &one).await, "invalid");
    assert_eq!(status(&client, &two).await, "processing");
    // Whoever loses the right loses the link.
    let approves = link(&anna, &two.approval, &["approve"]).await;
    let (code, _) = admin
        .call(Method::DELETE, &format!("/api/v1/tokens/{}", anna.id), None)
        .await;
    assert_eq!(code, StatusCode::NO_CONTENT);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(say(&approves, "approve", "").await, StatusCode::FORBIDDEN);
    assert_eq!(status(&client, &two).await, "processing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends_with_a_change_of_the_request_and_with_the_deadline() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let before = link(&anna, &waiting.approval, &["approve"]).await;
    admin
        .change_profile(|rules| rules["validity_seconds"] = json!(86_400))
        .await;
    server
        .run_jobs_until(async || admin.show(&waiting.approval).await["round"] == json!(2))
        .await;
    assert_eq!(say(&before, "approve", "").await, StatusCode::NOT_FOUND);
    assert_eq!(status(&client, &waiting).await, "processing");
    let after = link(&anna, &waiting.approval, &["approve"]).await;
    server.clock.advance(Duration::from_secs(5 * 86_400));
    assert_eq!(say(&after, "approve", "").await, StatusCode::NOT_FOUND);
    assert_eq!(events(&server, "approval.approved").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_many_press_at_once_decides_once() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let url = link(&anna, &waiting.approval, &["approve"]).await;
    let presses = (0..10).map(|_| say(&url, "approve", ""));
    let answers = futures::future::join_all(presses).await;
    let taken = answers.iter().filter(|code| **code == StatusCode::OK);
    assert_eq!(taken.count(), 1, "{answers:?}");
    assert_eq!(admin.show(&waiting.approval).await["missing"], json!(1));
}
