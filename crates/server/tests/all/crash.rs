//! S1, S4: a process that dies loses no certificate and makes none twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::enrollment::EnrollmentState;
use parking_lot::Mutex;
use pki::fingerprint::Fingerprint;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::acme::{Key, b64, csr_for};
use testkit::http01::TestWeb;
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, MockClock, ServerProcess, TestServer};

use crate::pki_frontend::{fetch_crl, lists, number, revoke};

/// Longer than a lease.
const A_WHILE: Duration = Duration::from_secs(120);

/// What clients hold in hand after the server died.
#[derive(Default)]
struct Seen {
    /// Orders that were acknowledged as valid, and all that were finalized.
    orders: Vec<String>,
    certificates: HashSet<Fingerprint>,
}

/// A client to which the server may die at any moment: every step is `None` from then on.
struct Driver {
    http: reqwest::Client,
    base: String,
    key: Key,
    kid: Option<String>,
}

impl Driver {
    async fn post(
        &self,
        url: &str,
        payload: Option<&Value>,
    ) -> Option<(reqwest::header::HeaderMap, String)> {
        let nonce = self
            .http
            .head(format!("{}/new-nonce", self.base))
            .send()
            .await
            .ok()?;
        let nonce = nonce
            .headers()
            .get("replay-nonce")?
            .to_str()
            .ok()?
            .to_owned();
        let mut header = json!({"alg": self.key.alg(), "nonce": nonce, "url": url});
        match &self.kid {
            Some(kid) => header["kid"] = json!(kid),
            None => header["jwk"] = self.key.jwk(),
        }
        let payload = payload.map_or_else(String::new, Value::to_string);
        let body = self.key.jws(&header, payload.as_bytes()).to_string();
        let request = self
            .http
            .post(url)
            .header("content-type", "application/jose+json")
            .body(body);
        let answer = request.send().await.ok()?;
        assert!(
            answer.status().is_success(),
            "{url}: {}",
            answer.text().await.unwrap_or_default()
        );
        let headers = answer.headers().clone();
        Some((headers, answer.text().await.ok()?))
    }

    async fn json(&self, url: &str, payload: Option<&Value>) -> Option<(Option<String>, Value)> {
        let (headers, text) = self.post(url, payload).await?;
        let location = headers
            .get("location")
            .and_then(|value| value.to_str().ok());
        Some((
            location.map(str::to_owned),
            serde_json::from_str(&text).ok()?,
        ))
    }

