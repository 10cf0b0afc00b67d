//! What relying parties fetch: OCSP (P15), CRLs, CA certificates; with OpenSSL as second opinion.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::role::Role;
use pki::certificate::Certificate;
use pki::crl::Crl;
use pki::ocsp::{ErrorStatus, OcspDigest, OcspIssuer, OcspRequest};
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use serde_json::json;
use testkit::TestServer;
use testkit::acme::{Client, Issued, b64};
use testkit::clock::days;

use crate::enroll::Api;

/// The latest CRL of the issuing CA, as anybody fetches it.
pub async fn fetch_crl(server: &TestServer) -> Crl {
    let url = format!("{}/pki/issuing/crl", server.url());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/pkix-crl");
    Crl::from_der(&answer.bytes().await.unwrap()).unwrap()
}

/// A CRL's number.
pub fn number(crl: &Crl) -> u64 {
    let octets = crl.number.as_ref().unwrap();
    octets
        .iter()
        .fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

/// Whether the CRL names the certificate.
pub fn lists(crl: &Crl, serial: &Serial) -> bool {
    crl.entries.iter().any(|entry| entry.serial == *serial)
}

/// Revokes as the account that holds the certificate.
pub async fn revoke(client: &Client, issued: &Issued) {
    let payload = json!({"certificate": b64(&issued.chain[0]), "reason": 4});
    let answer = client.post(&client.at("revokeCert"), &payload).await;
    answer.assert_status(200);
}

fn issuer_of(issued: &Issued) -> Certificate {
    Certificate::from_der(&issued.chain[1]).unwrap()
}

fn request(
    issuer: &Certificate,
    serial: &Serial,
    digest: OcspDigest,
    nonce: Option<Vec<u8>>,
) -> Vec<u8> {
    let cert_id = OcspIssuer::from_certificate(issuer).cert_id(digest, serial);
    let cert_ids = vec![cert_id];
    OcspRequest { cert_ids, nonce }.to_der()
}

async fn ask(server: &TestServer, request: Vec<u8>) -> Vec<u8> {
    let answer = reqwest::Client::new()
        .post(format!("{}/pki/issuing/ocsp", server.url()))
        .header("content-type", "application/ocsp-request")
        .body(request)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "application/ocsp-response"
    );
    answer.bytes().await.unwrap().to_vec()
}

/// Files in a directory, and `openssl` to judge them.
struct Desk(tempfile::TempDir);

