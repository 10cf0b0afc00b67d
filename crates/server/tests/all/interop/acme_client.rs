//! `acme-client`, the client from npm, driven by the script beside this file.

use std::path::Path;

use tokio::process::Command;

use super::challenge_server::Answering;
use super::openssl::Issued;
use super::process::{run, succeed, tool, tools};
use super::site::Site;

/// The script with a scenario of its own: it prints the chain, or what it was told to find out.
fn scenario(site: &Site, name: &str, arguments: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all/interop/acme_client.cjs");
    let mut node = tool("node");
    node.env("NODE_PATH", tools().join("npm/node_modules"))
        .env("NODE_EXTRA_CA_CERTS", site.root())
        .arg(script)
        .args([name, &site.directory(), &site.challenges.management])
        .args(arguments);
    node
}

async fn issues_by(challenge: &str, names: &[&str]) {
    let site = Site::with(Answering::ChallengeServer, &[]).await;
    let mut arguments = vec![challenge];
    arguments.extend(names);
    let chain = succeed(&mut scenario(&site, "issue", &arguments)).await;
    let issued = Issued::from_pem(&site, &chain);
    for name in names {
        issued.verify_for(&site, &name.replace('*', "any")).await;
    }
}

#[tokio::test]
async fn acme_client_issues_by_http_01() {
    issues_by("http-01", &["a.example.org", "b.example.org"]).await;
}

#[tokio::test]
async fn acme_client_issues_a_wildcard_by_dns_01() {
    issues_by("dns-01", &["example.net", "*.example.org"]).await;
}

#[tokio::test]
async fn acme_client_issues_by_tls_alpn_01() {
    issues_by("tls-alpn-01", &["a.example.org"]).await;
}

#[tokio::test]
async fn acme_client_binds_its_account_changes_its_key_revokes_and_deactivates() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::ChallengeServer, &required).await;
    let (kid, hmac) = site.eab_key().await;
    let chain = succeed(&mut scenario(
        &site,
        "life",
        &[&kid, &hmac, "a.example.org"],
    ))
    .await;
    let issued = Issued::from_pem(&site, &chain);
    issued.verify_for(&site, "a.example.org").await;
    assert_eq!(issued.ocsp_status(&site).await, "revoked");
}

#[tokio::test]
async fn acme_client_reports_the_servers_reason() {
    let site = Site::with(Answering::ChallengeServer, &[]).await;
    let refused = run(&mut scenario(
        &site,
        "issue",
        &["dns-01", "under_score.example.org"],
    ))
    .await;
    assert!(!refused.succeeded, "{}", refused.said);
    assert!(
        refused.said.contains("under_score.example.org"),
        "{}",
        refused.said
    );
}