    /// One certificate from newOrder to download.
    async fn flow(&self, web: &TestWeb, name: &str, seen: &Mutex<Seen>) -> Option<()> {
        let wanted = json!({"identifiers": [{"type": "dns", "value": name}]});
        let (order_url, order) = self
            .json(&format!("{}/new-order", self.base), Some(&wanted))
            .await?;
        let order_url = order_url?;
        let authorization_url = order["authorizations"][0].as_str()?.to_owned();
        let (_, authorization) = self.json(&authorization_url, None).await?;
        let challenges = authorization["challenges"].as_array()?;
        let challenge = challenges
            .iter()
            .find(|challenge| challenge["type"] == "http-01")?;
        let token = challenge["token"].as_str()?;
        web.put(token, &format!("{token}.{}", self.key.thumbprint()));
        self.json(challenge["url"].as_str()?, Some(&json!({})))
            .await?;
        while self.json(&authorization_url, None).await?.1["status"] != "valid" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let csr = json!({ "csr": b64(csr_for(&[name], &key)) });
        seen.lock().orders.push(order_url.clone());
        self.json(order["finalize"].as_str()?, Some(&csr)).await?;
        loop {
            let (_, order) = self.json(&order_url, None).await?;
            if let Some(url) = order["certificate"].as_str() {
                let (_, pem) = self.post(url, None).await?;
                let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
                seen.lock().certificates.insert(Fingerprint::of(&chain[0]));
                return Some(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Works until the server dies.
async fn drive(base: String, web: TestWeb, worker: String, seen: Arc<Mutex<Seen>>) -> Option<()> {
    let mut driver = Driver {
        http: reqwest::Client::new(),
        base,
        key: Key::p256(),
        kid: None,
    };
    let agreed = json!({"termsOfServiceAgreed": true});
    let url = format!("{}/new-account", driver.base);
    driver.kid = driver.json(&url, Some(&agreed)).await?.0;
    for flow in 0.. {
        driver
            .flow(&web, &format!("f{flow}.{worker}.example.org"), &seen)
            .await?;
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_a_process_killed_at_any_moment_loses_no_certificate_and_makes_none_twice() {
    let mut server = ServerProcess::new(env!("CARGO_BIN_EXE_certwright"), "", "").await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    for round in 0..ROUNDS {
        server.start().await;
        let base = format!("{}/acme/default", server.url());
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let worker = format!("w{worker}.r{round}");
                tokio::spawn(drive(
                    base.clone(),
                    server.web.clone(),
                    worker,
                    Arc::clone(&seen),
                ))
            })
            .collect();
        let random: &dyn pki::random::Random = &pki::random::SystemRandom::new();
        let [certificates, moment]: [u8; 2] = random.octets();
        let enough = seen.lock().certificates.len() + 1 + usize::from(certificates % 8);
        while seen.lock().certificates.len() < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(moment / 4))).await;
        server.kill();
        for worker in workers {
            assert!(worker.await.unwrap().is_none());
        }
    }
    let seen = std::mem::take(&mut *seen.lock());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::rename(server.data(), &data).unwrap();
    check(folder, &data, &seen).await;
}

/// Every certificate is accounted for, and what was under way is finished when its lease ends.
async fn check(folder: tempfile::TempDir, data: &std::path::Path, seen: &Seen) {
    let clock = MockClock::at_present();
    clock.advance(A_WHILE);
    let moved = tempfile::TempDir::new_in(folder.path()).unwrap();
    for entry in std::fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), moved.path().join(entry.file_name())).unwrap();
    }
    let server = TestServer::take_over(moved, clock).await;
    let lifecycle = server.lifecycle();
    let open = async || {
        let all = lifecycle
            .list_enrollments(Default::default(), None, 100_000)
            .await
            .unwrap();
        all.into_iter()
            .filter(|enrollment| !enrollment.state.is_final())
            .count()
    };
    server.run_jobs_until(async || open().await == 0).await;

    let certificates = lifecycle
        .list_certificates(Default::default(), None, 100_000)
        .await
        .unwrap();
    let stored: HashSet<_> = certificates.iter().map(|entry| entry.fingerprint).collect();
    for fingerprint in &seen.certificates {
        assert!(
            stored.contains(fingerprint),
            "a client has a certificate that the store has not"
        );
    }
    let mut of_enrollment = HashMap::new();
    for entry in certificates
        .iter()
        .filter(|entry| entry.enrollment_id.is_some())
    {
        let earlier = of_enrollment.insert(entry.enrollment_id.clone().unwrap(), entry.id.clone());
        assert!(earlier.is_none(), "an enrollment has two certificates");
    }
    let enrollments = lifecycle
        .list_enrollments(Default::default(), None, 100_000)
        .await
        .unwrap();
    for enrollment in &enrollments {
        match &enrollment.state {
            EnrollmentState::Issued { certificate } => {
                assert_eq!(of_enrollment.get(&enrollment.id), Some(certificate));
            }
            other => panic!("{}: {other:?}", enrollment.id),
        }
    }
    let orders = lifecycle
        .list_orders(Default::default(), None, 100_000)
        .await
        .unwrap();
    let mut owners = HashSet::new();
    for view in &orders {
        if let Some(enrollment) = &view.order.enrollment_id {
            assert!(
                owners.insert(enrollment.clone()),
                "two orders share an enrollment"
            );
            assert!(of_enrollment.contains_key(enrollment));
        }
    }
    let known: HashSet<String> = orders
        .iter()
        .map(|view| view.order.id.to_string())
        .collect();
    for url in &seen.orders {
        let id = url.rsplit('/').next().unwrap();
        assert!(
            known.contains(id),
            "order {id} was acknowledged and is lost"
        );
    }
}

