//! The connector of the kind `cmp` before the server that comes with OpenSSL. It answers every request
//! with the certificate that it was started with, one connection at a time.

use serde_json::{Value, json};
use testkit::acme::csr_for;
use testkit::ca::TestCa;

use super::connector::{NAME, enroll, issuer, leaf};
use super::support::{Plant, new_key};
use crate::interop::process::{Background, eventually, tool};

/// The server as a process, and where it listens.
async fn mock(below: &Plant, arguments: &[&str]) -> (Background, String) {
    let mut command = tool("openssl");
    command.args(["cmp", "-port", "0", "-no_proxy", "127.0.0.1"]);
    command.args(["-srv_ref", "certwright", "-srv_secret", "pass:between us"]);
    command.args(["-rsp_cert", "leaf.pem", "-rsp_extracerts", "ca.pem"]);
    command.args(arguments).current_dir(below.folder.path());
    let running = Background::start(&mut command, &below.path("mock.log"));
    let port = async || {
        let log = running.log();
        let (_, rest) = log.split_once("ACCEPT [::]:")?;
        rest.split_once(' ').map(|(port, _)| port.to_owned())
    };
    let port = eventually(port, || running.log()).await;
    (running, format!("http://127.0.0.1:{port}/"))
}

/// A server before OpenSSL's, and a request whose certificate that one has ready.
async fn asked(settings: Value, arguments: &[&str]) -> (Plant, Background, Value) {
    let below = Plant::start().await;
    let (ca, key) = (TestCa::new("Mock CA"), new_key());
    let der = ca.sign(&csr_for(&[NAME], &key));
    let pem = pki::pem::encode(pki::pem::CERTIFICATE, &der);
    std::fs::write(below.path("leaf.pem"), pem).unwrap();
    std::fs::write(below.path("ca.pem"), ca.pem()).unwrap();
    let (running, url) = mock(&below, arguments).await;
    let mut all = json!({ "url": url, "reference": "certwright", "recipient": "CN=Mock CA" });
    for (member, value) in settings.as_object().unwrap() {
        all[member] = value.clone();
    }
    issuer(&below, all, json!({ "shared_secret": "between us" })).await;
    let enrollment = enroll(&below, &key).await;
    (below, running, enrollment)
}

async fn explained(below: &Plant, running: &Background, enrollment: &Value) -> String {
    let issuer = below.get("/api/v1/issuers/remote").await;
    format!("{enrollment}\n{}\n{}", issuer["live"], running.log())
}

#[tokio::test]
async fn openssls_server_signs_a_pkcs10_request_and_has_it_confirmed() {
    let (below, running, enrollment) = asked(json!({}), &[]).await;
    let why = explained(&below, &running, &enrollment).await;
    assert_eq!(enrollment["status"], "issued", "{why}");
    assert_eq!(leaf(&below, &enrollment).await["names"], json!([NAME]));
    // The request, and its confirmation.
    assert_eq!(
        running.log().matches("Received request").count(),
        2,
        "{why}"
    );
}

#[tokio::test]
async fn openssls_server_signs_a_request_in_crmf_without_confirmation() {
    let settings = json!({ "message": "ir", "implicit_confirmation": true });
    let arguments = ["-grant_implicitconf", "-accept_raverified"];
    let (below, running, enrollment) = asked(settings, &arguments).await;
    let why = explained(&below, &running, &enrollment).await;
    assert_eq!(enrollment["status"], "issued", "{why}");
    assert_eq!(
        running.log().matches("Received request").count(),
        1,
        "{why}"
    );
}

#[tokio::test]
async fn what_openssls_server_refuses_ends_with_its_reason() {
    let arguments = [
        "-pkistatus",
        "2",
        "-failurebits",
        "16",
        "-statusstring",
        "not here",
    ];
    let (below, running, enrollment) = asked(json!({}), &arguments).await;
    let why = explained(&below, &running, &enrollment).await;
    assert_eq!(enrollment["status"], "failed", "{why}");
    assert!(enrollment.to_string().contains("not here"), "{why}");
}
