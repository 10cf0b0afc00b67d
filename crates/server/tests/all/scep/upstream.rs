//! Another server's SCEP service as a CA behind this one.

use std::time::Duration;

use pki::fingerprint::Fingerprint;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Device, Scep};
use crate::est::support::{Answer, Est, Shows, csr};

/// A CA with a SCEP service that trusts a registration authority, and a server in front of it.
struct Chained {
    ca: Scep,
    front: Est,
}

impl Chained {
    async fn start(profile: &str, settings: Value) -> Self {
        let authority = Device::new();
        let pem = pki::pem::encode("CERTIFICATE", &authority.certificate.der);
        let ca = Est::start().await;
        ca.guarded_profile().await;
        let rules = json!({ "profile": profile, "authorities": [pem] });
        ca.operate(Method::PUT, "scep/services/phones", rules).await;
        let ca = Scep::of(ca).await;
        let front = Est::start().await;
        let mut all = json!({
            "url": format!("{}/scep/phones", ca.est.server.url()),
            "ca_fingerprint": Fingerprint::of(&ca.ca.der).to_string(),
            "client_certificate": pem,
        });
        for (member, value) in settings.as_object().unwrap() {
            all[member] = value.clone();
        }
        let key = authority.key.to_pem().unwrap().to_string();
        let issuer = json!({
            "name": "upstream", "kind": "scep", "settings": all, "secrets": { "client_key": key },
        });
        let made = front.operate(Method::POST, "issuers", issuer).await;
        assert!(!made.to_string().contains("PRIVATE KEY"), "{made}");
        let rules = json!(domain::profile::preset::tls_server("upstream"));
        front.operate(Method::PUT, "profiles/behind", rules).await;
        front.label("behind", json!({ "profile": "behind" })).await;
        Self { ca, front }
    }

    async fn check(&self) -> String {
        let path = "issuers/upstream/test";
        let found = self.front.operate(Method::POST, path, json!({})).await;
        found.to_string()
    }

    async fn enroll(&self, request: &[u8], secret: &str) -> Answer {
        let shows = Shows::Password("", secret);
        self.front.post("behind/simpleenroll", request, shows).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_elsewhere_signs_over_scep_for_a_key_that_is_not_ours() {
    for message in ["pkcs-req", "renewal-req"] {
        let chained = Chained::start("default", json!({ "message": message })).await;
        let found = chained.check().await;
        assert!(!found.contains("\"failed\""), "{found}");
        let (secret, _) = chained.front.password("behind", json!({})).await;
        let request = csr(&["host.example.org"]);
        let issued = chained.enroll(&request, &secret).await.certificate();
        // It is in both inventories, and the client's key, of another kind than SCEP knows, is in it.
        chained.ca.est.inventory(&issued).await;
        chained.front.inventory(&issued).await;
        assert!(issued.is_signed_by(&chained.ca.ca));
        let asked = pki::csr::Csr::from_der(&request).unwrap();
        assert_eq!(issued.public_key, asked.public_key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_elsewhere_where_people_decide_is_polled_over_scep() {
    let chained = Chained::start("guarded", json!({})).await;
    let (secret, _) = chained.front.password("behind", json!({})).await;
    let request = csr(&["host.example.org"]);
    chained
        .enroll(&request, &secret)
        .await
        .refused(202, "same request again");
    let decided = chained.ca.est.decide("approve", json!({})).await;
    assert_eq!(decided.as_u16(), 200);
    let is_there = async || {
        chained.ca.est.server.run_jobs().await;
        chained.front.server.clock.advance(Duration::from_secs(60));
        chained.enroll(&request, &secret).await.status.as_u16() == 200
    };
    chained.front.server.run_jobs_until(is_there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scep_ca_refuses_reaches_who_waits_in_words() {
    let chained = Chained::start("default", json!({})).await;
    let mut rules = json!(domain::profile::preset::tls_server("issuing"));
    rules["names"]["allow"] = json!([".intern.example.org"]);
    let ca = &chained.ca.est;
    ca.operate(Method::PUT, "profiles/default", rules).await;
    let (secret, _) = chained.front.password("behind", json!({})).await;
    let request = csr(&["host.example.org"]);
    let answer = chained.enroll(&request, &secret).await;
    assert!(answer.body.contains("badRequest"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scep_server_that_shows_another_ca_is_not_believed() {
    let settings = json!({ "ca_fingerprint": "00".repeat(32) });
    let chained = Chained::start("default", settings).await;
    let found = chained.check().await;
    assert!(found.contains("ca_fingerprint"), "{found}");
    let (secret, _) = chained.front.password("behind", json!({})).await;
    let request = csr(&["host.example.org"]);
    let answer = chained.enroll(&request, &secret).await;
    assert_ne!(answer.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_a_service_does_not_trust_asks_for_nobody_elses_key() {
    let chained = Chained::start("default", json!({})).await;
    let (stranger, other) = (Device::new(), Device::new());
    let request = other.csr(None, &["host.example.org"]);
    let kind = protocols::scep::MessageType::Enrollment;
    let answer = chained.ca.ask(kind, "T1", &request, &stranger).await;
    super::support::refused(&answer, "not signed with the key of its CSR");
    let rules = json!({ "authorities": ["no certificate"] });
    let ca = &chained.ca.est;
    let (status, told) = ca
        .try_operate(Method::PUT, "scep/services/phones", rules)
        .await;
    assert_eq!(status.as_u16(), 400, "{told}");
}
