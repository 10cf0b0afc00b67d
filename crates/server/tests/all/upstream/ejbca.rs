//! EJBCA, as its documentation says that it is.

use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::json;
use testkit::acme::csr_for;
use testkit::ejbca::FakeEjbca;

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
