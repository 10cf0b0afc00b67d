//! What changes while people are asked (I11, I12, I9).

use domain::role::Role;
use lifecycle::CertificateFilter;
use reqwest::StatusCode;
use serde_json::json;
use testkit::TestServer;
use testkit::acme::csr_for;

use super::support::{Person, approvers, events, issued, status, waiting};

const NAMES: &[&str] = &["shop.example.org"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_a_change_of_the_profile_voids_what_was_approved() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let (anna, bert) = (
        Person::with(&server, Role::Approver).await,
        Person::with(&server, Role::Approver).await,
    );
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    anna.approve(&waiting.approval).await;
    admin
        .change_profile(|rules| rules["validity_seconds"] = json!(86_400))
        .await;
    server
        .run_jobs_until(async || admin.show(&waiting.approval).await["round"] == json!(2))
        .await;
    let shown = admin.show(&waiting.approval).await;
    assert_eq!(shown["missing"], json!(2), "{shown}");
    assert_eq!(shown["decisions"][0]["is_void"], json!(true), "{shown}");
    assert_eq!(events(&server, "approval.voided").await.len(), 1);
    assert_eq!(
        events(&server, "enrollment.awaiting_approval").await.len(),
        2
    );
    bert.approve(&waiting.approval).await;
    assert_eq!(status(&client, &waiting).await, "processing");
    anna.approve(&waiting.approval).await;
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
    let all = server
        .lifecycle()
        .list_certificates(CertificateFilter::default(), None, 10)
        .await
        .unwrap();
    let issued = all.iter().find(|c| c.account_id.is_some()).unwrap();
    let days = issued.not_after.since(issued.not_before).as_secs() / 86_400;
    assert!(days <= 1, "under the rules as they are now: {days}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_a_change_of_the_request_voids_what_was_approved() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let (anna, bert) = (
        Person::with(&server, Role::Approver).await,
        Person::with(&server, Role::Approver).await,
    );
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    anna.approve(&waiting.approval).await;
    let shown = admin.show(&waiting.approval).await;
    let enrollment = shown["enrollment"].as_str().unwrap().to_owned();
    let later = server.clock.clone();
    server
        .store()
        .write("test", move |tx| {
            Box::pin(async move {
                use domain::clock::Clock;
                let sql = "UPDATE enrollments SET not_after = $2 WHERE id = $1";
                let end = later.now() + std::time::Duration::from_secs(86_400);
                tx.execute_one(sql, store::params![enrollment, end]).await
            })
        })
        .await
        .unwrap();
    let (code, body) = bert.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    assert!(body["detail"].as_str().unwrap().contains("void"), "{body}");
    let shown = admin.show(&waiting.approval).await;
    assert_eq!(
        (&shown["round"], &shown["missing"]),
        (&json!(2), &json!(2)),
        "{shown}"
    );
    assert_eq!(issued(&server).await, 0);
    bert.approve(&waiting.approval).await;
    anna.approve(&waiting.approval).await;
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_what_the_changed_profile_does_not_allow_is_rejected() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    admin
        .change_profile(|rules| rules["names"]["allow"] = json!([".internal.example"]))
        .await;
    server
        .run_jobs_until(async || status(&client, &waiting).await == "invalid")
        .await;
    let shown = admin.show(&waiting.approval).await;
    assert_eq!(shown["status"], "cancelled", "{shown}");
    assert_eq!(shown["enrollment_status"], "rejected", "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_asks_nobody_any_more_lets_go_what_waits() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    admin
        .change_profile(|rules| drop(rules.as_object_mut().unwrap().remove("approval")))
        .await;
    server
        .run_jobs_until(async || status(&client, &waiting).await == "valid")
        .await;
    assert_eq!(admin.show(&waiting.approval).await["status"], "waived");
    assert_eq!(events(&server, "approval.waived").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_key_that_is_compromised_while_people_are_asked_is_not_certified() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let mut rule = approvers(1);
    rule["when"] = json!(["wildcard", "new-name"]);
    let client = server.registered_client().await;
    client.issue(&server, &["known.example.org"]).await;
    admin.ask(rule).await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    // The same key certified elsewhere, and reported there. Ids sort by the moment.
    server.clock.advance(std::time::Duration::from_secs(1));
    let names = &["known.example.org"];
    let (_, order) = client.ready_order(&server, names).await;
    let answer = client.finalize(&order, &csr_for(names, &waiting.key)).await;
    answer.assert_status(200);
    let found = admin
        .get("/api/v1/certificates?name=known.example.org&limit=1")
        .await;
    let path = format!(
        "/api/v1/certificates/{}/revoke",
        found["items"][0]["id"].as_str().unwrap()
    );
    let (code, body) = admin
        .post(&path, json!({ "reason": "keyCompromise" }))
        .await;
    assert_eq!(code, StatusCode::OK, "{body}");
    let (code, body) = anna.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    let order = client.get(&waiting.url).await.json();
    assert_eq!(order["status"], "invalid", "{order}");
    let detail = order["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("compromised"), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_what_a_request_stands_on_has_to_be_there_when_it_is_approved() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let lost = waiting(&server, &client, &admin, &["lost.example.org"]).await;
    let authorization = lost.order["authorizations"][0].as_str().unwrap();
    client
        .post(authorization, &json!({ "status": "deactivated" }))
        .await
        .assert_status(200);
    let (code, body) = anna.approve(&lost.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    assert_eq!(status(&client, &lost).await, "invalid");

    let gone = waiting(&server, &client, &admin, &["gone.example.org"]).await;
    let account = client.kid.clone().unwrap();
    client
        .post(&account, &json!({ "status": "deactivated" }))
        .await
        .assert_status(200);
    let (code, body) = anna.approve(&gone.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    assert_eq!(admin.show(&gone.approval).await["status"], "cancelled");
    assert_eq!(issued(&server).await, 0);
}
