//! S/MIME certificates without ACME: over the command line, with the approval of people.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::cli::Shell;
use crate::enroll::Api;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_is_certified_over_rest_once_people_approve() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let api = Api::of(&server, domain::role::Role::Administrator).await;
    let approver = Api::of(&server, domain::role::Role::Administrator).await;
    let mut rules = json!(domain::profile::preset::smime("issuing"));
    rules["approval"] = json!({ "stages": [
        { "approvals": 1, "approvers": [{ "kind": "role", "role": "administrator" }] }
    ] });
    let path = "/api/v1/profiles/smime";
    let put = api.call(reqwest::Method::PUT, path, Some(rules)).await;
    assert!(put.status.is_success(), "{}", put.body);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, cert) = (at("alice.key"), at("alice.pem"));
    let mut line = vec![
        "enroll",
        "--profile",
        "smime",
        "--email",
        "alice@example.org",
    ];
    line.extend([
        "--key",
        &key,
        "--cert",
        &cert,
        "--output",
        "json",
        "--no-wait",
    ]);
    let told: Value = serde_json::from_str(&shell.done(&line).await).unwrap();
    assert_eq!(told["status"], "awaiting-approval", "{told}");
    let waiting = approver.get("/api/v1/approvals?status=pending").await;
    let id = waiting["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/approvals/{id}/approve");
    approver.post(&path, json!({})).await.expect(200);
    server.run_jobs().await;
    let id = told["enrollment"].as_str().unwrap();
    let again = ["enroll", "--resume", id, "--key", &key, "--cert", &cert];
    shell.done(&again).await;
    let pem = std::fs::read(&cert).unwrap();
    let der = pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap();
    let leaf = pki::certificate::Certificate::from_der(&der[0]).unwrap();
    let names: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
    assert!(names[0].contains("alice@example.org"), "{names:?}");
}
