//! What every kind of issuer has to hold to, whatever is behind it. A new kind adds a test of three lines.

use reqwest::Method;
use serde_json::json;
use testkit::TestServer;
use testkit::vault::{TOKEN, TestVault};

use super::command::OurCa;
use super::{administrator, create, events, finding, route_to};
use crate::enroll::Api;

/// An issuer that is configured and works.
struct Case<'a> {
    server: &'a TestServer,
    api: &'a Api,
    issuer: &'a str,
    /// What may be seen nowhere.
    secret: Option<&'a str>,
}

impl Case<'_> {
    async fn holds(&self) {
        route_to(self.api, json!([{ "issuer": self.issuer, "weight": 1 }])).await;
        self.says_how_it_is().await;
        let der = self.signs_what_was_asked_for().await;
        self.revokes(&der).await;
        self.keeps_its_secret().await;
        self.changes_only_for_whoever_read_it().await;
    }

    async fn says_how_it_is(&self) {
        let path = format!("/api/v1/issuers/{}/test", self.issuer);
        let check = self.api.post(&path, json!({})).await.expect(200);
        assert_eq!(check["passed"], true, "{check}");
        assert_eq!(finding(&check, "reach").0, "passed", "{check}");
        assert_eq!(finding(&check, "chain").0, "passed", "{check}");
        let shown = self
            .api
            .get(&format!("/api/v1/issuers/{}", self.issuer))
            .await;
        assert!(shown["certificate"]["chain"].is_string(), "{shown}");
    }

    async fn signs_what_was_asked_for(&self) -> Vec<u8> {
        let client = self.server.registered_client().await;
        let names = ["one.example.org", "two.example.org"];
        let issued = client.issue(self.server, &names).await;
        let leaf = issued.leaf();
        let mut found: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
        found.sort();
        for (found, name) in found.iter().zip(names) {
            assert!(found.contains(name), "{found}");
        }
        assert!(issued.chain.len() >= 2, "those above it come with it");
        let body = self
            .api
            .get("/api/v1/certificates?name=one.example.org")
            .await;
        assert_eq!(body["items"][0]["issuer"], self.issuer);
        issued.chain[0].clone()
    }

    async fn revokes(&self, der: &[u8]) {
        let fingerprint = pki::fingerprint::Fingerprint::of(der);
        let list = format!("/api/v1/certificates?fingerprint={fingerprint}");
        let id = self.api.get(&list).await["items"][0]["id"].clone();
        let path = format!("/api/v1/certificates/{}/revoke", id.as_str().unwrap());
        self.api
            .post(&path, json!({ "reason": "superseded" }))
            .await
            .expect(200);
        assert_eq!(self.api.get(&list).await["items"][0]["status"], "revoked");
        let kind = self
            .api
            .get(&format!("/api/v1/issuers/{}", self.issuer))
            .await["kind"]
            .clone();
        if kind == "embedded" {
            // Its CRL is ours to make.
            return;
        }
        self.server
            .run_jobs_until(async || {
                let told = events(self.api, "certificate.revocation_told").await;
                let not_told = events(self.api, "certificate.revocation_not_told").await;
                !(told.is_empty() && not_told.is_empty())
            })
            .await;
    }

    async fn keeps_its_secret(&self) {
        let Some(secret) = self.secret else { return };
        let one = format!("/api/v1/issuers/{}", self.issuer);
        for path in [one.as_str(), "/api/v1/issuers", "/api/v1/audit?limit=500"] {
            let text = self.api.get(path).await.to_string();
            assert!(!text.contains(secret), "{path}");
        }
    }

    async fn changes_only_for_whoever_read_it(&self) {
        if self.secret.is_none() {
            return;
        }
        let path = format!("/api/v1/issuers/{}", self.issuer);
        let wrong = self
            .api
            .call(
                Method::PUT,
                &path,
                Some(json!({ "settings": { "nonsense": 1 } })),
            )
            .await;
        wrong.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_ca_keeps_the_contract() {
    let server = TestServer::start().await;
    let api = administrator(&server).await;
    let case = Case {
        server: &server,
        api: &api,
        issuer: "issuing",
        secret: None,
    };
    case.holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vault_keeps_the_contract() {
    let (server, vault) = (TestServer::start().await, TestVault::start().await);
    let api = administrator(&server).await;
    let settings = json!({ "url": vault.url(), "role": "web" });
    create(&api, "vault", "vault", settings, json!({ "token": TOKEN }))
        .await
        .expect(201);
    let case = Case {
        server: &server,
        api: &api,
        issuer: "vault",
        secret: Some(TOKEN),
    };
    case.holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_keeps_the_contract() {
    let ours = OurCa::new();
    let server = ours.server().await;
    let api = administrator(&server).await;
    ours.configure(&api, "no").await;
    server.clock.advance(std::time::Duration::from_secs(300));
    let secret = Some("a password that nobody may see");
    let case = Case {
        server: &server,
        api: &api,
        issuer: "ours",
        secret,
    };
    case.holds().await;
}
