//! The whole flow from account to certificate, and what is left behind.

use testkit::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_a_certificate_for_the_name_it_controls() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let leaf = issued.leaf();
    assert_eq!(leaf.names.len(), 1);
    assert_eq!(
        leaf.public_key,
        *pki::key::SigningKey::public_key(&issued.key)
    );
    assert_eq!(issued.chain.len(), 2);
    let issuer = pki::certificate::Certificate::from_der(&issued.chain[1]).unwrap();
    assert!(leaf.is_signed_by(&issuer));
}
