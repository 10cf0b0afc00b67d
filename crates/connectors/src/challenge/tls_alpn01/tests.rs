//! Against TLS servers that do one thing wrong at a time.

use std::net::SocketAddr;

use hickory_resolver::proto::rr::RecordType;
use rcgen::{CertifiedKey, CustomExtension, KeyPair};

use super::*;
use crate::testing::dns::{self, a};
use crate::testing::tls::{Asked, acceptor, recording_acceptor, self_signed, serve, serve_octets};
use crate::testing::{dialer, failure, request};

const ACME_IDENTIFIER: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 31];

async fn probe_at(server: SocketAddr, identifier: &str) -> Verdict {
    let dns = dns::serve(|question| match question.kind {
        RecordType::A => dns::Reply::Records(vec![a(&question.name, [127, 0, 0, 1])]),
        _ => dns::Reply::Records(vec![]),
    })
    .await;
    let settings = ValidationSettings {
        tlsalpn01_port: server.port(),
        timeout: Duration::from_secs(1),
        ..ValidationSettings::default()
    };
    let validator = TlsAlpn01Validator::new(dialer(dns), settings);
    validator
        .validate(&request(ChallengeKind::TlsAlpn01, identifier))
        .await
}

async fn probe(certified: &CertifiedKey<KeyPair>) -> Verdict {
    let server = serve(acceptor(certified, &[PROTOCOL])).await;
    probe_at(server, "www.test").await
}

fn digest() -> [u8; 32] {
    key_authorization_digest(&request(ChallengeKind::TlsAlpn01, "www.test").key_authorization)
}

fn extension(content: Vec<u8>, critical: bool) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&ACME_IDENTIFIER, content);
    extension.set_criticality(critical);
    extension
}

fn proof() -> CustomExtension {
    extension([&[0x04, 0x20], digest().as_slice()].concat(), true)
}

#[tokio::test]
async fn the_certificate_of_the_challenge_shows_control_in_any_case_of_the_name() {
    for name in ["www.test", "WWW.Test"] {
        let verdict = probe(&self_signed(&[name], &[proof()])).await;
        assert_eq!(verdict, Verdict::Valid { until: None });
    }
}

#[tokio::test]
async fn an_address_is_asked_for_by_its_reverse_name_and_answered_by_itself() {
    let certified = self_signed(&["127.0.0.1"], &[proof()]);
    let asked = Asked::default();
    let server = serve(recording_acceptor(&certified, &[PROTOCOL], asked.clone())).await;
    assert_eq!(
        probe_at(server, "127.0.0.1").await,
        Verdict::Valid { until: None }
    );
    assert_eq!(*asked.lock().unwrap(), ["1.0.0.127.in-addr.arpa"]);
    let by_name = self_signed(&["1.0.0.127.in-addr.arpa"], &[proof()]);
    let server = serve(acceptor(&by_name, &[PROTOCOL])).await;
    let failure = failure(probe_at(server, "127.0.0.1").await);
    assert_eq!(failure.kind, FailureKind::Unauthorized);
}

#[tokio::test]
async fn n04_a_certificate_that_does_not_prove_it_is_unauthorized() {
    let other_digest = extension([&[0x04, 0x20], [7; 32].as_slice()].concat(), true);
    let short = extension([&[0x04, 0x1f], [7; 31].as_slice()].concat(), true);
    let bare = extension(digest().to_vec(), true);
    let lax = extension([&[0x04, 0x20], digest().as_slice()].concat(), false);
    for (names, extensions, reason) in [
        (vec!["www.test", "other.test"], vec![proof()], "names"),
        (vec!["www.test", "127.0.0.1"], vec![proof()], "names"),
        (vec!["other.test"], vec![proof()], "other.test"),
        (vec!["*.test"], vec![proof()], "*.test"),
        (vec![], vec![proof()], "names"),
        (vec!["www.test"], vec![], "acmeIdentifier"),
        (vec!["www.test"], vec![lax], "critical"),
        (vec!["www.test"], vec![other_digest], "another challenge"),
        (vec!["www.test"], vec![short], "32 octets"),
        (vec!["www.test"], vec![bare], "32 octets"),
    ] {
        let failure = failure(probe(&self_signed(&names, &extensions)).await);
        assert_eq!(failure.kind, FailureKind::Unauthorized, "{failure}");
        assert!(failure.detail.contains(reason), "{reason}: {failure}");
    }
}

#[tokio::test]
async fn n04_a_server_without_the_protocol_is_not_believed() {
    let certified = self_signed(&["www.test"], &[proof()]);
    let silent = serve(acceptor(&certified, &[])).await;
    let unselected = failure(probe_at(silent, "www.test").await);
    assert_eq!(unselected.kind, FailureKind::Unauthorized);
    assert!(unselected.detail.contains("acme-tls/1"), "{unselected}");
    let web = serve(acceptor(&certified, &[b"h2", b"http/1.1"])).await;
    let refused = failure(probe_at(web, "www.test").await);
    assert_eq!(refused.kind, FailureKind::Tls);
}

#[tokio::test]
async fn n04_tls_1_0_is_a_tls_failure() {
    // A ServerHello of TLS 1.0 with an empty session and TLS_RSA_WITH_AES_128_CBC_SHA.
    let mut hello = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let failure = failure(probe_at(serve_octets(hello, None).await, "www.test").await);
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    assert!(failure.detail.contains("TLS 1.2 or later"), "{failure}");
}

#[tokio::test]
async fn n04_an_endless_certificate_is_a_tls_failure() {
    // A ServerHello of TLS 1.2 with ECDHE-ECDSA, then a Certificate of 16 MiB that never ends.
    let mut hello = vec![0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x2b, 0]);
    hello.extend([0x16, 3, 3, 0, 7, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc]);
    let mut filler = vec![0x16, 3, 3, 0x20, 0];
    filler.extend([0; 0x2000]);
    let failure = failure(probe_at(serve_octets(hello, Some(filler)).await, "www.test").await);
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
}

#[tokio::test]
async fn n04_a_handshake_that_stalls_or_is_no_tls_ends() {
    let stalled = failure(probe_at(serve_octets(vec![], None).await, "www.test").await);
    assert_eq!(
        (stalled.kind, stalled.can_retry),
        (FailureKind::Connection, true)
    );
    let http = serve_octets(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), None).await;
    assert_eq!(
        failure(probe_at(http, "www.test").await).kind,
        FailureKind::Tls
    );
}

#[tokio::test]
async fn n01_a_denied_address_is_not_dialled() {
    let server = serve_octets(vec![], None).await;
    let failure = failure(probe_at(server, "127.0.0.2").await);
    assert_eq!(
        (failure.kind, failure.can_retry),
        (FailureKind::Connection, false)
    );
}

#[test]
fn the_server_name_of_an_address_is_its_reverse_name() {
    let name = |text: &str| server_name(&Identifier::Ip(text.parse().unwrap()));
    assert_eq!(name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
    assert_eq!(
        name("2001:db8::1"),
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    );
}
