//! EJBCA, as its documentation says that it is.

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::json;
use testkit::TestServer;
use testkit::acme::csr_for;
use testkit::ejbca::FakeEjbca;
use testkit::peer::Fault;
use testkit::vault::{TOKEN, TestVault};

use super::{Desk, says};

async fn start() -> (Desk, FakeEjbca) {
    let (desk, ca) = (Desk::start().await, FakeEjbca::start().await);
    let secrets = json!({"client_key": ca.client_key});
    desk.configure("ejbca", ca.settings(), secrets).await;
    desk.route_to("ejbca").await;
    (desk, ca)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ejbca_signs_over_mutual_tls_and_is_told_of_revocations() {
    let (desk, ca) = start().await;
    let (passed, findings) = desk.test("ejbca").await;
    assert!(passed, "{findings:#?}");
    let place = desk.ask(&["e.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    let chain = super::chain(&state);
    assert_eq!(chain[0].issuer.to_string(), "CN=ManagementCA");
    assert_eq!(chain[1].der, ca.peer.ca().der());
    desk.revoke(&place).await;
    assert_eq!(ca.revocation().as_deref(), Some("KEY_COMPROMISE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ejbca_issued_to_others_can_be_listed() {
    let (desk, ca) = start().await;
    desk.issue(&["own.example.org"]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    ca.issue_elsewhere(&csr_for(&["shadow.example.org"], &key));
    let connected = desk.server.lifecycle().issuer_by_name("ejbca").await;
    let connected = connected.unwrap().unwrap();
    let list = connected.connector.abilities().list.unwrap();
    let first = list.list_issued(None).await.unwrap();
    assert_eq!(first.certificates.len(), 1);
    let second = list.list_issued(first.next.as_deref()).await.unwrap();
    let shadow = pki::certificate::Certificate::from_der(&second.certificates[0].der).unwrap();
    assert_eq!(shadow.names.len(), 1);
    assert_eq!(
        shadow.public_key.spki_sha256(),
        pki::key::SigningKey::public_key(&key).spki_sha256()
    );
    assert!(second.next.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i12_a_key_that_a_ca_elsewhere_calls_compromised_is_certified_by_no_other() {
    let (desk, ca) = start().await;
    let known = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let new = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let sync = async || {
        let path = "/api/v1/issuers/ejbca/sync";
        desk.api.post(path, json!({})).await.expect(202);
    };
    ca.issue_elsewhere(&csr_for(&["known.example.org"], &known));
    sync().await;
    let discovered = async || desk.has_event("certificate.discovered").await;
    assert!(desk.tick_until(1, discovered).await);
    ca.compromise();
    // This one is seen for the first time when it is revoked already.
    ca.issue_elsewhere(&csr_for(&["new.example.org"], &new));
    ca.compromise();
    sync().await;
    let blocked = async || {
        let keys = desk.api.get("/api/v1/blocked-keys").await;
        keys["items"].as_array().unwrap().len() == 2
    };
    assert!(desk.tick_until(1, blocked).await);
    assert!(desk.has_event("certificate.revoked_elsewhere").await);
    desk.route_to("issuing").await;
    for key in [&known, &new] {
        let csr = crate::enroll::csr_for(key, &["again.example.org"]);
        let request = json!({ "profile": "default", "csr": csr });
        let answer = desk.api.post("/api/v1/enrollments", request).await;
        assert!(answer.expect(422).to_string().contains("blocked"));
    }
}

/// The same on whatever the server keeps its data in.
async fn what_was_discovered_first_is_adopted(desk: Desk) {
    let (ca, name) = (FakeEjbca::start().await, "early.example.org");
    let secrets = json!({"client_key": ca.client_key});
    desk.configure("ejbca", ca.settings(), secrets).await;
    desk.route_to("ejbca").await;
    ca.peer.fails(Fault::Waiting);
    let place = desk.ask(&[name]).await;
    let waits = async || desk.state(&place).await["status"] == "awaiting-issuer";
    desk.server.run_jobs_until(waits).await;
    // Somebody approves it over there, and the list is looked through before the request is asked after.
    ca.approve();
    desk.discover("ejbca").await;
    let found = desk.only_entry(name).await;
    assert_eq!(found["origin"], "discovered", "{found}");
    ca.peer.fails(Fault::None);
    desk.is_adopted(&found, &place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_ejbca_that_the_list_showed_first_becomes_that_of_its_request() {
    what_was_discovered_first_is_adopted(Desk::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_the_list_showed_first_becomes_that_of_its_request_on_postgresql() {
    let server = TestServer::start_on_postgres().await;
    what_was_discovered_first_is_adopted(Desk::over(server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_vault_that_the_list_showed_before_its_answer_came_becomes_that_of_its_request()
 {
    let (desk, vault) = (Desk::start().await, TestVault::start().await);
    let settings = json!({ "url": vault.url(), "role": "web" });
    desk.configure("vault", settings, json!({ "token": TOKEN }))
        .await;
    desk.route_to("vault").await;
    vault.peer.holds_next_answer();
    let place = desk.ask(&["slow.example.org"]).await;
    desk.server
        .run_jobs_until(async || vault.signed() == 1)
        .await;
    desk.discover("vault").await;
    let found = desk.only_entry("slow.example.org").await;
    assert_eq!(found["origin"], "discovered", "{found}");
    vault.peer.lets_answer_go();
    desk.is_adopted(&found, &place).await;
    assert_eq!(vault.signed(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_a_ca_that_ejbca_does_not_have_is_told_as_that() {
    let (desk, ca) = (Desk::start().await, FakeEjbca::start().await);
    let mut settings = ca.settings();
    settings["ca_name"] = "NoSuchCA".into();
    let secrets = json!({"client_key": ca.client_key});
    desk.configure("ejbca", settings, secrets).await;
    let (passed, lines) = desk.test("ejbca").await;
    assert!(!passed, "{lines:#?}");
    assert!(says(&lines, "credentials passed", ""), "{lines:#?}");
    assert!(
        says(&lines, "rights failed", "no CA NoSuchCA"),
        "{lines:#?}"
    );
}
