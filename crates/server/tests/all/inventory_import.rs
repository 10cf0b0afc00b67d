//! Import over REST: every form, each certificate judged by itself, and no rights by it.

use std::time::Duration;

use domain::role::Role;
use pki::certificate::{BasicConstraints, CertificateContent, IssuerFacts, encode_tbs, sign};
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName};
use pki::pem;
use pki::serial::Serial;
use pki::time::Timestamp;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::enroll::Api;

const IMPORT: &str = "/api/v1/certificates/import";

/// A CA elsewhere.
struct Elsewhere {
    key: LocalKey,
    der: Vec<u8>,
    subject: DistinguishedName,
}

impl Elsewhere {
    fn new(name: &str) -> Self {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let subject = DistinguishedName::parse(&format!("CN={name}")).unwrap();
        let mut content = content(&key);
        content.subject = subject.clone();
        content.basic_constraints = BasicConstraints::Ca { path_len: None };
        let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
        let serial = Serial::from_be_octets(&[9; 9]).unwrap();
        let der = sign(&encode_tbs(&content, &serial, &facts).unwrap(), &key).unwrap();
        Self { key, der, subject }
    }

    fn issue(&self, name: &str, serial: u8) -> Vec<u8> {
        let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
        let mut content = content(&key);
        content.subject_alt_names = vec![GeneralName::Dns(name.to_owned())];
        let facts = IssuerFacts {
            subject_der: self.subject.to_der(),
            key_identifier: self.key.public_key().key_identifier().to_vec(),
            signature_algorithm: self.key.signature_algorithm(),
        };
        let serial = Serial::from_be_octets(&[7, 7, 7, 7, 7, 7, 7, 7, serial]).unwrap();
        sign(&encode_tbs(&content, &serial, &facts).unwrap(), &self.key).unwrap()
    }
}

fn content(key: &LocalKey) -> CertificateContent {
    let from = Timestamp::from_seconds(1_700_000_000);
    let to = from + Duration::from_secs(40 * 365 * 24 * 3600);
    CertificateContent::new(key.public_key().clone(), from, to)
}

