//! What the pipeline signs, and what it does not: I4 to I7, I9, I13.

use domain::clock::Clock;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::profile::ProfileSpec;
use lifecycle::actor::Caller;
use lifecycle::operator::Expected;
use pki::certificate::{Certificate, KeyUsage};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::time::Timestamp;
use store::StoreError;
use testkit::acme::{Answer, Client, csr_for};
use testkit::clock::days;
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, MockClock, TestServer};

fn at(text: &str) -> MockClock {
    MockClock::at(text.parse::<Timestamp>().unwrap())
}

pub async fn enrollments(server: &TestServer) -> Vec<Enrollment> {
    let all = server
        .lifecycle()
        .list_enrollments(Default::default(), None, 1000);
    all.await.unwrap()
}

pub async fn finalize(server: &TestServer, client: &Client, name: &str) -> (String, Answer) {
    let (url, order) = client.ready_order(server, &[name]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    (url, client.finalize(&order, &csr_for(&[name], &key)).await)
}

/// Puts a profile in place past every check that would refuse it.
async fn force_profile(server: &TestServer, change: impl FnOnce(&mut ProfileSpec)) {
    let mut profile = (*server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap())
    .clone();
    change(&mut profile.spec);
    profile.version += 1;
    server
        .store()
        .write("test.profile", move |tx| {
            Box::pin(async move { tx.insert_profile(&profile).await })
        })
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    // Longer than any node remembers the one before.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i04_the_linter_stops_what_a_broken_profile_would_sign() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    force_profile(&server, |spec| spec.key_usage = KeyUsage::KEY_CERT_SIGN).await;
    let (url, answer) = finalize(&server, &client, "broken.example.org").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(double.times_asked(), 0, "nothing reached the key");
    assert!(enrollments(&server).await.is_empty());
    assert_eq!(client.get(&url).await.json()["status"], "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i05_a_serial_that_exists_is_refused_by_the_store() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    client.issue(&server, &["serial.example.org"]).await;
    let lifecycle = server.lifecycle();
    let mut all = lifecycle
        .list_certificates(Default::default(), None, 10)
        .await
        .unwrap();
    all.retain(|entry| entry.enrollment_id.is_some());
    let mut twin = all.remove(0);
    let other = pki::random::SystemRandom::new();
    twin.id = domain::id::CertificateId::mint(lifecycle.now(), &other);
    twin.fingerprint = pki::fingerprint::Fingerprint::of(b"another certificate");
    twin.enrollment_id = None;
    let serial = twin.serial.clone();
    let insert = server.store().write("test.twin", move |tx| {
        Box::pin(async move { tx.insert_certificate(&twin).await })
    });
    let error: StoreError = insert.await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { .. }), "{error}");

    // Before it is signed it is refused as well: two enrollments never hold one serial.
    let mut enrollment = enrollments(&server).await.remove(0);
    let issuer = lifecycle.issuer_by_name("issuing").await.unwrap().unwrap();
    for expected in [true, false] {
        enrollment.id = domain::id::EnrollmentId::mint(lifecycle.now(), &other);
        enrollment.state = EnrollmentState::Signing {
            issuer: issuer.issuer.id.clone(),
            prepared: Some(domain::issuer::Prepared {
                serial: match expected {
                    true => pki::serial::Serial::random(&other),
                    false => serial.clone(),
                },
                tbs: vec![0x30, 0],
            }),
            attempts: 0,
            last_error: None,
            retry_at: None,
            decided_at: None,
        };
        let row = enrollment.clone();
        let inserted = server
            .store()
            .write("test.enrollment", move |tx| {
                Box::pin(async move { tx.insert_enrollment(&row).await })
            })
            .await
            .map_err(|error: StoreError| error.to_string());
        assert_eq!(inserted.is_ok(), expected, "{inserted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i06_nothing_outlives_its_issuer_or_its_profile() {
    let clock = MockClock::at_present();
    let config = "[ca]\nissuer_validity_days = 30\n";
    let server = TestServer::start_at(clock.clone(), config).await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["short.example.org"]).await;
    let issuer = Certificate::from_der(&issued.chain[1]).unwrap();
    // The profile alone would say 90 days.
    assert!(issued.leaf().not_after <= issuer.not_after);
    clock.advance(days(28));
    let late = client.issue(&server, &["late.example.org"]).await;
    assert!(late.leaf().not_after <= issuer.not_after);
    clock.set(issuer.not_after + std::time::Duration::from_secs(1));
    let client = server.registered_client().await;
    let (_, answer) = finalize(&server, &client, "after.example.org").await;
    assert_eq!(answer.status, 503, "{}", answer.text);

    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let leaf = client.issue(&server, &["profile.example.org"]).await.leaf();
    let spec = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap()
        .spec
        .clone();
    // Both ends are part of the validity (RFC 5280 section 4.1.2.5).
    assert!(
        leaf.not_after.since(leaf.not_before) < spec.validity() + std::time::Duration::from_secs(1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_dates_are_right_on_every_day_of_the_calendar() {
    let cases = [
        ("2028-02-29T12:00:00Z", false),
        ("2028-02-28T23:59:59Z", false),
        ("2027-12-31T23:59:59Z", false),
        // RFC 5280 section 4.1.2.5: two digits of the year end with 2049.
        ("2049-12-31T23:59:59Z", true),
        ("2050-01-01T00:00:00Z", true),
        ("2050-06-30T00:00:00Z", true),
    ];
    for (now, is_generalized) in cases {
        let clock = at(now);
        let server = TestServer::start_at(clock.clone(), "").await;
        let client = server.registered_client().await;
        let issued = client.issue(&server, &["date.example.org"]).await;
        let leaf = issued.leaf();
        let now = clock.now();
        assert!(leaf.not_before <= now && now < leaf.not_after, "{now}");
        assert!(now.since(leaf.not_before) <= days(1), "{now}");
        let (_, parsed) = x509_parser::parse_x509_certificate(&issued.chain[0]).unwrap();
        let validity = &parsed.validity;
        assert_eq!(validity.not_before.timestamp(), leaf.not_before.seconds());
        assert_eq!(validity.not_after.timestamp(), leaf.not_after.seconds());
        assert_eq!(
            validity.not_after.is_generalizedtime(),
            is_generalized,
            "{now}"
        );
        let issuer = Certificate::from_der(&issued.chain[1]).unwrap();
        assert!(issuer.not_before <= leaf.not_before && leaf.not_after <= issuer.not_after);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_a_clock_that_is_an_hour_back_still_gives_ordered_dates() {
    let config = "[ca]\nmax_clock_jump_seconds = 0\n";
    let server = TestServer::start_with(config).await;
    let client = server.registered_client().await;
    let before = client.issue(&server, &["before.example.org"]).await;
    server.clock.jump(-3600);
    let after = client.issue(&server, &["back.example.org"]).await.leaf();
    assert!(after.not_before < after.not_after);
    assert!(after.not_after < before.leaf().not_after);
    let issuer = Certificate::from_der(&before.chain[1]).unwrap();
    assert!(issuer.not_before <= after.not_before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i07_issuance_stops_when_the_clock_jumps_and_goes_on_when_it_is_right() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for jump in [301, -301, 3600 * 24 * 365] {
        client.issue(&server, &["steady.example.org"]).await;
        let (url, order) = client.ready_order(&server, &["jump.example.org"]).await;
        server.clock.jump(jump);
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let csr = csr_for(&["jump.example.org"], &key);
        // In a year the order has expired: that it is not ready is as good a refusal.
        let answer = client.finalize(&order, &csr).await;
        assert!(
            answer.status == 503 || answer.status == 403,
            "{jump}: {}",
            answer.text
        );
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some());
        }
        let page = server.metrics().await;
        assert!(page.contains("certwright_clock_jump_seconds"));
        server.clock.jump(-jump);
        assert_eq!(client.get(&url).await.json()["status"], "ready");
        client.finalize(&order, &csr).await.assert_status(200);
    }
    // What NTP corrects is no jump.
    server.clock.jump(20);
    client.issue(&server, &["slewed.example.org"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i13_what_is_issued_is_what_was_linted_and_stored() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    double.does(Behaviour::Hang);
    let (url, order) = client.ready_order(&server, &["tbs.example.org"]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&["tbs.example.org"], &key);
    let stored = async {
        double.until_asked(1).await;
        let rows = enrollments(&server).await;
        double.does(Behaviour::Honest);
        match &rows[0].state {
            EnrollmentState::Signing { prepared, .. } => prepared.clone().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let (answer, stored) = tokio::join!(client.finalize(&order, &csr), stored);
    answer.assert_status(200);
    let order = client.settled(&url).await;
    let pem = client
        .get(order["certificate"].as_str().unwrap())
        .await
        .text;
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    assert_eq!(parsed.tbs_certificate.as_ref(), stored.tbs);
    assert_eq!(
        Certificate::from_der(&chain[0]).unwrap().serial,
        stored.serial
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i09_a_profile_that_changed_is_not_issued_under_by_orders_made_before() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let (_, order) = client.ready_order(&server, &["policy.example.org"]).await;
    let lifecycle = server.lifecycle();
    let mut spec = lifecycle
        .profile("default")
        .await
        .unwrap()
        .unwrap()
        .spec
        .clone();
    spec.validity_seconds /= 2;
    let caller = Caller::system();
    lifecycle
        .replace_profile(
            "default".to_owned(),
            spec,
            None,
            Expected::Anything,
            &caller,
        )
        .await
        .unwrap();
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let answer = client
        .finalize(&order, &csr_for(&["policy.example.org"], &key))
        .await;
    answer.assert_problem(400, "invalidProfile");
}