impl Desk {
    /// With `root.pem`, `issuing.pem` and `leaf.pem`.
    async fn of(server: &TestServer, issued: &Issued) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let root = reqwest::get(format!("{}/root.pem", server.url()))
            .await
            .unwrap();
        desk.put("root.pem", &root.bytes().await.unwrap());
        for (name, der) in [
            ("leaf.pem", &issued.chain[0]),
            ("issuing.pem", &issued.chain[1]),
        ] {
            desk.put(
                name,
                pki::pem::encode(pki::pem::CERTIFICATE, der).as_bytes(),
            );
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// What `openssl` says, on both channels, and whether it was content.
    fn openssl(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new("openssl");
        let output = command.args(arguments).current_dir(self.0.path()).output();
        let output = output.expect("the openssl program is installed");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// The status that an OCSP answer gives, its signature verified.
    fn status(&self, answer: &[u8], serial: &Serial) -> String {
        self.put("answer.der", answer);
        let digits: String = serial
            .as_be_octets()
            .iter()
            .map(|octet| format!("{octet:02X}"))
            .collect();
        let serial = format!("0x{digits}");
        let (_, said) = self.openssl(&[
            "ocsp",
            "-respin",
            "answer.der",
            "-issuer",
            "issuing.pem",
            "-serial",
            &serial,
            "-CAfile",
            "root.pem",
            "-verify_other",
            "issuing.pem",
            "-no_nonce",
        ]);
        assert!(said.contains("Response verify OK"), "{said}");
        let line = said.lines().find(|line| line.starts_with(&serial));
        line.unwrap_or_else(|| panic!("{said}"))
            .split(": ")
            .nth(1)
            .unwrap()
            .to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_an_unissued_serial_is_never_good() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["known.example.org"]).await;
    let desk = Desk::of(&server, &issued).await;
    let issuer = issuer_of(&issued);
    let known = issued.leaf().serial;
    let mut off_by_one = known.as_be_octets().to_vec();
    *off_by_one.last_mut().unwrap() ^= 1;
    let one = Serial::from_be_octets(&[1]).unwrap();
    for digest in [OcspDigest::Sha1, OcspDigest::Sha256] {
        for serial in [&one, &Serial::from_be_octets(&off_by_one).unwrap()] {
            let answer = ask(&server, request(&issuer, serial, digest, None)).await;
            if matches!(digest, OcspDigest::Sha1) {
                assert_eq!(desk.status(&answer, serial), "unknown");
            }
        }
        let answer = ask(&server, request(&issuer, &known, digest, None)).await;
        if matches!(digest, OcspDigest::Sha1) {
            assert_eq!(desk.status(&answer, &known), "good");
        }
    }
    // A serial that is prepared but whose certificate was never recorded is not good either.
    let prepared = Serial::from_be_octets(&[7; 20]).unwrap();
    let answer = ask(&server, request(&issuer, &prepared, OcspDigest::Sha1, None)).await;
    assert_eq!(desk.status(&answer, &prepared), "unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_nonces_of_1_to_128_octets_are_echoed_and_others_malformed() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["nonce.example.org"]).await;
    let (issuer, serial) = (issuer_of(&issued), issued.leaf().serial);
    let ask_with = async |length: usize| {
        let nonce: Vec<u8> = (0..length).map(|n| n as u8 ^ 0xa5).collect();
        let body = request(&issuer, &serial, OcspDigest::Sha256, Some(nonce.clone()));
        (nonce, ask(&server, body).await)
    };
    for length in [1, 2, 16, 32, 127, 128] {
        let (nonce, answer) = ask_with(length).await;
        // RFC 9654: the extension's value is an OCTET STRING that holds the nonce.
        let mut echoed = vec![4];
        echoed.extend(if length < 128 {
            vec![length as u8]
        } else {
            vec![0x81, length as u8]
        });
        echoed.extend(nonce);
        assert!(
            answer.windows(echoed.len()).any(|window| window == echoed),
            "{length}"
        );
    }
    let malformed = pki::ocsp::error_response(ErrorStatus::MalformedRequest);
    for length in [0, 129, 200] {
        assert_eq!(ask_with(length).await.1, malformed, "{length}");
    }
    for garbage in [&b""[..], b"garbage", &[0x30, 0x80]] {
        assert_eq!(ask(&server, garbage.to_vec()).await, malformed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_get_and_post_agree_and_a_revocation_shows_at_once() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["get.example.org"]).await;
    let desk = Desk::of(&server, &issued).await;
    let (issuer, serial) = (issuer_of(&issued), issued.leaf().serial);
    let body = request(&issuer, &serial, OcspDigest::Sha1, None);
    let get = async || {
        // A server behind `pki_url` sees the base64 with and without escapes.
        let encoded = STANDARD.encode(&body);
        let escaped = encoded
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let mut answers = Vec::new();
        for path in [encoded, escaped] {
            let url = format!("{}/pki/issuing/ocsp/{path}", server.url());
            let answer = reqwest::get(url).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(
                answer.headers()["cache-control"]
                    .to_str()
                    .unwrap()
                    .contains("max-age=")
            );
            answers.push(answer.bytes().await.unwrap().to_vec());
        }
        assert_eq!(answers[0], answers[1]);
        answers.remove(0)
    };
    assert_eq!(get().await, ask(&server, body.clone()).await);
    assert_eq!(desk.status(&get().await, &serial), "good");
    revoke(&client, &issued).await;
    let revoked = get().await;
    assert_eq!(desk.status(&revoked, &serial), "revoked");
    assert_eq!(revoked, ask(&server, body).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_a_question_about_another_ca_is_not_answered() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["other.example.org"]).await;
    let stranger = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
    let stranger = Certificate::from_der(stranger.cert.der()).unwrap();
    let body = request(&stranger, &issued.leaf().serial, OcspDigest::Sha256, None);
    let unauthorized = pki::ocsp::error_response(ErrorStatus::Unauthorized);
    assert_eq!(ask(&server, body).await, unauthorized);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_is_in_the_next_crl_and_openssl_agrees() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let kept = client.issue(&server, &["kept.example.org"]).await;
    let gone = client.issue(&server, &["gone.example.org"]).await;
    let before = fetch_crl(&server).await;
    let serial = gone.leaf().serial;
    assert!(!lists(&before, &serial));
    revoke(&client, &gone).await;
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(2));
            number(&fetch_crl(&server).await) > number(&before)
        })
        .await;
    let after = fetch_crl(&server).await;
    let entry = after
        .entries
        .iter()
        .find(|entry| entry.serial == serial)
        .unwrap();
    assert_eq!(entry.reason, RevocationReason::Superseded);
    assert!(after.is_signed_with(&issuer_of(&gone).public_key));

    let desk = Desk::of(&server, &gone).await;
    desk.put(
        "kept.pem",
        pki::pem::encode(pki::pem::CERTIFICATE, &kept.chain[0]).as_bytes(),
    );
    desk.put("crl.der", &after.der);
    let (converted, said) =
        desk.openssl(&["crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem"]);
    assert!(converted, "{said}");
    let (signed, said) =
        desk.openssl(&["crl", "-in", "crl.pem", "-noout", "-CAfile", "issuing.pem"]);
    assert!(signed && said.contains("verify OK"), "{said}");
    let time = domain::clock::Clock::now(&server.clock)
        .seconds()
        .to_string();
    let verify = |leaf: &str| {
        desk.openssl(&[
            "verify",
            "-x509_strict",
            "-crl_check",
            "-attime",
            &time,
            "-CAfile",
            "root.pem",
            "-untrusted",
            "issuing.pem",
            "-CRLfile",
            "crl.pem",
            leaf,
        ])
    };
    let (trusted, said) = verify("kept.pem");
    assert!(trusted, "{said}");
    let (trusted, said) = verify("leaf.pem");
    assert!(!trusted && said.contains("certificate revoked"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crl_is_made_anew_on_schedule_and_its_number_rises() {
    let server = TestServer::start().await;
    let mut last = fetch_crl(&server).await;
    for _ in 0..4 {
        // Half an hour more than the refresh of twelve hours.
        server.clock.advance(Duration::from_secs(12 * 3600 + 1800));
        let before = number(&last);
        server
            .run_jobs_until(async || {
                server.clock.advance(Duration::from_secs(2));
                number(&fetch_crl(&server).await) > before
            })
            .await;
        let fresh = fetch_crl(&server).await;
        assert!(number(&fresh) > before && fresh.this_update > last.this_update);
        assert!(fresh.next_update.unwrap() > last.next_update.unwrap());
        last = fresh;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_stays_until_one_crl_after_the_certificate_expired() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let gone = client.issue(&server, &["expires.example.org"]).await;
    revoke(&client, &gone).await;
    let (serial, end) = (gone.leaf().serial, gone.leaf().not_after);
    let is_listed = async |server: &TestServer| {
        let now = domain::clock::Clock::now(&server.clock);
        server
            .run_jobs_until(async || {
                server.clock.advance(Duration::from_secs(2));
                fetch_crl(server).await.this_update >= now.floor_to_second()
            })
            .await;
        lists(&fetch_crl(server).await, &serial)
    };
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(2));
            lists(&fetch_crl(&server).await, &serial)
        })
        .await;
    // RFC 5280 section 3.3: still there in a CRL made after the certificate's end.
    server.clock.set(end + Duration::from_secs(3600));
    assert!(is_listed(&server).await);
    server.clock.set(end + days(30));
    assert!(!is_listed(&server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crl_that_is_known_is_not_sent_again() {
    let server = TestServer::start().await;
    let url = format!("{}/pki/issuing/crl", server.url());
    let first = reqwest::get(&url).await.unwrap();
    let tag = first.headers()["etag"].clone();
    assert!(
        first.headers().contains_key("last-modified") && first.headers().contains_key("expires")
    );
    let http = reqwest::Client::new();
    let again = http
        .get(&url)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
    let other = http
        .get(&url)
        .header("if-none-match", "\"0\"")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_url_in_a_certificate_leads_to_what_it_names() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["urls.example.org"]).await;
    let desk = Desk::of(&server, &issued).await;
    for file in ["leaf.pem", "issuing.pem"] {
        let (_, text) = desk.openssl(&["x509", "-in", file, "-noout", "-text"]);
        let urls: Vec<&str> = text
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("URI:"))
            .collect();
        assert!(urls.len() >= 2, "{text}");
        let above = match file {
            "leaf.pem" => issuer_of(&issued),
            _ => {
                let pem = std::fs::read(desk.path("root.pem")).unwrap();
                let roots = pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap();
                Certificate::from_der(&roots[0]).unwrap()
            }
        };
        for url in urls {
            let answer = reqwest::get(url).await.unwrap();
            let (status, body) = (answer.status(), answer.bytes().await.unwrap());
            if url.ends_with("/crl") {
                assert!(
                    Crl::from_der(&body)
                        .unwrap()
                        .is_signed_with(&above.public_key),
                    "{url}"
                );
            } else if url.ends_with("/ca.der") {
                assert_eq!(body, above.der, "{url}");
            } else {
                // The responder takes POSTs; a GET without a request is no resource.
                assert!(
                    url.ends_with("/ocsp") && status.is_client_error(),
                    "{url} {status}"
                );
            }
        }
    }
    for path in [
        "/pki/nobody/crl",
        "/pki/nobody/ca.der",
        "/pki/nobody/ca.pem",
    ] {
        let answer = reqwest::get(format!("{}{path}", server.url()))
            .await
            .unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crls_that_are_asked_for_at_one_time_get_a_number_each() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let before = number(&fetch_crl(&server).await);
    let asked = (0..6).map(|_| api.post("/api/v1/issuers/issuing/crl", json!({})));
    for answer in futures::future::join_all(asked).await {
        assert!(answer.expect(200)["number"].as_u64().unwrap() > before);
    }
    let after = api.post("/api/v1/issuers/issuing/crl", json!({})).await;
    assert_eq!(after.expect(200)["number"], json!(before + 7));
}
