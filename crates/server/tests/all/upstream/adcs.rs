//! The web enrollment of AD CS, as what is published about it says that it is.

use serde_json::json;
use testkit::adcs::{FakeAdcs, Mood};

use super::Desk;

const PASSWORD: &str = "Gr\u{fc}n-4711";

async fn start(authentication: &str) -> (Desk, FakeAdcs) {
    let (desk, ca) = (Desk::start().await, FakeAdcs::start(PASSWORD).await);
    let secrets = json!({"password": PASSWORD});
    desk.configure("adcs", ca.settings(authentication), secrets)
        .await;
    desk.route_to("adcs").await;
    (desk, ca)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ad_cs_issues_to_a_user_that_ntlm_or_basic_let_in() {
    for authentication in ["ntlm", "basic"] {
        let (desk, ca) = start(authentication).await;
        let (passed, findings) = desk.test("adcs").await;
        assert!(passed, "{findings:#?}");
        let chain = desk.issue(&["web.example.org"]).await;
        assert_eq!(chain[0].issuer.to_string(), "CN=Corp Issuing CA");
        assert_eq!(chain[1].der, ca.ca.der());
        assert_eq!(ca.attributes(), ["CertificateTemplate:WebServer"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_an_officer_decides_about_is_polled_by_its_number() {
    let (desk, ca) = start("ntlm").await;
    ca.is(Mood::Pending);
    let place = desk.ask(&["slow.example.org"]).await;
    for _ in 0..5 {
        desk.tick(600).await;
    }
    assert_eq!(desk.state(&place).await["status"], "awaiting-issuer");
    ca.is(Mood::Broken);
    desk.tick(600).await;
    ca.is(Mood::Usual);
    let state = desk.settle(&place, 60).await;
    assert_eq!(state["status"], "issued", "{state}");
    // Asked for once, whatever happened in between.
    assert_eq!(ca.attributes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_is_told_in_the_cas_own_words() {
    let (desk, ca) = start("basic").await;
    ca.is(Mood::Denied);
    let place = desk.ask(&["no.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "failed", "{state}");
    let reason = state["reason"].as_str().unwrap();
    assert!(
        reason.contains("Denied by Policy Module 0x80094800"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_expired_keeps_requests_waiting_until_it_is_renewed() {
    let (desk, ca) = start("ntlm").await;
    ca.set_password("another");
    let (passed, findings) = desk.test("adcs").await;
    assert!(!passed, "{findings:#?}");
    let place = desk.ask(&["later.example.org"]).await;
    desk.tick(60).await;
    assert_eq!(desk.state(&place).await["status"], "signing");
    let body = json!({"secrets": {"password": "another"}});
    let answer = desk
        .api
        .call(reqwest::Method::PUT, "/api/v1/issuers/adcs", Some(body))
        .await;
    assert!(answer.status.is_success(), "{}", answer.body);
    let state = desk.settle(&place, 60).await;
    assert_eq!(state["status"], "issued", "{state}");
}
