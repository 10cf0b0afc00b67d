//! Reminders, escalation and expiry: by themselves, in their time, once.

use std::time::Duration;

use domain::role::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::TestServer;

use super::support::{Person, approvers, events, status, waiting};

const HOUR: u64 = 3600;

/// Reminders every hour, to administrators after three, the end after five.
fn patient() -> Value {
    let mut rule = approvers(1);
    rule["deadline_seconds"] = json!(5 * HOUR);
    rule["remind_every_seconds"] = json!(HOUR);
    rule["escalation"] = json!([{
        "after_seconds": 3 * HOUR,
        "to": [{ "kind": "role", "role": "administrator" }],
    }]);
    rule
}

async fn happened(server: &TestServer) -> [usize; 3] {
    [
        events(server, "approval.reminder").await.len(),
        events(server, "approval.escalated").await.len(),
        events(server, "approval.expired").await.len(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_do_not_decide_are_reminded_then_others_are_asked_then_it_ends() {
    let mut server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    admin.ask(patient()).await;
    let mut client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let (code, _) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "not asked yet");
    for (hour, expected) in [
        (1, [1, 0, 0]),
        (2, [2, 0, 0]),
        (3, [2, 1, 0]),
        (4, [3, 1, 0]),
    ] {
        server.clock.advance(Duration::from_secs(HOUR));
        if hour == 2 {
            server.crash_and_restart().await;
            client.hang_up();
        }
        server
            .run_jobs_until(async || happened(&server).await == expected)
            .await;
        server.run_jobs().await;
        assert_eq!(happened(&server).await, expected, "once in hour {hour}");
    }
    let told = events(&server, "approval.escalated").await;
    assert_eq!(told[0]["to"][0]["role"], "administrator");
    let asked = told[0]["approvers"].as_array().unwrap().len();
    assert_eq!(asked, 2, "those who were asked first, and the new ones");
    assert_eq!(
        admin.list("mine=true").await,
        std::slice::from_ref(&waiting.approval)
    );
    server.clock.advance(Duration::from_secs(HOUR));
    server
        .run_jobs_until(async || happened(&server).await == [3, 1, 1])
        .await;
    let order = client.get(&waiting.url).await.json();
    assert_eq!(order["status"], "invalid", "{order}");
    let detail = order["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("nobody decided"), "{detail}");
    let (code, _) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_after_the_deadline_comes_too_late_also_when_no_job_ran() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(patient()).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    server.clock.advance(Duration::from_secs(5 * HOUR));
    let (code, body) = anna.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    assert_eq!(status(&client, &waiting).await, "invalid");
    assert_eq!(events(&server, "approval.expired").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_longer_than_the_order_lasts() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let mut rule = approvers(1);
    rule["deadline_seconds"] = json!(60 * 24 * HOUR);
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let shown = admin.show(&waiting.approval).await;
    let deadline: pki::time::Timestamp = shown["deadline_at"].as_str().unwrap().parse().unwrap();
    let created: pki::time::Timestamp = shown["created_at"].as_str().unwrap().parse().unwrap();
    assert!(
        deadline.since(created) <= Duration::from_secs(7 * 24 * HOUR),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_to_come_back_less_often_the_longer_people_take() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, &["a.example.org"]).await;
    assert!(waiting.retry_after <= 5, "{}", waiting.retry_after);
    server.clock.advance(Duration::from_secs(2 * HOUR));
    let answer = client.get(&waiting.url).await;
    let later: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((300..=3600).contains(&later), "{later}");
}
