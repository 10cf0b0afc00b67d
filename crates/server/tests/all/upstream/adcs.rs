//! The web enrollment of AD CS, as what is published about it says that it is.

use serde_json::json;
use testkit::adcs::FakeAdcs;

use super::{Desk, says};

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
        assert_eq!(chain[1].der, ca.peer.ca().der());
        assert_eq!(ca.attributes(), ["CertificateTemplate:WebServer"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_changed_is_given_to_the_issuer_and_requests_go_on() {
    let (desk, ca) = start("ntlm").await;
    ca.set_password("another");
    let (passed, findings) = desk.test("adcs").await;
    assert!(!passed, "{findings:#?}");
    let place = desk.ask(&["later.example.org"]).await;
    desk.tick(60).await;
    let body = json!({"secrets": {"password": "another"}});
    let answer = desk
        .api
        .call(reqwest::Method::PUT, "/api/v1/issuers/adcs", Some(body))
        .await;
    assert!(answer.status.is_success(), "{}", answer.body);
    let state = desk.settle(&place, 60).await;
    assert_eq!(state["status"], "issued", "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_goes_to_ad_cs_as_request_attributes_and_never_as_more_than_one_line() {
    let (desk, ca) = start("ntlm").await;
    let put = async |path: &str, body: serde_json::Value| {
        let path = format!("/api/v1/{path}");
        let answer = desk.api.call(reqwest::Method::PUT, &path, Some(body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
    };
    let field = json!({ "kind": "string", "default": "4711" });
    put("metadata-fields/code", field).await;
    let told = json!({ "metadata_fields": { "code": "CostCenter" } });
    put("issuers/adcs/metadata-fields", told).await;
    desk.issue(&["told.example.org"]).await;
    let expected = "CertificateTemplate:WebServer\r\nCostCenter:4711";
    assert_eq!(ca.attributes(), [expected]);
    // What decides something at the CA is no name for a field.
    let told = json!({ "metadata_fields": { "code": "san" } });
    put("issuers/adcs/metadata-fields", told).await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = crate::enroll::csr_for(&key, &["never.example.org"]);
    let request = json!({ "profile": "default", "csr": csr });
    let answer = desk.api.post("/api/v1/enrollments", request).await;
    assert!(
        !answer.status.is_success() || answer.body["status"] != "issued",
        "{}",
        answer.body
    );
    desk.tick(60).await;
    assert_eq!(ca.attributes(), [expected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_of_ad_cs_tells_what_it_is_that_does_not_work() {
    let (desk, ca) = (Desk::start().await, FakeAdcs::start(PASSWORD).await);
    let secrets = json!({"password": PASSWORD});
    desk.configure("adcs", ca.settings("ntlm"), secrets).await;
    let found = async |settings: serde_json::Value| {
        let body = json!({"settings": settings, "secrets": {"password": PASSWORD}});
        let put = reqwest::Method::PUT;
        let changed = desk.api.call(put, "/api/v1/issuers/adcs", Some(body)).await;
        changed.expect(200);
        desk.test("adcs").await.1
    };
    let lines = desk.test("adcs").await.1;
    assert!(says(&lines, "rights passed", "WebServer"), "{lines:#?}");
    let mut other = ca.settings("ntlm");
    other["template"] = "Gateway".into();
    let lines = found(other.clone()).await;
    assert!(says(&lines, "credentials passed", ""), "{lines:#?}");
    assert!(
        says(&lines, "rights warning", "but WebServer, User"),
        "{lines:#?}"
    );
    // Nobody listens there.
    other["url"] = "https://127.0.0.1:9/certsrv".into();
    let lines = found(other).await;
    assert!(says(&lines, "reach failed", ""), "{lines:#?}");
    assert!(
        says(&lines, "credentials skipped", "not reached"),
        "{lines:#?}"
    );
    found(ca.settings("ntlm")).await;
    ca.set_password("another");
    let lines = desk.test("adcs").await.1;
    assert!(says(&lines, "reach passed", ""), "{lines:#?}");
    assert!(
        says(&lines, "credentials failed", "does not accept"),
        "{lines:#?}"
    );
}
