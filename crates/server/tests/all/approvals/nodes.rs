//! Several nodes on one PostgreSQL database.

use std::time::Duration;

use domain::role::Role;
use reqwest::StatusCode;
use serde_json::json;
use testkit::TestServer;

use super::support::{Person, approvers, events, issued, waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_final_approvals_at_two_nodes_at_once_sign_once() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let there = format!("http://{}", node.address);
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let bert = Person::with(&server, Role::Approver).await.at(&there);
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    for round in 0..5 {
        let name = format!("r{round}.example.org");
        let waiting = waiting(&server, &client, &admin, &[&name]).await;
        let (one, other) = tokio::join!(
            anna.approve(&waiting.approval),
            bert.approve(&waiting.approval)
        );
        let taken = [one.0, other.0]
            .iter()
            .filter(|c| **c == StatusCode::OK)
            .count();
        assert_eq!(taken, 1, "{one:?} {other:?}");
        assert_eq!(client.settled(&waiting.url).await["status"], "valid");
    }
    assert_eq!(issued(&server).await, 5);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_remind_escalate_and_end_once() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let admin = Person::with(&server, Role::Administrator).await;
    let mut rule = approvers(1);
    rule["deadline_seconds"] = json!(400);
    rule["remind_every_seconds"] = json!(100);
    rule["escalation"] =
        json!([{ "after_seconds": 150, "to": [{ "kind": "role", "role": "administrator" }] }]);
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    for _ in 0..9 {
        server.clock.advance(Duration::from_secs(50));
        for _ in 0..3 {
            let (here, there) =
                tokio::join!(server.lifecycle().work_once(), node.lifecycle.work_once());
            here.unwrap();
            there.unwrap();
        }
    }
    server
        .run_jobs_until(async || {
            client.get(&waiting.url).await.json()["status"] == json!("invalid")
        })
        .await;
    assert_eq!(events(&server, "approval.escalated").await.len(), 1);
    assert_eq!(events(&server, "approval.expired").await.len(), 1);
    let reminders = events(&server, "approval.reminder").await.len();
    assert!((1..=3).contains(&reminders), "{reminders}");
    node.stop().await;
}
