//! Absence and delegation.

use std::time::Duration;

use domain::clock::Clock;
use domain::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

use super::support::{Person, approvers, events, waiting};

fn until(server: &TestServer, hours: u64) -> Value {
    let end = server.clock.now() + Duration::from_secs(hours * 3600);
    json!(end.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delegate_decides_for_who_is_away_and_only_as_long() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let deputy = Person::with(&server, Role::Administrator).await;
    let (anna, bert) = (
        Person::with(&server, Role::Approver).await,
        Person::with(&server, Role::Approver).await,
    );
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let first = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let (code, _) = deputy.approve(&first.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN);
    let path = "/api/v1/approval-delegations";
    let wanted =
        json!({ "delegate": deputy.id, "ends_at": until(&server, 10), "reason": "holidays" });
    let (code, made) = anna.post(path, wanted).await;
    assert_eq!(
        (code, &made["is_in_force"]),
        (StatusCode::CREATED, &json!(true)),
        "{made}"
    );
    assert_eq!(
        deputy.list("mine=true").await,
        std::slice::from_ref(&first.approval)
    );
    let (code, shown) = deputy.approve(&first.approval).await;
    assert_eq!(code, StatusCode::OK, "{shown}");
    assert_eq!(shown["decisions"][0]["on_behalf_of"], anna.id, "{shown}");
    // One of the two has decided; neither is a second person.
    let (code, _) = anna.approve(&first.approval).await;
    assert_eq!(code, StatusCode::CONFLICT);
    bert.approve(&first.approval).await;
    assert_eq!(client.settled(&first.url).await["status"], "valid");

    let second = waiting(&server, &client, &admin, &["b.example.org"]).await;
    let ended = format!("{path}/{}", made["id"].as_str().unwrap());
    let (code, _) = bert.call(Method::DELETE, &ended, None).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "another's");
    let (code, _) = anna.call(Method::DELETE, &ended, None).await;
    assert_eq!(code, StatusCode::NO_CONTENT);
    let (code, _) = deputy.approve(&second.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN);
    assert_eq!(
        events(&server, "approval_delegation.created").await.len(),
        1
    );
    assert_eq!(events(&server, "approval_delegation.ended").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_speaks_for_others_without_the_right_or_for_nobody() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let (anna, bert) = (
        Person::with(&server, Role::Approver).await,
        Person::with(&server, Role::Approver).await,
    );
    let path = "/api/v1/approval-delegations";
    let for_bert =
        json!({ "principal": bert.id, "delegate": anna.id, "ends_at": until(&server, 1) });
    let (code, body) = anna.post(path, for_bert.clone()).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    let (code, body) = admin.post(path, for_bert).await;
    assert_eq!(code, StatusCode::CREATED, "{body}");
    for wrong in [
        json!({ "delegate": anna.id, "ends_at": until(&server, 1) }),
        json!({ "ends_at": until(&server, 0) }),
        json!({ "delegate": "tok_00000000000000000000000000", "ends_at": until(&server, 1) }),
        json!({ "delegate": "somebody", "ends_at": until(&server, 1) }),
    ] {
        let (code, body) = anna.post(path, wrong).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_who_are_asked_are_away_the_next_are_asked_at_once() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let rule = json!({
        "stages": [{ "approvals": 1, "approvers": [{ "kind": "named", "principal": anna.id }] }],
        "escalation": [{
            "after_seconds": 86_400,
            "to": [{ "kind": "role", "role": "administrator" }],
        }],
    });
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    assert!(admin.list("mine=true").await.is_empty());
    let away = json!({ "ends_at": until(&server, 100), "reason": "ill" });
    let (code, body) = anna.post("/api/v1/approval-delegations", away).await;
    assert_eq!(code, StatusCode::CREATED, "{body}");
    server
        .run_jobs_until(async || admin.list("mine=true").await == [waiting.approval.clone()])
        .await;
    let (code, body) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
}
