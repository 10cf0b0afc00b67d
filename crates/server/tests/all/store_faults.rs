//! S2, S5: a disk or a signer that is gone stops what needs it, tells so, and nothing else.

use std::process::Command;
use std::time::Duration;

use domain::clock::Clock;
use pki::crl::Crl;
use pki::fingerprint::Fingerprint;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::ocsp::{OcspDigest, OcspIssuer, OcspRequest};
use testkit::acme::{Answer, Client, csr_for};
use testkit::{IssuerDouble, MockClock, ServerProcess, TestServer};

use crate::pki_frontend::{fetch_crl, number};

/// Refused because of the disk: an error that says when to come back.
#[track_caller]
fn assert_refused(answer: &Answer) {
    assert!(answer.status >= 500, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
}

/// A flow until it is done or the disk is full; gives what was acknowledged.
async fn flow(client: &Client, server: &ServerProcess, name: &str) -> Result<Fingerprint, Answer> {
    let answer = client.new_order(&[name]).await;
    if answer.status != 201 {
        return Err(answer);
    }
    let (url, order) = (answer.location(), answer.json());
    let authorization = order["authorizations"][0].as_str().unwrap();
    let challenge = client.challenge(authorization, "http-01").await;
    let token = challenge["token"].as_str().unwrap();
    server.web.put(token, &client.key_authorization(token));
    let answer = client
        .post(challenge["url"].as_str().unwrap(), &serde_json::json!({}))
        .await;
    if answer.status != 200 {
        return Err(answer);
    }
    for _ in 0..100 {
        if client.get(authorization).await.json()["status"] != "pending" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client.finalize(&order, &csr_for(&[name], &key)).await;
    if answer.status != 200 || answer.json()["status"] != "valid" {
        return Err(answer);
    }
    let order = client.get(&url).await.json();
    let pem = client
        .get(order["certificate"].as_str().unwrap())
        .await
        .text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    Ok(Fingerprint::of(&chain[0]))
}

/// A soft limit on the size of files, which is a full disk to the process, and can be raised.
fn limit_files(server: &ServerProcess, limit: &str) {
    let status = Command::new("prlimit")
        .args([
            "--pid",
            &server.pid().to_string(),
            &format!("--fsize={limit}:unlimited"),
        ])
        .status()
        .expect("prlimit of util-linux is installed");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s02_a_full_disk_is_5xx_with_retry_after_and_nothing_unstored_is_acknowledged() {
    let mut server = ServerProcess::new(env!("CARGO_BIN_EXE_certwright"), "", "").await;
    // Without this the signal that comes with the refusal would end the process.
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_certwright")]);
    server.start_by(command).await;
    let client = server.registered_client().await;
    let mut acknowledged = vec![flow(&client, &server, "first.example.org").await.unwrap()];
    let size =
        |name: &str| std::fs::metadata(server.data().join(name)).map_or(0, |file| file.len());
    let full = size("certwright.db-wal").max(size("certwright.db")) + 100_000;
    limit_files(&server, &full.to_string());
    let mut refused = None;
    for number in 0..200 {
        match flow(&client, &server, &format!("f{number}.example.org")).await {
            Ok(fingerprint) => acknowledged.push(fingerprint),
            Err(answer) => {
                refused = Some(answer);
                break;
            }
        }
    }
    let refused = refused.expect("the disk was full");
    // A finalize whose certificate could not be stored is answered as still processing.
    let is_waiting = refused.status == 200 && refused.json()["status"] == "processing";
    assert!(is_waiting || refused.status >= 500, "{refused:?}");
    for _ in 0..3 {
        assert_refused(&client.new_order(&["full.example.org"]).await);
    }
    let mut newcomer = Client::new(&format!("{}/acme/default/directory", server.url())).await;
    assert_refused(&newcomer.register().await);
    // What needs no disk goes on.
    let crl = reqwest::get(format!("{}/pki/issuing/crl", server.url()))
        .await
        .unwrap();
    assert_eq!(crl.status(), 200);

    limit_files(&server, "unlimited");
    acknowledged.push(flow(&client, &server, "room.example.org").await.unwrap());
    newcomer.register().await.assert_status(201);
    server.kill();
    let data = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(server.data()).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::rename(entry.path(), data.path().join(entry.file_name())).unwrap();
        }
    }
    let after = TestServer::take_over(data, MockClock::at_present()).await;
    let stored = after
        .lifecycle()
        .list_certificates(Default::default(), None, 10_000)
        .await
        .unwrap();
    for fingerprint in acknowledged {
        assert!(stored.iter().any(|entry| entry.fingerprint == fingerprint));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s05_crl_and_ocsp_stay_within_next_update_while_the_signer_is_down() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["down.example.org"]).await;
    let issuer = pki::certificate::Certificate::from_der(&issued.chain[1]).unwrap();
    let cert_id =
        OcspIssuer::from_certificate(&issuer).cert_id(OcspDigest::Sha256, &issued.leaf().serial);
    let question = OcspRequest {
        cert_ids: vec![cert_id],
        nonce: None,
    }
    .to_der();
    let connected = server
        .lifecycle()
        .issuer_by_name("issuing")
        .await
        .unwrap()
        .unwrap();
    let last = fetch_crl(&server).await;
    double.signer_is_down(true);
    // 96 hours of validity, renewed every twelve: 83 hours are bridged.
    for hour in 1..=83 {
        server.clock.advance(Duration::from_secs(3600));
        if hour % 12 == 1 {
            server.run_jobs().await;
        }
        let crl = fetch_crl(&server).await;
        assert_eq!(number(&crl), number(&last), "the last whole CRL stays");
        assert!(crl.is_signed_with(&issuer.public_key));
        assert!(
            crl.next_update.unwrap() > server.clock.now(),
            "after {hour} hours"
        );
        let answer = server.lifecycle().answer_ocsp(&connected, &question).await;
        assert!(
            answer.next_update.unwrap() > server.clock.now(),
            "after {hour} hours"
        );
    }
    let page = server.metrics().await;
    assert!(page.contains("certwright_crl_next_update_seconds"));
    assert!(
        page.lines()
            .any(|line| line.contains("refresh-crl") && line.contains("failed")),
        "{page}"
    );
    double.signer_is_down(false);
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(60));
            number(&fetch_crl(&server).await) > number(&last)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s05_a_crl_is_served_whole_while_new_ones_are_made() {
    let server = TestServer::start().await;
    let url = format!("{}/pki/issuing/crl", server.url());
    let reader = tokio::spawn(async move {
        let (http, mut numbers) = (reqwest::Client::new(), Vec::new());
        for _ in 0..300 {
            let answer = http.get(&url).send().await.unwrap();
            let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
            let crl = Crl::from_der(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(tag, format!("\"{}\"", number(&crl)));
            numbers.push(number(&crl));
        }
        numbers
    });
    for _ in 0..20 {
        server.clock.advance(Duration::from_secs(13 * 3600));
        server.run_jobs().await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let numbers = reader.await.unwrap();
    assert!(numbers.is_sorted(), "a CRL number never falls: {numbers:?}");
}
