//! lego, the Go client and library.

use std::path::PathBuf;

use tokio::process::Command;

use super::challenge_server::Answering;
use super::host::{DNS_PORT, HTTP01_PORT, TLSALPN01_PORT};
use super::openssl::{Issued, serial};
use super::process::{run, succeed, tool};
use super::site::Site;

pub(super) fn lego(site: &Site, options: &[&str]) -> Command {
    let mut command = tool("lego");
    command
        .env("LEGO_CA_CERTIFICATES", site.root())
        .args([
            "--accept-tos",
            "--email",
            "ops@example.org",
            "--server",
            &site.directory(),
        ])
        .arg("--path")
        .arg(site.file("lego"))
        .args(options);
    command
}

pub(super) fn stored_chain(site: &Site, name: &str) -> PathBuf {
    site.file("lego/certificates").join(format!("{name}.crt"))
}

/// Options for lego's own server for tls-alpn-01.
pub(super) fn by_tls(site: &Site) -> [String; 3] {
    let address = site.host.at(TLSALPN01_PORT).to_string();
    ["--tls".to_owned(), "--tls.port".to_owned(), address]
}

/// Options for lego's own web server for http-01.
fn by_http(site: &Site) -> [String; 3] {
    let address = site.host.at(HTTP01_PORT).to_string();
    ["--http".to_owned(), "--http.port".to_owned(), address]
}

#[tokio::test]
async fn lego_issues_by_http_01() {
    let site = Site::start().await;
    let options = ["--domains", "a.example.org", "--key-type", "rsa2048"];
    succeed(lego(&site, &options).args(by_http(&site)).arg("run")).await;
    Issued::read(&site, &stored_chain(&site, "a.example.org"))
        .verify_for(&site, "a.example.org")
        .await;
}

#[tokio::test]
async fn lego_issues_by_tls_alpn_01() {
    let site = Site::start().await;
    let options = ["--domains", "a.example.org", "--key-type", "ec384"];
    succeed(lego(&site, &options).args(by_tls(&site)).arg("run")).await;
    Issued::read(&site, &stored_chain(&site, "a.example.org"))
        .verify_for(&site, "a.example.org")
        .await;
}

#[tokio::test]
async fn lego_issues_a_wildcard_by_dns_01() {
    let site = Site::start().await;
    let hook = site.script(
        "dns-hook",
        &format!(
            r#"[ "$1" = present ] || exit 0
curl -sSf -d "{{\"host\":\"$2\",\"value\":\"$3\"}}" {}/set-txt"#,
            site.challenges.management
        ),
    );
    let resolver = site.host.at(DNS_PORT).to_string();
    let options = [
        "--domains",
        "*.example.org",
        "--dns",
        "exec",
        "--dns.disable-cp",
        "--dns.resolvers",
        &resolver,
    ];
    succeed(lego(&site, &options).env("EXEC_PATH", hook).arg("run")).await;
    Issued::read(&site, &stored_chain(&site, "_.example.org"))
        .verify_for(&site, "x.example.org")
        .await;
}

#[tokio::test]
async fn lego_binds_its_account_to_an_external_one() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::Client, &required).await;
    let (kid, hmac) = site.eab_key().await;
    let options = [
        "--domains",
        "a.example.org",
        "--eab",
        "--kid",
        &kid,
        "--hmac",
        &hmac,
    ];
    succeed(lego(&site, &options).args(by_http(&site)).arg("run")).await;
    Issued::read(&site, &stored_chain(&site, "a.example.org"))
        .verify_for(&site, "a.example.org")
        .await;
}

#[tokio::test]
async fn lego_refuses_a_wrong_external_key() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::Client, &required).await;
    let (kid, _) = site.eab_key().await;
    let hmac = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let options = [
        "--domains",
        "a.example.org",
        "--eab",
        "--kid",
        &kid,
        "--hmac",
        hmac,
    ];
    let refused = run(lego(&site, &options).args(by_http(&site)).arg("run")).await;
    assert!(
        !refused.succeeded && refused.said.contains("urn:ietf:params:acme:error:"),
        "{}",
        refused.said
    );
}

#[tokio::test]
async fn lego_renews_and_revokes() {
    let site = Site::start().await;
    let options = ["--domains", "a.example.org"];
    succeed(lego(&site, &options).args(by_http(&site)).arg("run")).await;
    let first = serial(&stored_chain(&site, "a.example.org")).await;

    let renew = [
        "renew",
        "--days",
        "1000",
        "--reuse-key",
        "--no-random-sleep",
    ];
    succeed(lego(&site, &options).args(by_http(&site)).args(renew)).await;
    assert_ne!(serial(&stored_chain(&site, "a.example.org")).await, first);

    let issued = Issued::read(&site, &stored_chain(&site, "a.example.org"));
    assert_eq!(issued.ocsp_status(&site).await, "good");
    succeed(lego(&site, &options).args(["revoke", "--keep", "--reason", "4"])).await;
    assert_eq!(issued.ocsp_status(&site).await, "revoked");
}
