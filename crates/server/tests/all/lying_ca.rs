//! I14: a CA that answers wrongly, or not at all.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::{Chain, Origin};
use domain::enrollment::EnrollmentState;
use domain::issuer::SigningRequest;
use domain::role::Role;
use lifecycle::actor::Caller;
use pki::certificate::{BasicConstraints, CertificateContent, ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::GeneralName;
use testkit::ca::TestCa;
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

use crate::enroll::Api;
use crate::issuance_rules::{enrollments, finalize};

type Told = Arc<dyn Fn(&SigningRequest, Chain) -> Chain + Send + Sync>;

/// A CA that is not the one that was asked gives what was asked for, but for `change`, with its whole chain.
fn forged(change: fn(&mut CertificateContent)) -> Told {
    let forger = TestCa::new("Forger");
    Arc::new(move |request, _| {
        let mut content = request.content.clone();
        change(&mut content);
        Chain::new(vec![forger.certify(&content), forger.der().to_vec()])
    })
}

const TEN_YEARS: Duration = Duration::from_secs(3650 * 24 * 3600);

/// What is said of a lie, and the lie.
fn lies() -> Vec<(&'static str, Told)> {
    vec![
        (
            "without a certificate",
            Arc::new(|_, _| Chain::new(Vec::new())),
        ),
        (
            "no certificate",
            Arc::new(|_, _| Chain::new(vec![b"<html>".to_vec()])),
        ),
        (
            "another public key",
            forged(|content| {
                let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
                content.public_key = key.public_key().clone();
            }),
        ),
        (
            "names",
            forged(|content| {
                let extra = GeneralName::Dns("evil.example.org".to_owned());
                content.subject_alt_names.push(extra);
            }),
        ),
        (
            "CN=Somebody",
            forged(|content| content.subject = "CN=Somebody".parse().unwrap()),
        ),
        (
            "not valid now",
            forged(|content| {
                content.not_before = content.not_before - TEN_YEARS;
                content.not_after = content.not_after - TEN_YEARS;
            }),
        ),
        (
            "long before",
            forged(|content| content.not_before = content.not_before - TEN_YEARS),
        ),
        (
            "longer than",
            forged(|content| content.not_after = content.not_after + TEN_YEARS),
        ),
        (
            "CA certificate",
            forged(|content| content.basic_constraints = BasicConstraints::Ca { path_len: None }),
        ),
        (
            "keyCertSign",
            forged(|content| content.key_usage |= KeyUsage::KEY_CERT_SIGN),
        ),
        (
            "clientAuth",
            forged(|content| {
                content
                    .extended_key_usage
                    .push(ExtendedKeyUsage::ClientAuth)
            }),
        ),
        (
            "every purpose",
            forged(|content| content.extended_key_usage.clear()),
        ),
        ("none of the CA's certificates", forged(|_| {})),
        (
            "chain does not hold",
            Arc::new(|_, honest| {
                let leaf = honest.certificates()[0].clone();
                Chain::new(vec![leaf, TestCa::new("Forger").der().to_vec()])
            }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i14_a_lying_ca_is_not_believed_and_not_asked_again() {
    let double = IssuerDouble::remote();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    let certificates = async || {
        let all = server
            .lifecycle()
            .list_certificates(Default::default(), None, 100);
        all.await.unwrap().len()
    };
    let before = certificates().await;
    for (reason, lie) in lies() {
        let asked = double.times_asked();
        double.does(Behaviour::Lie(lie));
        let (url, answer) = finalize(&server, &client, "lie.example.org").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let order = client.settled(&url).await;
        assert_eq!(order["status"], "invalid", "{reason}: {order}");
        assert!(order.get("certificate").is_none());
        let newest = enrollments(&server).await.remove(0);
        match &newest.state {
            EnrollmentState::Failed { reason: found } => {
                assert!(found.contains(reason), "{found} does not say `{reason}`");
            }
            other => panic!("{reason}: {other:?}"),
        }
        for _ in 0..5 {
            server.clock.advance(Duration::from_secs(90));
            server.run_jobs().await;
        }
        assert_eq!(
            double.times_asked(),
            asked + 1,
            "{reason}: it was asked again"
        );
    }
    assert_eq!(certificates().await, before);
    double.does(Behaviour::Honest);
    client.issue(&server, &["truth.example.org"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i14_an_issuer_that_is_away_is_asked_with_growing_waits_until_it_is_back() {
    let double = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&double).await;
    let client = server.registered_client().await;
    double.does(Behaviour::Unavailable);
    let (url, answer) = finalize(&server, &client, "away.example.org").await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    assert!(answer.header("retry-after").is_some());
    for _ in 0..60 {
        server.clock.advance(Duration::from_secs(60));
        server.run_jobs().await;
    }
    let asked = double.times_asked();
    assert!((3..20).contains(&asked), "asked {asked} times in an hour");
    double.does(Behaviour::Honest);
    server
        .run_jobs_until(async || {
            server.clock.advance(Duration::from_secs(600));
            client.get(&url).await.json()["status"] == "valid"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_ca_signs_after_its_request_was_withdrawn_shows_up_in_the_inventory() {
    let double = IssuerDouble::remote();
    let server = TestServer::start_with_issuers(&double).await;
    let api = Api::of(&server, Role::Administrator).await;
    let client = server.registered_client().await;
    double.does(Behaviour::Hang);
    let (_, answer) = finalize(&server, &client, "late.example.org").await;
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text);
    let all = enrollments(&server).await;
    let asked = all.iter().find(|one| !one.state.is_final()).unwrap();
    let reason = "nobody needs it any more".to_owned();
    server
        .lifecycle()
        .cancel_enrollment(&asked.id, reason, &Caller::system())
        .await
        .unwrap();
    double.does(Behaviour::Honest);
    let list = "/api/v1/certificates?name=late.example.org";
    server
        .run_jobs_until(async || !api.get(list).await["items"].as_array().unwrap().is_empty())
        .await;
    let all = server
        .lifecycle()
        .list_certificates(Default::default(), None, 100);
    let all = all.await.unwrap();
    let found = all.iter().find(|one| one.names == ["late.example.org"]);
    let found = found.unwrap();
    assert_eq!(
        (found.origin, &found.enrollment_id),
        (Origin::Discovered, &None)
    );
    let told = api.get("/api/v1/audit?name=certificate.discovered").await;
    let told = &told["items"][0];
    assert_eq!(told["object"], found.id.as_str(), "{told}");
    assert_eq!(told["data"]["enrollment"], asked.id.as_str(), "{told}");
    let state = server.lifecycle().enrollment(&asked.id).await.unwrap();
    assert!(matches!(
        state.unwrap().state,
        EnrollmentState::Cancelled { .. }
    ));
}
