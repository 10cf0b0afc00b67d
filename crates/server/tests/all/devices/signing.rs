//! Code signing: a key that is shown to be in hardware, over ACME and REST.

use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::pem;
use serde_json::{Value, json};
use testkit::TestServer;

use super::acme::certified;
use super::maker::{Device, DeviceOrder, Maker, request, trusting};
use crate::cli::Shell;

const SUBJECT: &str = "CN=Example,O=Example,L=Bonn,C=DE";

fn csr_pem(key: &dyn SigningKey) -> String {
    pem::encode(pem::CERTIFICATE_REQUEST, &request(SUBJECT, &[], key))
}

fn chain_pem(device: &Device<'_>) -> String {
    pem::encode(pem::CERTIFICATE, &device.certificate())
}

fn asked(csr: String, attestation: &str) -> Value {
    json!({ "profile": "signing", "csr": csr, "attestation": attestation })
}

fn violation(body: &Value) -> (String, String) {
    let first = &body["violations"][0];
    let text = |member: &str| first[member].as_str().unwrap_or_default().to_owned();
    (text("rule"), text("message"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_key_signs_code_by_acme_and_its_serial_number_stays_out_of_the_certificate() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of keys");
    let api = trusting(&server, "code-signing", "signing", &[("step", &maker)]).await;
    let client = server.registered_client().await;
    let device = maker.device(99);
    let order = DeviceOrder::of(&client, "signing", "permanent-identifier", "99").await;
    let object = device.step(&order.key_authorization(&client));
    assert_eq!(order.attest(&client, &object).await["status"], "valid");
    let leaf = certified(&client, &order, &request(SUBJECT, &[], &device.key)).await;
    assert!(leaf.names.is_empty());
    let purpose = pki::certificate::ExtendedKeyUsage::CodeSigning;
    assert_eq!(leaf.extended_key_usage, [purpose]);
    let audit = api.get("/api/v1/audit?name=certificate.issued").await;
    let events = audit["items"].as_array().unwrap();
    let mut evidence = events.iter().map(|event| &event["data"]["key_evidence"]);
    let found = evidence.find(|one| one["kind"] == "attestation");
    assert_eq!(found.unwrap()["attested"]["devices"], json!(["99"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_rest_the_attestation_comes_with_the_request_and_is_checked() {
    let server = TestServer::start().await;
    let (maker, module) = (Maker::new("Maker of keys"), Maker::new("Maker of modules"));
    let makers = [("step", &maker), ("hsm", &module)];
    let api = trusting(&server, "code-signing", "signing", &makers).await;
    let path = "/api/v1/enrollments";
    for (device, format) in [(maker.device(99), "step"), (module.device(7), "hsm")] {
        let body = asked(csr_pem(&device.key), &chain_pem(&device));
        let issued = api.post(path, body).await.expect(201);
        let evidence = &issued["key_evidence"];
        assert_eq!(evidence["kind"], "attestation", "{issued}");
        assert_eq!(evidence["attested"]["format"], format);
        let id = issued["certificate"].as_str().unwrap();
        let shown = api.get(&format!("/api/v1/certificates/{id}")).await;
        assert_eq!(&shown["key_evidence"], evidence);
    }
    // An attestation object does as well; its signature is the CSR's.
    let device = maker.device(100);
    let object = data_encoding::BASE64.encode(&device.step("no challenge"));
    api.post(path, asked(csr_pem(&device.key), &object))
        .await
        .expect(201);

    let other = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let refused = api
        .post(path, asked(csr_pem(&other), &chain_pem(&device)))
        .await;
    let (rule, message) = violation(&refused.expect(422));
    assert_eq!(rule, "key.attestation");
    assert!(message.contains("another key than the CSR's"), "{message}");
    let stranger = Maker::new("Maker of keys");
    let foreign = stranger.device(1);
    let refused = api
        .post(path, asked(csr_pem(&foreign.key), &chain_pem(&foreign)))
        .await;
    let (_, message) = violation(&refused.expect(422));
    assert!(message.contains("no trusted root"), "{message}");
    let refused = api.post(path, asked(csr_pem(&other), "?")).await;
    refused.expect(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_check_attestations_takes_no_word_for_one_but_an_operators_statement() {
    let server = TestServer::start().await;
    let maker = Maker::new("Maker of keys");
    let api = trusting(&server, "code-signing", "signing", &[("step", &maker)]).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let with = |evidence: Value| {
        let csr = csr_pem(&key);
        json!({ "profile": "signing", "csr": csr, "key_evidence": evidence })
    };
    let path = "/api/v1/enrollments";
    let word = with(json!({ "kind": "attestation", "reference": "trust me" }));
    let (rule, message) = violation(&api.post(path, word).await.expect(422));
    assert_eq!(rule, "key.evidence");
    assert!(message.contains("the request has none"), "{message}");
    let made_up = with(json!({
        "kind": "attestation", "reference": "trust me",
        "attested": { "format": "step", "key": "00", "root": "00", "maker": "me" },
    }));
    api.post(path, made_up).await.expect(400);
    let witness = with(json!({ "kind": "witness", "reference": "ceremony of 2026-03-01" }));
    let issued = api.post(path, witness).await.expect(201);
    assert_eq!(issued["key_evidence"]["kind"], "witness");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_trusts_makers_and_sends_attestations() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let maker = Maker::new("Maker of keys");
    let device = maker.device(99);
    let root = file("root.pem", maker.ca.pem());
    let csr = file("signing.csr", csr_pem(&device.key));
    let attestation = file("attestation.pem", chain_pem(&device));
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    shell
        .done(&["profile", "create", "signing", "--preset", "code-signing"])
        .await;
    let line = [
        "enroll",
        "--profile",
        "signing",
        "--csr",
        &csr,
        "--attestation",
        &attestation,
        "--out-dir",
        out,
    ];
    assert_eq!(shell.code(&line).await, Some(1), "nobody is trusted yet");
    let trusted = shell
        .done(&[
            "profile", "trust", "signing", "--format", "step", &root, "--output", "json",
        ])
        .await;
    let trusted: Value = serde_json::from_str(&trusted).unwrap();
    assert_eq!(
        trusted["rules"]["attestation"]["roots"]["step"],
        json!([maker.ca.pem()])
    );
    let told = shell
        .done(&[line.as_slice(), &["--output", "json"]].concat())
        .await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["status"], "issued", "{told}");
}
