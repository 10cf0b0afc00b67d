//! When a rule makes a request wait, and what a rule may be.

use domain::role::Role;
use pki::key::{KeyAlgorithm, LocalKey};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::csr_for;

use super::support::{Person, approvers, waiting};

/// Asks over the REST API; gives the status and what is answered.
pub(super) async fn enroll(
    person: &Person,
    names: &[&str],
    lifetime: Option<u64>,
) -> (StatusCode, Value) {
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = pki::pem::encode("CERTIFICATE REQUEST", &csr_for(names, &key));
    let mut request = json!({ "profile": "default", "csr": csr });
    if let Some(seconds) = lifetime {
        request["validity_seconds"] = json!(seconds);
    }
    person.post("/api/v1/enrollments", request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_only_where_a_condition_holds() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let mut rule = approvers(1);
    rule["when"] = json!(["wildcard", { "validity_above_seconds": 86_400 }]);
    admin.ask(rule).await;
    let day = Some(86_400);
    let (code, body) = enroll(&admin, &["a.example.org"], day).await;
    assert_eq!(code, StatusCode::CREATED, "{body}");
    let (code, body) = enroll(&admin, &["*.example.org"], day).await;
    assert_eq!(code, StatusCode::ACCEPTED, "{body}");
    assert_eq!(body["status"], "awaiting-approval");
    let shown = admin.show(body["approval"].as_str().unwrap()).await;
    assert_eq!(shown["reasons"], json!(["it names a wildcard"]), "{shown}");
    let (code, body) = enroll(&admin, &["a.example.org"], None).await;
    assert_eq!(code, StatusCode::ACCEPTED, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_was_certified_before_is_not_new() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let mut rule = approvers(1);
    rule["when"] = json!(["new-name"]);
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let first = waiting(&server, &client, &admin, &["new.example.org"]).await;
    anna.approve(&first.approval).await;
    assert_eq!(client.settled(&first.url).await["status"], "valid");
    let stranger = server.registered_client().await;
    stranger.issue(&server, &["new.example.org"]).await;
    waiting(
        &server,
        &stranger,
        &admin,
        &["new.example.org", "other.example.org"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_changes_nothing_is_not_asked_about_again() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let mut rule = approvers(1);
    rule["unchanged_renewals"] = json!("skip");
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let names = &["www.example.org", "example.org"];
    let first = waiting(&server, &client, &admin, names).await;
    anna.approve(&first.approval).await;
    assert_eq!(client.settled(&first.url).await["status"], "valid");
    client.issue(&server, names).await;
    // Other names, another account, other rules: something differs.
    waiting(&server, &client, &admin, &["www.example.org"]).await;
    let stranger = server.registered_client().await;
    waiting(&server, &stranger, &admin, names).await;
    admin
        .change_profile(|rules| rules["validity_seconds"] = json!(86_400))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    waiting(&server, &client, &admin, names).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_cannot_work_is_refused_when_it_is_saved() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let path = "/api/v1/profiles/default";
    let rules = admin.get(path).await["rules"].take();
    for (rule, place) in [
        (json!({ "stages": [] }), "approval.stages"),
        (
            json!({ "stages": [{ "approvals": 0, "approvers": [] }] }),
            "approval.stages[0].approvals",
        ),
        (
            json!({ "stages": [{ "approvals": 1, "approvers": [{ "kind": "role", "role": "no-such-role" }] }] }),
            "no-such-role",
        ),
        (
            json!({
                "stages": [{ "approvals": 1, "approvers": [{ "kind": "role", "role": "approver" }] }],
                "deadline_seconds": 600,
                "escalation": [{ "after_seconds": 600, "to": [{ "kind": "role", "role": "auditor" }] }],
            }),
            "approval.escalation[0].after_seconds",
        ),
    ] {
        let mut changed = rules.clone();
        changed["approval"] = rule;
        let (code, body) = admin.call(Method::PUT, path, Some(changed)).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{body}");
        assert!(
            body["detail"].as_str().unwrap().contains(place),
            "{place}: {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_a_rule_asks_is_not_deleted() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let role = json!({ "permissions": ["approvals:decide"] });
    let path = "/api/v1/roles/change-board";
    let (code, body) = admin.call(Method::PUT, path, Some(role)).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    let of_the_board = json!({ "stages": [super::support::stage(1, "change-board")] });
    admin.ask(of_the_board).await;
    let (code, body) = admin.call(Method::DELETE, path, None).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    let told = body["detail"].as_str().unwrap();
    assert!(told.contains("the profile default"), "{told}");
    admin.ask(approvers(1)).await;
    let (code, body) = admin.call(Method::DELETE, path, None).await;
    assert_eq!(code, StatusCode::NO_CONTENT, "{body}");
}
