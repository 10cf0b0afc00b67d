//! I14: a CA that answers wrongly, or not at all.

use std::sync::Arc;

use domain::certificate::Chain;
use domain::enrollment::EnrollmentState;
use domain::issuer::SigningRequest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

use crate::issuance_rules::{enrollments, finalize};

/// A CA that is not the one that was asked, with the issuer's own name.
struct Forger(CertifiedIssuer<'static, KeyPair>);

impl Forger {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Forger");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for the key of the request, but for `change`.
    fn sign(
        &self,
        request: &SigningRequest,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = CertificateParams::new(["lie.example.org".to_owned()]).unwrap();
        change(&mut params);
        let key = RequestedKey(request.content.public_key.key_octets().to_vec());
        params.signed_by(&key, &self.0).unwrap().der().to_vec()
    }

    fn chain(&self, leaf: Vec<u8>) -> Chain {
        Chain::new(vec![leaf, self.0.der().to_vec()])
    }
}

/// The key of a request, which is P-256 in these tests.
struct RequestedKey(Vec<u8>);

impl rcgen::PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

type Told = Arc<dyn Fn(&SigningRequest, Chain) -> Chain + Send + Sync>;

fn lies() -> Vec<(&'static str, Told)> {
    let forger = Arc::new(Forger::new());
    let told = |make: fn(&Forger, &SigningRequest, Chain) -> Chain| -> Told {
        let forger = Arc::clone(&forger);
        Arc::new(move |request, chain| make(&forger, request, chain))
    };
    vec![
        (
            "without a certificate",
            told(|_, _, _| Chain::new(Vec::new())),
        ),
        (
            "no certificate",
            told(|_, _, _| Chain::new(vec![b"<html>".to_vec()])),
        ),
        (
            "another public key",
            told(|forger, _, _| {
                let key = KeyPair::generate().unwrap();
                let params = CertificateParams::new(["lie.example.org".to_owned()]).unwrap();
                forger.chain(params.signed_by(&key, &forger.0).unwrap().der().to_vec())
            }),
        ),
        (
            "names",
            told(|forger, request, _| {
                forger.chain(forger.sign(request, |params| {
                    let extra = rcgen::SanType::DnsName("evil.example.org".try_into().unwrap());
                    params.subject_alt_names.push(extra);
                }))
            }),
        ),
        (
            "not valid now",
            told(|forger, request, _| {
                forger.chain(forger.sign(request, |params| {
                    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                    params.not_after = rcgen::date_time_ymd(2020, 2, 1);
                }))
            }),
        ),
        (
            "CA certificate",
            told(|forger, request, _| {
                forger.chain(forger.sign(request, |params| {
                    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                }))
            }),
        ),
        (
            "chain",
            told(|_, _, honest| {
                let leaf = honest.certificates()[0].clone();
                Chain::new(vec![leaf, Forger::new().0.der().to_vec()])
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
            server.clock.advance(std::time::Duration::from_secs(90));
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
        server.clock.advance(std::time::Duration::from_secs(60));
        server.run_jobs().await;
    }
    let asked = double.times_asked();
    assert!((3..20).contains(&asked), "asked {asked} times in an hour");
    double.does(Behaviour::Honest);
    server
        .run_jobs_until(async || {
            server.clock.advance(std::time::Duration::from_secs(600));
            client.get(&url).await.json()["status"] == "valid"
        })
        .await;
}
