//! EJBCA, as its documentation says that it is.

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::json;
use testkit::acme::csr_for;
use testkit::ejbca::{FakeEjbca, Fault};

use super::Desk;

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
    assert_eq!(chain[1].der, ca.ca.der());
    desk.revoke(&place).await;
    assert_eq!(ca.revocation().as_deref(), Some("KEY_COMPROMISE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_ejbca_that_passes_loses_no_request_and_makes_no_second_certificate() {
    let (desk, ca) = start().await;
    for fault in [
        Fault::Throttled,
        Fault::Broken,
        Fault::Html,
        Fault::Forbidden,
        Fault::Lost,
    ] {
        ca.fault(fault);
        let before = ca.counts().1;
        let name = format!("{}.example.org", format!("{fault:?}").to_lowercase());
        desk.issue(&[&name]).await;
        assert_eq!(ca.counts().1, before + 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i14_ejbca_with_half_an_answer_or_another_key_is_not_believed() {
    let (desk, ca) = start().await;
    ca.fault(Fault::WrongKey);
    let place = desk.ask(&["w.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "failed", "{state}");
    assert!(
        state["reason"]
            .as_str()
            .unwrap()
            .contains("another public key"),
        "{state}"
    );
    // The whole certificate is there when the CA is asked what it has.
    ca.fault(Fault::Half);
    let place = desk.ask(&["h.example.org"]).await;
    let state = desk.settle(&place, 2).await;
    assert_eq!(state["status"], "issued", "{state}");
    assert_eq!(ca.counts().1, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_at_ejbca_is_waited_for() {
    let (desk, ca) = start().await;
    ca.fault(Fault::Approval);
    let place = desk.ask(&["a.example.org"]).await;
    for _ in 0..5 {
        desk.tick(600).await;
    }
    assert_eq!(desk.state(&place).await["status"], "awaiting-issuer");
    ca.approve();
    let state = desk.settle(&place, 60).await;
    assert_eq!(state["status"], "issued", "{state}");
    assert_eq!(ca.counts(), (1, 1));
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
