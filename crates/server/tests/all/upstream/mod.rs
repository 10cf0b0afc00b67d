//! CAs elsewhere behind our profiles: real ones as processes, and stand-ins made from documentation.

mod acme;
mod adcs;
mod advice;
mod aws;
mod bind;
mod contract;
mod ejbca;
mod kdc;
mod kerberos;
mod limits;
mod moto;
pub(crate) mod pebble;
mod solvers;
mod waiting;

use std::time::{Duration, Instant};

use domain::role::Role;
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, LocalKey};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::acme::Client;
use testkit::{MockClock, TestServer};

use crate::enroll::{Api, csr_for};

/// A server and somebody who may do everything.
struct Desk {
    server: TestServer,
    api: Api,
}

impl Desk {
    async fn start() -> Self {
        Self::start_at(MockClock::at_present()).await
    }

    async fn start_at(clock: MockClock) -> Self {
        Self::over(TestServer::start_at(clock, "").await).await
    }

    /// With these tables in the configuration.
    async fn with(tables: &str) -> Self {
        Self::over(TestServer::start_with(tables).await).await
    }

    async fn over(server: TestServer) -> Self {
        let api = Api::of(&server, Role::Administrator).await;
        Self { server, api }
    }

    /// Configures a CA elsewhere, under the name of its kind.
    async fn configure(&self, kind: &str, settings: Value, secrets: Value) {
        let body = json!({"name": kind, "kind": kind, "settings": settings, "secrets": secrets});
        self.api.post("/api/v1/issuers", body).await.expect(201);
    }

    /// Has the default profile signed by an issuer alone.
    async fn route_to(&self, issuer: &str) {
        self.route(json!([{"issuer": issuer, "weight": 1}])).await;
    }

    /// Has the default profile signed by these.
    async fn route(&self, issuers: Value) {
        self.rule(|rules| rules["issuers"] = issuers).await;
    }

    /// Has the default profile signed by a CA whose certificates are good for clients, too.
    async fn route_widely_to(&self, issuer: &str) {
        self.rule(|rules| {
            rules["issuers"] = json!([{"issuer": issuer, "weight": 1}]);
            rules["extended_key_usage"] = json!(["serverAuth", "clientAuth"]);
        })
        .await;
    }

    /// Changes the rules of the default profile.
    async fn rule(&self, change: impl FnOnce(&mut Value)) {
        let path = "/api/v1/profiles/default";
        let mut rules = self.api.get(path).await["rules"].clone();
        change(&mut rules);
        let put = self.api.call(Method::PUT, path, Some(rules)).await;
        put.expect(200);
    }

    /// Has a CA's list looked through until it shows something that nobody here has.
    async fn discover(&self, issuer: &str) {
        let path = format!("/api/v1/issuers/{issuer}/sync");
        self.api.post(&path, json!({})).await.expect(202);
        let discovered = async || self.has_event("certificate.discovered").await;
        self.server.run_jobs_until(discovered).await;
    }

    /// The only entry of the inventory under a name.
    async fn only_entry(&self, name: &str) -> Value {
        let list = format!("/api/v1/certificates?name={name}");
        let found = self.api.get(&list).await["items"].clone();
        assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
        found[0].clone()
    }

    /// What a look through the CA's list had found is the request's own from then on.
    async fn is_adopted(&self, found: &Value, place: &str) {
        let (state, name) = (self.settle(place, 5).await, found["names"][0].as_str());
        assert_eq!(state["status"], "issued", "{state}");
        let entry = self.only_entry(name.unwrap()).await;
        assert_eq!(
            (&entry["id"], &state["certificate"]),
            (&found["id"], &found["id"])
        );
        assert_eq!(
            (&entry["origin"], &entry["profile"]),
            (&json!("issued"), &json!("default")),
            "{entry}"
        );
        let told = self.api.get("/api/v1/audit?name=certificate.issued").await;
        let told = told["items"].as_array().unwrap().iter();
        let told: Vec<&Value> = told.filter(|one| one["object"] == found["id"]).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let before = &told[0]["data"]["found_before"];
        assert_eq!(before["origin"], "discovered", "{told:?}");
    }

