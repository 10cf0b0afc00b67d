//! Asking for certificates over REST: CSRs, keys made on the server, renewals, repeated requests.

use std::time::Duration;

use domain::role::Role;
use lifecycle::actor::Caller;
use pki::certificate::Certificate;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

/// A caller with a role.
pub struct Api {
    http: reqwest::Client,
    url: String,
    pub token: String,
}

/// An answer with what tests look at.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub octets: Vec<u8>,
    pub body: Value,
}

impl Api {
    pub async fn of(server: &TestServer, role: Role) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let caller = Caller::system();
        let lifecycle = server.lifecycle();
        let created = lifecycle.create_token("test".to_owned(), role, None, &caller);
        Self {
            http: reqwest::Client::new(),
            url: server.url(),
            token: created.await.unwrap().secret.expose().to_owned(),
        }
    }

    /// The same server, another caller.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            http: self.http.clone(),
            url: self.url.clone(),
            token: token.to_owned(),
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.named(method, path, body, None).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// With an `Idempotency-Key`.
    pub async fn named(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> Answer {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let octets = response.bytes().await.unwrap().to_vec();
        let body = serde_json::from_slice(&octets).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            octets,
            body,
        }
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub fn csr_for(key: &LocalKey, names: &[&str]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|name| GeneralName::Dns((*name).to_owned()))
        .collect();
    let der = csr::build(&DistinguishedName::empty(), &names, &[], key).unwrap();
    pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der)
}

fn leaf(body: &Value) -> Certificate {
    let pem = body["chain"].as_str().unwrap();
    let chain = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    assert!(chain.len() >= 2, "leaf and issuer");
    Certificate::from_der(&chain[0]).unwrap()
}

fn server_key(names: &[&str]) -> Value {
    let identifiers: Vec<_> = names
        .iter()
        .map(|name| json!({ "type": "dns", "value": name }))
        .collect();
    json!({ "profile": "default", "key": { "algorithm": "p-256" }, "identifiers": identifiers })
}

