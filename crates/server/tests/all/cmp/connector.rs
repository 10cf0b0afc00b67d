//! The connector of the kind `cmp`: this server as a client of another one's endpoint.

use pki::key::LocalKey;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::acme::csr_for;

use super::support::{Plant, new_key, self_signed};

pub(super) const NAME: &str = "m1.plant.example.org";

/// A server whose profile `default` is signed by the CA behind `upstream`'s endpoint.
async fn below(upstream: &Plant, settings: Value, secrets: Value) -> Plant {
    let below = Plant::start().await;
    let mut all = json!({ "url": format!("{}/.well-known/cmp/p/plant", upstream.server.url()) });
    for (member, value) in settings.as_object().unwrap() {
        all[member] = value.clone();
    }
    issuer(&below, all, secrets).await;
    below
}

/// Makes the issuer `remote`, and lets it sign for `default`.
pub(super) async fn issuer(below: &Plant, settings: Value, secrets: Value) {
    let body = json!({ "name": "remote", "kind": "cmp", "settings": settings, "secrets": secrets });
    let (status, told) = below
        .call(Method::POST, "/api/v1/issuers", Some(body))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let path = "/api/v1/profiles/default";
    let mut rules = below.get(path).await["rules"].take();
    rules["issuers"] = json!([{ "issuer": "remote", "weight": 1 }]);
    let (status, told) = below.call(Method::PUT, path, Some(rules)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
}

pub(super) async fn enroll(below: &Plant, key: &LocalKey) -> Value {
    let der = csr_for(&[NAME], key);
    let csr = pki::pem::encode("CERTIFICATE REQUEST", &der);
    let body = json!({ "profile": "default", "csr": csr });
    let (_, told) = below
        .call(Method::POST, "/api/v1/enrollments", Some(body))
        .await;
    let id = told["id"].as_str().unwrap_or_else(|| panic!("{told}"));
    below.get(&format!("/api/v1/enrollments/{id}")).await
}

pub(super) async fn leaf(below: &Plant, enrollment: &Value) -> Value {
    let id = enrollment["certificate"].as_str();
    let id = id.unwrap_or_else(|| panic!("{enrollment}"));
    below.get(&format!("/api/v1/certificates/{id}")).await
}

#[tokio::test]
async fn a_ca_behind_cmp_signs_under_a_shared_secret() {
    let upstream = Plant::start().await;
    let secret = upstream.secret("certwright", json!({})).await;
    let settings = json!({ "reference": "certwright" });
    let below = below(&upstream, settings, json!({ "shared_secret": secret.text })).await;
    let key = new_key();
    let enrollment = enroll(&below, &key).await;
    let certificate = leaf(&below, &enrollment).await;
    assert_eq!(certificate["names"], json!([NAME]));
    let path = "/api/v1/issuers/remote/test";
    let (status, report) = below.call(Method::POST, path, Some(json!({}))).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    assert!(report.to_string().contains("knows who we are"), "{report}");
    // It is the upstream's: there it is known, and confirmed.
    let page = upstream.get("/api/v1/certificates?limit=100").await;
    let found = page["items"].as_array().unwrap().iter();
    let mut found = found.filter(|one| one["fingerprint"] == certificate["fingerprint"]);
    assert!(found.next().is_some(), "{page}");
    upstream
        .server
        .clock
        .advance(std::time::Duration::from_secs(2 * 3600));
    upstream.server.run_jobs().await;
    let page = upstream.get("/api/v1/certificates?status=revoked").await;
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn as_an_authority_it_vouches_for_keys_and_has_certificates_revoked() {
    let key = new_key();
    let now = domain::clock::Clock::now(&testkit::clock::MockClock::at_present());
    let (pem, _) = self_signed(&key, now);
    let upstream = Plant::with(json!({ "authorities": [pem] })).await;
    let root = std::fs::read_to_string(upstream.root().await).unwrap();
    let settings = json!({
        "client_certificate": pem, "server_certificates": root, "message": "cr",
        "implicit_confirmation": true,
    });
    let client_key = key.to_pem().unwrap().to_string();
    let below = below(&upstream, settings, json!({ "client_key": client_key })).await;
    let enrollment = enroll(&below, &new_key()).await;
    let certificate = leaf(&below, &enrollment).await;
    let path = format!(
        "/api/v1/certificates/{}/revoke",
        certificate["id"].as_str().unwrap()
    );
    let body = json!({ "reason": "superseded" });
    let (status, told) = below.call(Method::POST, &path, Some(body)).await;
    assert!(status.is_success(), "{told}");
    // The server's own worker may be at it as well.
    let fingerprint = &certificate["fingerprint"];
    let is_revoked = async || {
        let page = upstream.get("/api/v1/certificates?status=revoked").await;
        page["items"][0]["fingerprint"] == *fingerprint
    };
    below.server.run_jobs_until(is_revoked).await;
}

#[tokio::test]
async fn what_waits_upstream_is_polled_until_it_is_signed() {
    // The two clocks are turned one after the other.
    let upstream = Plant::with(json!({ "max_clock_skew_seconds": 0 })).await;
    let path = "/api/v1/profiles/default";
    let mut rules = upstream.get(path).await["rules"].take();
    rules["approval"] = json!({ "stages": [
        { "approvals": 1, "approvers": [{ "kind": "role", "role": "administrator" }] }
    ] });
    upstream.call(Method::PUT, path, Some(rules)).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let secret = upstream.secret("certwright", json!({})).await;
    let settings = json!({ "reference": "certwright" });
    let below = below(&upstream, settings, json!({ "shared_secret": secret.text })).await;
    let enrollment = enroll(&below, &new_key()).await;
    assert_eq!(enrollment["status"], "awaiting-issuer", "{enrollment}");
    let waiting = upstream.get("/api/v1/approvals?status=pending").await;
    let id = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    upstream.decide(&id).await;
    upstream.server.run_jobs().await;
    below
        .server
        .clock
        .advance(std::time::Duration::from_secs(3600));
    below.server.run_jobs().await;
    let id = enrollment["id"].as_str().unwrap();
    let enrollment = below.get(&format!("/api/v1/enrollments/{id}")).await;
    leaf(&below, &enrollment).await;
}

#[tokio::test]
async fn an_answer_that_nobody_vouches_for_is_not_believed() {
    let upstream = Plant::start().await;
    // The upstream knows another secret, so it refuses, signed by somebody who is not trusted.
    upstream.secret("certwright", json!({})).await;
    let settings = json!({ "reference": "certwright" });
    let below = below(&upstream, settings, json!({ "shared_secret": "guessed" })).await;
    let enrollment = enroll(&below, &new_key()).await;
    assert_ne!(enrollment["status"], "issued");
    let path = "/api/v1/issuers/remote/test";
    let (_, report) = below.call(Method::POST, path, Some(json!({}))).await;
    let outcome = |aspect: &str| {
        let mut findings = report["findings"].as_array().unwrap().iter();
        findings
            .find(|one| one["aspect"] == aspect)
            .unwrap()
            .clone()
    };
    assert_eq!(outcome("reach")["outcome"], "passed", "{report}");
    let unknown = outcome("credentials");
    assert_eq!(unknown["outcome"], "failed", "{report}");
    assert!(
        unknown["message"]
            .as_str()
            .unwrap()
            .contains("not believed"),
        "{report}"
    );
}
