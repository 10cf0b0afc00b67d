//! Certificates as they are downloaded (RFC 8555 sections 7.4.2 and 9.1).

use pki::certificate::Certificate;
use testkit::TestServer;

use super::super::support::{assert_refused, links};

fn certificates(pem: &str) -> Vec<Certificate> {
    let ders = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    ders.iter()
        .map(|der| Certificate::from_der(der).unwrap())
        .collect()
}

/// RFC 7468 section 3, the strict form: nothing but boundaries and lines of 64 characters.
fn assert_strict(pem: &str) {
    let mut length = 0;
    for line in pem.lines() {
        if line == "-----BEGIN CERTIFICATE-----" {
            length = 64;
        } else if line == "-----END CERTIFICATE-----" {
            length = 0;
        } else {
            assert_eq!(length, 64, "a short line inside, or text outside: {line:?}");
            length = line.len();
        }
    }
    assert!(pem.ends_with("-----END CERTIFICATE-----\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_2_the_chain_begins_with_the_leaf_and_each_certifies_the_one_before() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client
        .issue(&server, &["www.example.org", "192.0.2.1"][..1])
        .await;
    let answer = client.get(&issued.certificate_url).await;
    answer.assert_status(200);
    let kind = "application/pem-certificate-chain";
    assert_eq!(answer.header("content-type"), Some(kind));
    assert_strict(&answer.text);
    let chain = certificates(&answer.text);
    assert!(chain.len() >= 2);
    for pair in chain.windows(2) {
        assert!(pair[0].is_signed_by(&pair[1]));
    }
    assert!(
        !chain.last().unwrap().is_self_issued(),
        "clients have the root or do not trust it"
    );
    // What was issued stays what it is.
    assert_eq!(client.get(&issued.certificate_url).await.text, answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_2_other_chains_are_linked_and_lead_to_the_same_leaf() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    let answer = client.get(&issued.certificate_url).await;
    let alternates = links(&answer, "alternate");
    assert!(!alternates.is_empty());
    for url in &alternates {
        let other = client.get(url).await;
        other.assert_status(200);
        assert_ne!(other.text, answer.text);
        assert_strict(&other.text);
        let chain = certificates(&other.text);
        assert_eq!(chain[0].der, issued.chain[0]);
        for pair in chain.windows(2) {
            assert!(pair[0].is_signed_by(&pair[1]));
        }
        assert!(links(&other, "alternate").contains(&issued.certificate_url));
    }
    for number in ["0", "99", "-1", "x"] {
        let url = format!("{}/alternate/{number}", issued.certificate_url);
        assert_refused(&client.get(&url).await, 404, "malformed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_4_2_a_certificate_can_be_read_after_it_was_revoked_or_expired() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["www.example.org"]).await;
    server.clock.advance(testkit::clock::days(100));
    let answer = client.get(&issued.certificate_url).await;
    answer.assert_status(200);
    assert_eq!(answer.text, issued.pem);
}
