//! Who decides, how many, and what their decision leads to (I11, A4).

use domain::enrollment::EnrollmentState;
use domain::role::Role;
use lifecycle::EnrollmentFilter;
use reqwest::StatusCode;
use serde_json::json;
use testkit::TestServer;

use super::support::{Person, approvers, events, issued, stage, status, waiting};

const NAMES: &[&str] = &["shop.example.org"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_nothing_is_prepared_or_signed_until_enough_different_people_have_agreed() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let (anna, bert) = (
        Person::with(&server, Role::Approver).await,
        Person::with(&server, Role::Approver).await,
    );
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    assert!((1..=60).contains(&waiting.retry_after), "soon at first");
    let all = server.lifecycle();
    let filter = EnrollmentFilter {
        status: Some("awaiting-approval".to_owned()),
        ..EnrollmentFilter::default()
    };
    let stored = all.list_enrollments(filter, None, 10).await.unwrap();
    assert!(matches!(
        stored[0].state,
        EnrollmentState::AwaitingApproval { .. }
    ));
    assert_eq!(
        anna.list("mine=true").await,
        std::slice::from_ref(&waiting.approval)
    );
    assert!(
        admin.list("mine=true").await.is_empty(),
        "the rule asks approvers"
    );

    let (code, shown) = anna.approve(&waiting.approval).await;
    assert_eq!(
        (code, &shown["missing"]),
        (StatusCode::OK, &json!(1)),
        "{shown}"
    );
    let (code, body) = anna.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT, "{body}");
    let (code, body) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    assert!(anna.list("mine=true").await.is_empty(), "said already");
    assert_eq!(
        (status(&client, &waiting).await, issued(&server).await),
        ("processing".to_owned(), 0)
    );

    let (code, shown) = bert.approve(&waiting.approval).await;
    assert_eq!(
        (code, &shown["status"]),
        (StatusCode::OK, &json!("approved")),
        "{shown}"
    );
    let order = client.settled(&waiting.url).await;
    assert_eq!(order["status"], "valid", "{order}");
    assert_eq!(issued(&server).await, 1);
    let (code, _) = bert.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT);
    let told = events(&server, "approval.approved").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["decisions"][1]["by"], bert.id);
    assert_eq!(told[0]["names"], json!(NAMES));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_stages_come_one_after_the_other() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let rule = json!({ "stages": [stage(1, "approver"), stage(1, "administrator")] });
    admin.ask(rule).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let (code, _) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "not yet");
    let (code, shown) = anna.approve(&waiting.approval).await;
    assert_eq!(
        (code, &shown["stage"]),
        (StatusCode::OK, &json!(2)),
        "{shown}"
    );
    assert_eq!(
        events(&server, "enrollment.awaiting_approval").await.len(),
        2
    );
    let (code, _) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::OK);
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i11_two_final_approvals_at_once_sign_once() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let mut people = Vec::new();
    for _ in 0..8 {
        people.push(Person::with(&server, Role::Approver).await);
    }
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    for round in 0..3 {
        let name = format!("r{round}.example.org");
        let waiting = waiting(&server, &client, &admin, &[&name]).await;
        let calls = people
            .iter()
            .map(|person| person.approve(&waiting.approval));
        let answers = futures::future::join_all(calls).await;
        let taken = answers.iter().filter(|(code, _)| *code == StatusCode::OK);
        assert_eq!(taken.count(), 1, "{answers:?}");
        let refused = |code: &StatusCode| *code == StatusCode::CONFLICT;
        assert_eq!(answers.iter().filter(|(code, _)| refused(code)).count(), 7);
        assert_eq!(client.settled(&waiting.url).await["status"], "valid");
    }
    assert_eq!(issued(&server).await, 3);
    assert_eq!(events(&server, "approval.approved").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_nobody_approves_an_own_request_nor_one_under_an_own_binding_key() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let other = Person::with(&server, Role::Administrator).await;
    admin
        .ask(json!({ "stages": [stage(1, "administrator")] }))
        .await;

    // By the REST API: who asked, and a token that who asked has made.
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = pki::pem::encode("CERTIFICATE REQUEST", &testkit::acme::csr_for(NAMES, &key));
    let request = json!({ "profile": "default", "csr": csr });
    let (code, enrolled) = admin.post("/api/v1/enrollments", request).await;
    assert_eq!(code, StatusCode::ACCEPTED, "{enrolled}");
    let id = enrolled["approval"].as_str().unwrap().to_owned();
    let (code, body) = admin.approve(&id).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    assert_eq!(admin.show(&id).await["your_turn"], json!(false));
    let made = json!({ "name": "puppet", "role": "administrator" });
    let (code, made) = admin.post("/api/v1/tokens", made).await;
    assert_eq!(code, StatusCode::CREATED, "{made}");
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let puppet = Person::of(&server.url(), &text("id"), &text("secret"));
    let (code, body) = puppet.approve(&id).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    let (code, body) = other.approve(&id).await;
    assert_eq!(code, StatusCode::OK, "{body}");

    // By ACME: who handed out the key that the account is bound by.
    let key = json!({ "name": "farm" });
    let (code, key) = admin.post("/api/v1/acme/eab-keys", key).await;
    assert_eq!(code, StatusCode::CREATED, "{key}");
    let mut client = server.client().await;
    let binding = client.binding(key["id"].as_str().unwrap(), key["hmac"].as_str().unwrap());
    let account = json!({ "termsOfServiceAgreed": true, "externalAccountBinding": binding });
    client.register_with(account).await.assert_status(201);
    let waiting = waiting(&server, &client, &other, &["farm.example.org"]).await;
    let (code, body) = admin.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "{body}");
    let (code, body) = other.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    assert_eq!(client.settled(&waiting.url).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_order_is_invalid_and_says_why() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(2)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let (code, _) = anna.deny(&waiting.approval, "  ").await;
    assert_eq!(code, StatusCode::BAD_REQUEST, "a denial needs a reason");
    let (code, shown) = anna.deny(&waiting.approval, "belongs to sales").await;
    assert_eq!(
        (code, &shown["status"]),
        (StatusCode::OK, &json!("denied")),
        "{shown}"
    );
    let order = client.get(&waiting.url).await.json();
    assert_eq!(order["status"], "invalid", "{order}");
    let detail = order["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("belongs to sales"), "{detail}");
    assert_eq!(
        order["error"]["type"],
        "urn:ietf:params:acme:error:unauthorized"
    );
    assert_eq!(
        events(&server, "approval.denied").await[0]["reason"],
        "belongs to sales"
    );
    assert_eq!(issued(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_decided_on_at_once_each_by_itself() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let one = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let two = waiting(&server, &client, &admin, &["b.example.org"]).await;
    anna.deny(&two.approval, "no").await;
    let body = json!({
        "approvals": [one.approval, two.approval, "apr_00000000000000000000000000"],
        "verdict": "approve",
    });
    let (code, decided) = anna.post("/api/v1/approvals/decide", body).await;
    assert_eq!(code, StatusCode::OK, "{decided}");
    let results = &decided["results"];
    assert_eq!(results[0]["status"], "approved", "{decided}");
    assert!(
        results[1]["error"].as_str().unwrap().contains("denied"),
        "{decided}"
    );
    assert!(
        results[2]["error"]
            .as_str()
            .unwrap()
            .contains("no approval"),
        "{decided}"
    );
    assert_eq!(client.settled(&one.url).await["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_withdraws_what_nobody_has_decided_on() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let shown = admin.show(&waiting.approval).await;
    let path = format!(
        "/api/v1/enrollments/{}/cancel",
        shown["enrollment"].as_str().unwrap()
    );
    let (code, body) = admin.post(&path, json!({ "reason": "not needed" })).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    assert_eq!(admin.show(&waiting.approval).await["status"], "cancelled");
    let (code, _) = anna.approve(&waiting.approval).await;
    assert_eq!(code, StatusCode::CONFLICT);
    let order = client.get(&waiting.url).await.json();
    assert_eq!(order["status"], "invalid", "{order}");
    assert_eq!(events(&server, "approval.cancelled").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_shows_everything_that_is_needed_to_decide() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let client = server.registered_client().await;
    client.issue(&server, NAMES).await;
    let mut rule = approvers(1);
    rule["escalation"] = json!([{
        "after_seconds": 3600,
        "to": [{ "kind": "role", "role": "administrator", "scope": "everywhere" }],
    }]);
    admin.ask(rule).await;
    let waiting = waiting(&server, &client, &admin, NAMES).await;
    let shown = anna.show(&waiting.approval).await;
    assert_eq!(shown["your_turn"], json!(true), "{shown}");
    assert_eq!(shown["policy"]["outcome"], "allowed", "{shown}");
    assert_eq!(shown["policy"]["issuer"], "issuing");
    assert_eq!(shown["identifiers"][0]["value"], NAMES[0]);
    assert_eq!(shown["requester"]["kind"], "acme-account");
    assert_eq!(shown["key_kind"], "p-256");
    assert_eq!(shown["waits_for"][0]["role"], "approver");
    assert_eq!(shown["escalation"][0]["is_taken"], json!(false));
    assert!(shown["deadline_at"].is_string() && shown["next_step_at"].is_string());
    let differences = shown["last_certificate"]["differences"].as_array().unwrap();
    let what: Vec<&str> = differences
        .iter()
        .map(|d| d["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["key", "profile version"], "{shown}");
}