const ENROLLMENTS: &str = "/api/v1/enrollments";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csr_becomes_a_certificate_in_the_answer() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&key, &["a.example.org", "b.example.org"]);
    let request = json!({ "profile": "default", "csr": csr, "validity_seconds": 86_400 });
    let answer = api.post(ENROLLMENTS, request).await;
    let place = answer.header("location").to_owned();
    let body = answer.expect(201);
    let certificate = leaf(&body);
    assert_eq!(&certificate.public_key, key.public_key());
    assert_eq!(certificate.names.len(), 2);
    let life = certificate.not_after.since(certificate.not_before);
    assert_eq!(life, Duration::from_secs(86_400 - 1));
    let again = api.get(&place).await;
    assert_eq!(again["chain"], body["chain"]);
    let shown = api
        .get(body["links"]["certificate"].as_str().unwrap())
        .await;
    assert_eq!(shown["status"], "valid");
    assert_eq!(shown["renewal"]["due"], false);
    let der = api
        .call(
            Method::GET,
            &format!("{}?format=der", body["links"]["download"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(der.octets, certificate.der);
    let audit = api_events(&server, "enrollment.requested").await;
    assert_eq!(audit[0]["data"]["profile"], "default", "{audit}");
}

async fn api_events(server: &TestServer, name: &str) -> Value {
    let auditor = Api::of(server, Role::Auditor).await;
    let page = auditor.get(&format!("/api/v1/audit?name={name}")).await;
    page["items"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let request = json!({
        "profile": "short-lived",
        "key": { "algorithm": "p-256" },
        "identifiers": [{ "type": "dns", "value": "*.com" }],
    });
    api.post(ENROLLMENTS, request).await.expect(400);
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let request = json!({
        "profile": "default",
        "csr": csr_for(&key, &["a.example.org", "b.example.org"]),
        "identifiers": [{ "type": "dns", "value": "a.example.org" }],
        "validity_seconds": 10_u64 * 365 * 86_400,
    });
    let body = api.post(ENROLLMENTS, request).await.expect(422);
    assert_eq!(body["type"], "urn:certwright:problem:rejected");
    let rules: Vec<&str> = body["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| violation["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["csr.names", "validity.not-after"], "{body}");
    let noted = api_events(&server, "enrollment.rejected").await;
    assert_eq!(noted.as_array().unwrap().len(), 1, "{noted}");
    for (request, word) in [
        (json!({ "profile": "default" }), "csr"),
        (
            json!({ "profile": "none", "key": { "algorithm": "p-256" },
                "identifiers": [{ "type": "dns", "value": "a.example" }] }),
            "none",
        ),
        (json!({ "profile": "default", "csr": "MAA=" }), "CSR"),
        (json!({ "profile": "default", "cssr": "x" }), "cssr"),
    ] {
        let body = api.post(ENROLLMENTS, request).await.expect(400);
        assert!(body["detail"].as_str().unwrap().contains(word), "{body}");
    }
    // How many names there must be is the profile's to say.
    let nameless = json!({ "profile": "default", "key": { "algorithm": "p-256" } });
    let body = api.post(ENROLLMENTS, nameless).await.expect(422);
    assert_eq!(body["violations"][0]["rule"], "names.none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u04_a_key_made_on_the_server_is_fetched_once_by_who_asked() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let body = api
        .post(ENROLLMENTS, server_key(&["k.example.org"]))
        .await
        .expect(201);
    let path = body["links"]["key"].as_str().unwrap().to_owned();
    let stranger = Api::of(&server, Role::Administrator).await;
    let pkcs8 = json!({ "format": "pkcs8" });
    stranger.post(&path, pkcs8.clone()).await.expect(403);
    api.post(&path, json!({ "format": "pkcs12" }))
        .await
        .expect(400);
    let fetched = api.post(&path, pkcs8.clone()).await;
    assert_eq!(fetched.status, 200, "{}", fetched.body);
    assert_eq!(fetched.header("cache-control"), "no-store");
    let key = LocalKey::from_pem(&fetched.octets).unwrap();
    assert_eq!(key.public_key(), &leaf(&body).public_key);
    api.post(&path, pkcs8).await.expect(404);
    let own = format!("{ENROLLMENTS}/{}", body["id"].as_str().unwrap());
    assert_eq!(api.get(&own).await["links"]["key"], Value::Null);
    let noted = api_events(&server, "enrollment.key_fetched").await;
    assert_eq!(noted.as_array().unwrap().len(), 1, "{noted}");
    let everything = api_events(&server, "").await.to_string();
    assert!(!everything.contains("PRIVATE KEY"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_made_on_the_server_comes_in_a_pkcs12_file_under_a_password() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let body = api
        .post(ENROLLMENTS, server_key(&["p.example.org"]))
        .await
        .expect(201);
    let path = body["links"]["key"].as_str().unwrap();
    let wish = json!({ "format": "pkcs12", "password": "correct horse" });
    let fetched = api.post(path, wish).await;
    assert_eq!(fetched.header("content-type"), "application/x-pkcs12");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.p12");
    std::fs::write(&file, &fetched.octets).unwrap();
    let output = std::process::Command::new("openssl")
        .args(["pkcs12", "-nodes", "-passin", "pass:correct horse", "-in"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("BEGIN PRIVATE KEY"), "{output:?}");
    assert!(text.matches("BEGIN CERTIFICATE").count() >= 2, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u04_a_key_that_nobody_fetches_is_destroyed() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let body = api
        .post(ENROLLMENTS, server_key(&["late.example.org"]))
        .await
        .expect(201);
    let path = body["links"]["key"].as_str().unwrap();
    server.clock.advance(Duration::from_secs(25 * 60 * 60));
    api.post(path, json!({ "format": "pkcs8" }))
        .await
        .expect(404);
    let destroyed = async || {
        let noted = api_events(&server, "enrollment.key_destroyed").await;
        noted.as_array().unwrap().len() == 1
    };
    server.run_jobs_until(destroyed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_answered_with_when_to_ask_again_and_can_be_withdrawn() {
    let issuers = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&issuers).await;
    issuers.does(Behaviour::Unavailable);
    let api = Api::of(&server, Role::Requester).await;
    let answer = api.post(ENROLLMENTS, server_key(&["w.example.org"])).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty());
    let place = answer.header("location").to_owned();
    let path = format!("{place}/key");
    api.post(&path, json!({ "format": "pkcs8" }))
        .await
        .expect(409);
    let body = api
        .post(&format!("{place}/cancel"), json!({ "reason": "typo" }))
        .await
        .expect(200);
    assert_eq!(
        (&body["status"], &body["reason"]),
        (&json!("cancelled"), &json!("typo"))
    );
    api.post(&format!("{place}/cancel"), json!({}))
        .await
        .expect(409);
    api.post(&path, json!({ "format": "pkcs8" }))
        .await
        .expect(404);
    issuers.does(Behaviour::Honest);
    server.clock.advance(Duration::from_secs(3600));
    server.run_jobs().await;
    assert_eq!(api.get(&place).await["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_once_with_its_names_and_its_key() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&key, &["r.example.org"]);
    let request = json!({ "profile": "default", "csr": csr });
    let first = api.post(ENROLLMENTS, request).await.expect(201);
    let id = first["certificate"].as_str().unwrap();
    server.clock.advance(Duration::from_secs(61 * 24 * 60 * 60));
    let path = format!("/api/v1/certificates/{id}");
    assert_eq!(api.get(&path).await["renewal"]["due"], true);
    let second = api
        .post(&format!("{path}/renew"), json!({}))
        .await
        .expect(201);
    let (old, new) = (leaf(&first), leaf(&second));
    assert_eq!(old.public_key, new.public_key);
    assert_eq!(old.names, new.names);
    assert!(new.not_after > old.not_after);
    let shown = api.get(&path).await;
    assert_eq!(shown["replaced_by"], second["certificate"]);
    assert_eq!(shown["renewal"], Value::Null);
    let again = api
        .post(&format!("{path}/renew"), json!({}))
        .await
        .expect(409);
    let successor = second["certificate"].as_str().unwrap();
    assert!(again["detail"].as_str().unwrap().contains(successor));
    let path = format!("/api/v1/certificates/{successor}");
    let same = json!({ "csr": csr });
    api.post(&format!("{path}/rekey"), same).await.expect(400);
    let other = LocalKey::generate(KeyAlgorithm::EcP384).unwrap();
    let csr = csr_for(&other, &["r.example.org"]);
    let third = api
        .post(&format!("{path}/rekey"), json!({ "csr": csr }))
        .await
        .expect(201);
    assert_eq!(&leaf(&third).public_key, other.public_key());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_answered_again_and_done_once() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let create = async |name: &str, key: Option<&str>| {
        let body = json!({ "name": name, "role": "auditor" });
        api.named(Method::POST, "/api/v1/tokens", Some(body), key)
            .await
    };
    let before = api.get("/api/v1/tokens?limit=500").await;
    let first = create("ci", Some("8e03978e-40d5")).await;
    let second = create("ci", Some("8e03978e-40d5")).await;
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.expect(201), first.expect(201));
    create("other", Some("8e03978e-40d5")).await.expect(422);
    create("ci", Some("bad key")).await.expect(400);
    let other = Api::of(&server, Role::Administrator).await;
    let body = json!({ "name": "ci", "role": "auditor" });
    let foreign = other
        .named(
            Method::POST,
            "/api/v1/tokens",
            Some(body),
            Some("8e03978e-40d5"),
        )
        .await;
    assert_eq!(
        foreign.header("idempotency-replayed"),
        "",
        "keys are a caller's own"
    );
    let after = api.get("/api/v1/tokens?limit=500").await;
    let count = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!(
        count(&after),
        count(&before) + 3,
        "one each, and the other caller"
    );
    server.clock.advance(Duration::from_secs(25 * 60 * 60));
    let later = create("ci", Some("8e03978e-40d5")).await;
    assert_eq!(later.header("idempotency-replayed"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_may_be_sent_again_with_the_same_key() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let bad = json!({ "profile": "none", "csr": "MAA=" });
    for _ in 0..2 {
        let refused = api
            .named(Method::POST, ENROLLMENTS, Some(bad.clone()), Some("k1"))
            .await;
        assert_eq!(refused.status, 400);
    }
    let good = server_key(&["i.example.org"]);
    let one = api
        .named(Method::POST, ENROLLMENTS, Some(good.clone()), Some("k1"))
        .await
        .expect(201);
    let two = api
        .named(Method::POST, ENROLLMENTS, Some(good), Some("k1"))
        .await
        .expect(201);
    assert_eq!(one["id"], two["id"]);
}