    /// What `issuer test` finds, as `aspect outcome` each.
    async fn test(&self, issuer: &str) -> (bool, Vec<String>) {
        let path = format!("/api/v1/issuers/{issuer}/test");
        let report = self.api.post(&path, json!({})).await.expect(200);
        let findings = report["findings"].as_array().unwrap().iter();
        let lines = findings.map(|finding| {
            let word = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!(
                "{} {}: {}",
                word("aspect"),
                word("outcome"),
                word("message")
            )
        });
        (report["passed"] == true, lines.collect())
    }

    /// Asks for a certificate over REST.
    async fn ask(&self, names: &[&str]) -> String {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let request = json!({"profile": "default", "csr": csr_for(&key, names)});
        let answer = self.api.post("/api/v1/enrollments", request).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        answer.header("location").to_owned()
    }

    /// How an enrollment stands.
    async fn state(&self, place: &str) -> Value {
        self.api.get(place).await
    }

    /// Lets a second go by, and does what is due.
    async fn tick(&self, seconds: u64) {
        self.server.clock.advance(Duration::from_secs(seconds));
        self.server.run_jobs().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// Lets time go by until an enrollment has come to its end.
    async fn settle(&self, place: &str, seconds: u64) -> Value {
        let mut state = Value::Null;
        let ended = async || {
            state = self.state(place).await;
            matches!(
                state["status"].as_str(),
                Some("issued" | "failed" | "rejected")
            )
        };
        let has_ended = self.tick_until(seconds, ended).await;
        assert!(has_ended, "it comes to no end: {state}");
        state
    }

    /// Lets time go by, so many seconds at once, until `done`, or else says that it did not come to that.
    ///
    /// Time goes the slower the longer it takes: on a busy machine no work would otherwise be over before
    /// its lease is, and be begun anew for ever.
    async fn tick_until(&self, seconds: u64, mut done: impl AsyncFnMut() -> bool) -> bool {
        let begun = Instant::now();
        // A CA may leave a request without an answer until it is given up.
        while begun.elapsed() < Duration::from_secs(150) {
            if done().await {
                return true;
            }
            self.tick(seconds).await;
            tokio::time::sleep((begun.elapsed() / 8).min(Duration::from_secs(3))).await;
        }
        false
    }

    /// Lets time go by until an enrollment stands so.
    async fn reaches(&self, place: &str, status: &str) {
        let stands = async || self.state(place).await["status"] == status;
        let reached = self.tick_until(1, stands).await;
        assert!(reached, "not {status}: {}", self.state(place).await);
    }

    /// Lets time go by until an order of ACME is decided.
    async fn decided(&self, client: &Client, url: &str) -> Value {
        let mut order = Value::Null;
        let decided = async || {
            order = client.get(url).await.json();
            order["status"] != "processing"
        };
        self.tick_until(2, decided).await;
        order
    }

    /// A certificate for names, over REST; the leaf and what stands above it.
    async fn issue(&self, names: &[&str]) -> Vec<Certificate> {
        let place = self.ask(names).await;
        let state = self.settle(&place, 2).await;
        assert_eq!(state["status"], "issued", "{state}");
        chain(&state)
    }

    /// Revokes a certificate, and waits until its CA was told.
    async fn revoke(&self, place: &str) {
        let state = self.state(place).await;
        let id = state["certificate"].as_str().unwrap();
        let path = format!("/api/v1/certificates/{id}/revoke");
        let answer = self
            .api
            .post(&path, json!({"reason": "keyCompromise"}))
            .await;
        assert!(answer.status.is_success(), "{}", answer.body);
        let told = async || self.has_event("certificate.revocation_told").await;
        self.server.run_jobs_until(told).await;
    }

    /// Whether there is an event of that name.
    async fn has_event(&self, name: &str) -> bool {
        let found = self.api.get(&format!("/api/v1/audit?name={name}")).await;
        !found["items"].as_array().unwrap().is_empty()
    }
}

fn chain(state: &Value) -> Vec<Certificate> {
    let pem = state["chain"].as_str().unwrap();
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()).unwrap();
    let parsed = found.iter().map(|der| Certificate::from_der(der).unwrap());
    parsed.collect()
}

/// Whether one of the lines of `issuer test` begins so and goes on with these words.
fn says(lines: &[String], begin: &str, words: &str) -> bool {
    let mut lines = lines.iter();
    lines.any(|line| line.starts_with(begin) && line.contains(words))
}