const ROUNDS: usize = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_what_died_between_signing_and_recording_is_finished_with_the_same_serial() {
    let double = IssuerDouble::default();
    let mut server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    let (url, order) = client.ready_order(&server, &["died.example.org"]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    double.does(Behaviour::Die);
    let answer = client
        .finalize(&order, &csr_for(&["died.example.org"], &key))
        .await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    server.crash_and_restart().await;
    double.does(Behaviour::Honest);
    // The lease of the one that died still holds: nobody else signs meanwhile.
    server.run_jobs().await;
    assert_eq!(client.get(&url).await.json()["status"], "processing");
    assert_eq!(double.times_asked(), 1);
    server.clock.advance(A_WHILE);
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(1));
            client.get(&url).await.json()["status"] == "valid"
        })
        .await;
    let asked = double.asked();
    assert_eq!(asked.len(), 2);
    let [first, second] = [&asked[0], &asked[1]].map(|asked| asked.as_ref().unwrap());
    assert_eq!(first, second, "the same serial in the same octets");
    let order = client.get(&url).await.json();
    let pem = client
        .get(order["certificate"].as_str().unwrap())
        .await
        .text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let leaf = pki::certificate::Certificate::from_der(&chain[0]).unwrap();
    assert_eq!(leaf.serial, first.serial);
    let lifecycle = server.lifecycle();
    let certificates = lifecycle
        .list_certificates(Default::default(), None, 100)
        .await
        .unwrap();
    let issued = certificates
        .iter()
        .filter(|entry| entry.enrollment_id.is_some());
    assert_eq!(issued.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_two_that_sign_the_same_enrollment_leave_one_certificate() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    let (url, order) = client.ready_order(&server, &["slow.example.org"]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&["slow.example.org"], &key);
    double.does(Behaviour::Hang);
    let slow = async {
        double.until_asked(1).await;
        // The first is so slow that its lease ends; the job is taken up by a second.
        while double.times_asked() < 2 {
            server.clock.advance(A_WHILE);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        double.does(Behaviour::Honest);
    };
    let (answer, ()) = tokio::join!(client.finalize(&order, &csr), slow);
    answer.assert_status(200);
    assert_eq!(client.settled(&url).await["status"], "valid");
    server.run_jobs().await;
    let lifecycle = server.lifecycle();
    let certificates = lifecycle
        .list_certificates(Default::default(), None, 100)
        .await
        .unwrap();
    let issued = certificates
        .iter()
        .filter(|entry| entry.enrollment_id.is_some());
    assert_eq!(issued.count(), 1);
    let events = lifecycle
        .list_events(Default::default(), None, 1000)
        .await
        .unwrap();
    let announced = events
        .iter()
        .filter(|event| event.name == "certificate.issued");
    assert_eq!(announced.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s04_an_acknowledged_revocation_is_in_the_next_crl_after_a_crash() {
    let mut server = TestServer::start().await;
    let client = server.registered_client().await;
    let mut last = number(&fetch_crl(&server).await);
    for round in 0..3 {
        let issued = client
            .issue(&server, &[&format!("r{round}.example.org")])
            .await;
        revoke(&client, &issued).await;
        server.crash_and_restart().await;
        server
            .run_jobs_until(async || {
                // The job may have died with its lease.
                server.clock.advance(Duration::from_secs(61));
                lists(&fetch_crl(&server).await, &issued.leaf().serial)
            })
            .await;
        let fresh = number(&fetch_crl(&server).await);
        assert!(fresh > last, "{fresh} after {last}");
        last = fresh;
    }
}
