//! Those whose turn it is are told by mail, each with an own link.

use domain::role::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::TestServer;

use super::support::{Person, approvers, status, waiting};
use crate::notifications::mail::MailServer;
use crate::sign_in::browser::{Browser, administrator, joined};

/// A user with that role and an address.
async fn user(admin: &mut Browser, name: &str, role: &str) -> String {
    let body = json!({
        "name": name, "email": format!("{name}@example.net"), "grants": [{ "role": role }],
    });
    joined(admin, body).await.1
}

/// The link of a mail.
fn link(mail: &Value) -> &str {
    let text = mail["text"].as_str().unwrap();
    let mut links = text
        .split_whitespace()
        .filter(|word| word.contains("/approve/cwa_"));
    links
        .next_back()
        .unwrap_or_else(|| panic!("a link: {text}"))
}

async fn say(url: &str, verdict: &str) -> StatusCode {
    let request = reqwest::Client::new()
        .post(url)
        .form(&[("verdict", verdict)]);
    request.send().await.unwrap().status()
}

async fn put(admin: &Person, path: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/api/v1/{path}");
    admin.call(reqwest::Method::PUT, &path, Some(body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_approver_gets_an_own_mail_with_an_own_link_that_decides() {
    let (server, mail) = (TestServer::start().await, MailServer::start().await);
    let root = &mut administrator(&server).await;
    user(root, "anna", "approver").await;
    let bert = user(root, "bert", "approver").await;
    user(root, "carl", "auditor").await;
    let admin = Person::with(&server, Role::Administrator).await;
    admin.ask(approvers(1)).await;
    let (code, body) = put(&admin, "notification-channels/mail", mail.channel()).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    let rule = json!({
        "channels": ["mail"], "events": ["enrollment.awaiting_approval"],
        "recipients": { "approvers": true },
    });
    let (code, body) = put(&admin, "notification-rules/approvals", rule).await;
    assert_eq!(code, StatusCode::OK, "{body}");

    let client = server.registered_client().await;
    let one = waiting(&server, &client, &admin, &["a.example.org"]).await;
    server
        .run_jobs_until(async || mail.mails().len() == 2)
        .await;
    let mut mails = mail.mails();
    mails.sort_by_key(|mail| mail["to"].to_string());
    assert_eq!(mails[0]["to"], json!(["anna@example.net"]));
    assert_eq!(mails[1]["to"], json!(["bert@example.net"]));
    assert!(mails[0]["text"].as_str().unwrap().contains("a.example.org"));
    let (annas, berts) = (link(&mails[0]), link(&mails[1]));
    assert_ne!(annas, berts);
    let url = format!("/api/v1/users/{bert}/disable");
    let (code, body) = admin.post(&url, json!({})).await;
    assert!(code.is_success(), "{body}");
    assert_eq!(say(berts, "approve").await, StatusCode::FORBIDDEN);
    assert_eq!(say(annas, "approve").await, StatusCode::OK);
    server
        .run_jobs_until(async || status(&client, &one).await == "valid")
        .await;

    // Who is disabled is asked nothing.
    let two = waiting(&server, &client, &admin, &["b.example.org"]).await;
    server
        .run_jobs_until(async || mail.mails().len() >= 3)
        .await;
    crate::notifications::settle(&server).await;
    let mails = mail.mails();
    assert_eq!(mails.len(), 3, "{mails:?}");
    assert_eq!(mails[2]["to"], json!(["anna@example.net"]));
    assert_eq!(say(link(&mails[2]), "approve").await, StatusCode::OK);
    server
        .run_jobs_until(async || status(&client, &two).await == "valid")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_people_needs_a_channel_that_reaches_them() {
    let (server, mail) = (TestServer::start().await, MailServer::start().await);
    let admin = Person::with(&server, Role::Administrator).await;
    let hook = json!({
        "kind": "webhook",
        "settings": {
            "url": "https://hooks.example.org/", "secret": "a shared secret of at least 24 octets",
        },
    });
    put(&admin, "notification-channels/hook", hook).await;
    put(&admin, "notification-channels/mail", mail.channel()).await;
    for (channel, recipients, says) in [
        ("hook", json!({ "approvers": true }), "smtp"),
        ("mail", json!({ "roles": ["nobody"] }), "no role `nobody`"),
    ] {
        let rule = json!({ "channels": [channel], "events": ["*"], "recipients": recipients });
        let (code, body) = put(&admin, "notification-rules/people", rule).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{body}");
        assert!(body["detail"].as_str().unwrap().contains(says), "{body}");
    }
    let root = &mut administrator(&server).await;
    user(root, "olga", "ca-operator").await;
    let rule = json!({
        "channels": ["mail"], "events": ["certificate.issued"],
        "recipients": { "roles": ["ca-operator"] },
    });
    let (code, body) = put(&admin, "notification-rules/people", rule).await;
    assert_eq!(code, StatusCode::OK, "{body}");
    let client = server.registered_client().await;
    client.issue(&server, &["c.example.org"]).await;
    server
        .run_jobs_until(async || !mail.mails().is_empty())
        .await;
    let mails = mail.mails();
    assert_eq!(mails[0]["to"], json!(["olga@example.net"]), "{mails:?}");
    assert!(!mails[0]["text"].as_str().unwrap().contains("/approve/"));
}