async fn send(
    server: &TestServer,
    api: &Api,
    query: &str,
    media: &str,
    octets: Vec<u8>,
) -> (StatusCode, Value) {
    let url = format!("{}{IMPORT}{query}", server.url());
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(&api.token)
        .header("Content-Type", media)
        .header("Certwright-Password", "s3cret")
        .body(octets);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

const PEM: &str = "application/x-pem-file";

async fn import(
    server: &TestServer,
    api: &Api,
    query: &str,
    media: &str,
    octets: Vec<u8>,
) -> Value {
    let (status, report) = send(server, api, query, media, octets).await;
    assert_eq!(status, 200, "{report}");
    report
}

fn counts(report: &Value) -> [u64; 3] {
    ["added", "known", "broken"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_form_is_read_and_each_certificate_is_judged_by_itself() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let ca = Elsewhere::new("Elsewhere");
    let leaf = ca.issue("a.elsewhere.example", 1);
    let text = format!(
        "{}{}{}-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n{}",
        pem::encode(pem::CERTIFICATE, &leaf),
        pem::encode(pem::CERTIFICATE, &ca.der),
        pem::encode("PRIVATE KEY", b"secret"),
        pem::encode(pem::CERTIFICATE, &leaf),
    );
    let tried = import(
        &server,
        &api,
        "?dry_run=true",
        PEM,
        text.clone().into_bytes(),
    )
    .await;
    assert_eq!(counts(&tried), [2, 1, 1], "{tried}");
    let listed = api
        .get("/api/v1/certificates?suffix=elsewhere.example")
        .await;
    assert_eq!(listed["items"], json!([]), "a dry run changes nothing");

    let report = import(&server, &api, "", PEM, text.into_bytes()).await;
    assert_eq!(counts(&report), [2, 1, 1], "{report}");
    assert_eq!(report["keys_dropped"], 1);
    let first = &report["entries"][0];
    assert_eq!(
        (&first["verdict"], &first["chain"]),
        (&json!("new"), &json!(1)),
        "{first}"
    );
    assert_eq!(first["own"], false);
    let broken = report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["verdict"] == "broken");
    assert!(
        broken.unwrap()["reason"]
            .as_str()
            .unwrap()
            .contains("base64"),
        "{report}"
    );

    let again = import(&server, &api, "", "application/pkix-cert", leaf.clone()).await;
    assert_eq!(counts(&again), [0, 1, 0]);
    assert_eq!(again["entries"][0]["certificate"], first["certificate"]);

    let other = ca.issue("b.elsewhere.example", 2);
    let p12 = pki::pkcs12::export_certificates(&[&other], &SecretString::from("s3cret")).unwrap();
    let report = import(&server, &api, "", "application/x-pkcs12", p12).await;
    assert_eq!(counts(&report), [1, 0, 0], "{report}");
    let third = ca.issue("c.elsewhere.example", 3);
    let line = json!({ "certificate": pem::encode(pem::CERTIFICATE, &third) }).to_string();
    let report = import(&server, &api, "", "application/x-ndjson", line.into_bytes()).await;
    assert_eq!(counts(&report), [1, 0, 0], "{report}");

    let id = first["certificate"].as_str().unwrap();
    let shown = api.get(&format!("/api/v1/certificates/{id}")).await;
    assert_eq!(shown["origin"], "imported");
    assert_eq!(shown["issuer_name"], "CN=Elsewhere");
    let chain = api
        .call(
            Method::GET,
            &format!("/api/v1/certificates/{id}/download"),
            None,
        )
        .await;
    let chain = pem::decode_all(pem::CERTIFICATE, &chain.octets).unwrap();
    assert_eq!(chain, [leaf, ca.der]);
    let events = api.get("/api/v1/audit?name=certificate.imported").await;
    assert_eq!(events["items"].as_array().unwrap().len(), 3, "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_upload_is_refused() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    for (query, media, octets, status) in [
        ("", "application/json", &b"{}"[..], 415),
        ("", PEM, b"nothing", 400),
        ("", "application/x-pkcs7-certificates", b"nothing", 400),
        ("", "application/x-pkcs12", b"nothing", 400),
        ("", "text/csv", b"owner\nweb\n", 400),
        ("?team=nobody", PEM, b"", 400),
        ("?metadata=x", PEM, b"", 400),
        ("?metadata=%7B%22nonsense%22:%22x%22%7D", PEM, b"", 400),
        ("?dryrun=true", PEM, b"", 400),
    ] {
        let (found, problem) = send(&server, &api, query, media, octets.to_vec()).await;
        let found = found.as_u16();
        assert!(
            found == status || (status == 400 && found == 404),
            "{query} {media}: {problem}"
        );
    }
    let auditor = Api::of(&server, Role::Auditor).await;
    let (status, _) = send(&server, &auditor, "", PEM, Vec::new()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

/// The identity of a certificate is its issuer and serial number, not a row of the inventory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uploaded_duplicate_gives_no_right_over_the_real_certificate() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["shop.example.org"]).await;
    let real = issued.leaf();
    let admin = Api::of(&server, Role::Administrator).await;
    let rules = Some(json!({ "description": "" }));
    let made = admin
        .call(Method::PUT, "/api/v1/teams/thieves", rules)
        .await;
    assert!(made.status.is_success());
    let token = json!({ "name": "thief", "role": "ca-operator", "team": "thieves" });
    let token = admin.post("/api/v1/tokens", token).await.expect(201);
    let mut thief = Api::of(&server, Role::CaOperator).await;
    thief.token = token["secret"].as_str().unwrap().to_owned();

    // The same octets: it is known, and stays whose it is.
    let report = import(
        &server,
        &thief,
        "",
        "application/pkix-cert",
        real.der.clone(),
    )
    .await;
    assert_eq!(counts(&report), [0, 1, 0], "{report}");
    let id = report["entries"][0]["certificate"].as_str().unwrap();
    let shown = admin.get(&format!("/api/v1/certificates/{id}")).await;
    assert_eq!(shown["team"], Value::Null, "{shown}");
    let path = format!("/api/v1/certificates/{id}/revoke");
    let revoked = thief.post(&path, json!({ "reason": "superseded" })).await;
    assert_eq!(revoked.status, 404, "{}", revoked.body);

    // Another certificate that says it has the same issuer and serial number.
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let mut forged = content(&key);
    forged.subject_alt_names = vec![GeneralName::Dns("shop.example.org".to_owned())];
    let facts = IssuerFacts {
        subject_der: real.issuer_der.clone(),
        key_identifier: real.authority_key_identifier.clone().unwrap(),
        signature_algorithm: key.signature_algorithm(),
    };
    let forged = sign(&encode_tbs(&forged, &real.serial, &facts).unwrap(), &key).unwrap();
    let report = import(&server, &thief, "", "application/pkix-cert", forged).await;
    assert_eq!(counts(&report), [0, 0, 1], "{report}");
    let reason = report["entries"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("serial number"), "{reason}");
    let shown = admin.get(&format!("/api/v1/certificates/{id}")).await;
    assert_eq!(shown["status"], "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_gives_metadata_to_certificates_that_are_known() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Administrator).await;
    let field = Some(json!({ "kind": "string" }));
    let made = api
        .call(Method::PUT, "/api/v1/metadata-fields/billing", field)
        .await;
    assert!(made.status.is_success(), "{}", made.body);
    let ca = Elsewhere::new("Elsewhere");
    let leaf = ca.issue("a.elsewhere.example", 1);
    let query = "?metadata=%7B%22billing%22:%221%22%7D";
    let report = import(&server, &api, query, "application/pkix-cert", leaf).await;
    let entry = &report["entries"][0];
    let fingerprint = entry["fingerprint"].as_str().unwrap();
    let found = api.get("/api/v1/certificates?q=billing=1").await;
    assert_eq!(found["items"][0]["id"], entry["certificate"], "{found}");

    let table = format!(
        "fingerprint,billing\n{fingerprint},4711\n{},1\n",
        "ab".repeat(32)
    );
    for (query, billing) in [("?dry_run=true", "1"), ("", "4711")] {
        let octets = table.clone().into_bytes();
        let report = import(&server, &api, query, "text/csv", octets).await;
        assert_eq!(counts(&report), [1, 0, 1], "{report}");
        let id = entry["certificate"].as_str().unwrap();
        let shown = api.get(&format!("/api/v1/certificates/{id}")).await;
        assert_eq!(shown["metadata"]["billing"], billing);
    }
    let report = import(&server, &api, "", "text/csv", table.into_bytes()).await;
    assert_eq!(counts(&report), [0, 1, 1], "{report}");
    server.run_jobs().await;
    let found = api.get("/api/v1/certificates?q=4711").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
}
