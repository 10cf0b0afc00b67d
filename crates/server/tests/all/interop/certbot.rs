//! certbot, the client most used.

use std::path::PathBuf;
use std::time::Duration;

use super::challenge_server::Answering;
use super::host::HTTP01_PORT;
use super::openssl::{Issued, serial};
use super::process::{eventually, run, succeed, tool};
use super::site::Site;

use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// certbot with folders of its own, trusting the site's root.
pub(super) fn certbot(site: &Site, verb: &str) -> Command {
    let mut command = tool("certbot");
    command
        .env("REQUESTS_CA_BUNDLE", site.root())
        .args([verb, "--non-interactive", "--server", &site.directory()])
        .arg("--config-dir")
        .arg(site.file("config"))
        .arg("--work-dir")
        .arg(site.file("work"))
        .arg("--logs-dir")
        .arg(site.file("logs"));
    command
}

/// `certonly` with certbot's own web server for http-01.
pub(super) fn standalone(site: &Site, arguments: &[&str]) -> Command {
    let mut command = certbot(site, "certonly");
    command
        .args([
            "--agree-tos",
            "--register-unsafely-without-email",
            "--standalone",
        ])
        .args(["--http-01-address", &site.host.ip.to_string()])
        .args(["--http-01-port", &HTTP01_PORT.to_string()])
        .args(["--cert-name", "it"])
        .args(arguments);
    command
}

/// `certonly` with a script that sets TXT records for dns-01.
fn with_dns_hook(site: &Site, arguments: &[&str]) -> Command {
    let hook = site.script(
        "auth-hook",
        &format!(
            r#"curl -sSf -d "{{\"host\":\"_acme-challenge.$CERTBOT_DOMAIN.\",\"value\":\"$CERTBOT_VALIDATION\"}}" {}/set-txt"#,
            site.challenges.management
        ),
    );
    let mut command = certbot(site, "certonly");
    command
        .args([
            "--agree-tos",
            "--register-unsafely-without-email",
            "--manual",
        ])
        .args(["--preferred-challenges", "dns", "--manual-auth-hook"])
        .arg(hook)
        .args(["--cert-name", "it"])
        .args(arguments);
    command
}

fn live(site: &Site, name: &str) -> PathBuf {
    site.file("config/live/it").join(name)
}

#[tokio::test]
async fn certbot_issues_by_http_01() {
    let site = Site::start().await;
    succeed(&mut standalone(
        &site,
        &["-d", "a.example.org", "-d", "b.example.org"],
    ))
    .await;
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    issued.verify_for(&site, "a.example.org").await;
    issued.verify_for(&site, "b.example.org").await;
    assert_eq!(issued.ocsp_status(&site).await, "good");
    assert!(issued.verify_with_crls(&site).await);
}

#[tokio::test]
async fn certbot_issues_a_wildcard_by_dns_01() {
    let site = Site::start().await;
    let names = [
        "-d",
        "*.example.org",
        "-d",
        "example.org",
        "--key-type",
        "rsa",
    ];
    succeed(&mut with_dns_hook(&site, &names)).await;
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    issued.verify_for(&site, "example.org").await;
    issued.verify_for(&site, "any.example.org").await;
}

#[tokio::test]
async fn certbot_issues_for_an_address() {
    let site = Site::start().await;
    let address = site.host.ip.to_string();
    let arguments = [
        "--ip-address",
        &address,
        "--preferred-profile",
        "short-lived",
    ];
    succeed(&mut standalone(&site, &arguments)).await;
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    issued.verify_for(&site, &address).await;
}

#[tokio::test]
async fn certbot_chooses_a_profile() {
    let site = Site::start().await;
    let arguments = ["-d", "a.example.org", "--required-profile", "short-lived"];
    succeed(&mut standalone(&site, &arguments)).await;
    let text = Issued::read(&site, &live(&site, "fullchain.pem"))
        .text()
        .await;
    assert!(!text.contains("OCSP - URI"), "{text}");

    let arguments = [
        "-d",
        "c.example.org",
        "--required-profile",
        "nobody-has-this",
    ];
    let refused = run(&mut standalone(&site, &arguments)).await;
    assert!(
        !refused.succeeded && refused.said.contains("nobody-has-this"),
        "{}",
        refused.said
    );
}

#[tokio::test]
async fn certbot_binds_its_account_to_an_external_one() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::Client, &required).await;
    let refused = run(&mut standalone(&site, &["-d", "a.example.org"])).await;
    assert!(!refused.succeeded, "{}", refused.said);

    let (kid, hmac) = site.eab_key().await;
    let arguments = [
        "-d",
        "a.example.org",
        "--eab-kid",
        &kid,
        "--eab-hmac-key",
        &hmac,
    ];
    succeed(&mut standalone(&site, &arguments)).await;
    Issued::read(&site, &live(&site, "fullchain.pem"))
        .verify_for(&site, "a.example.org")
        .await;
}

#[tokio::test]
async fn certbot_gets_certificates_that_carry_the_billing_code_of_its_binding_key() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::Client, &required).await;
    let rules =
        json!({ "label": "Billing code", "required": true, "pattern": "[A-Z]{2}-[0-9]{4}" });
    let field = "/api/v1/metadata-fields/billing_code";
    site.call(Method::PUT, field, &rules).await;
    let (kid, hmac) = site.eab_key().await;
    let arguments = [
        "-d",
        "a.example.org",
        "--eab-kid",
        &kid,
        "--eab-hmac-key",
        &hmac,
    ];
    let refused = run(&mut standalone(&site, &arguments)).await;
    let said = refused.said.replace('\n', " ");
    assert!(
        !refused.succeeded && said.contains("billing_code") && said.contains(&kid),
        "{}",
        refused.said
    );

    let path = format!("/api/v1/acme/eab-keys/{kid}/metadata");
    let code = |code: &str| json!({ "metadata": { "billing_code": code } });
    site.call(Method::PATCH, &path, &code("PX-4711")).await;
    succeed(&mut standalone(&site, &arguments)).await;
    Issued::read(&site, &live(&site, "fullchain.pem"))
        .verify_for(&site, "a.example.org")
        .await;
    let first = serial(&live(&site, "cert.pem")).await;

    // The key moves on; what renews keeps its code.
    site.call(Method::PATCH, &path, &code("PX-4712")).await;
    let renewed =
        run(certbot(&site, "renew").args(["--force-renewal", "--no-random-sleep-on-renew"])).await;
    assert!(renewed.succeeded, "{}", renewed.said);
    assert_ne!(serial(&live(&site, "cert.pem")).await, first);
    let found = "/api/v1/certificates?metadata.billing_code=PX-4711&name=a.example.org";
    let found = site.call(Method::GET, found, &Value::Null).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 2, "{found}");
}

#[tokio::test]
async fn certbot_renews_when_renewal_information_says_so() {
    let site = Site::start().await;
    succeed(&mut standalone(&site, &["-d", "a.example.org"])).await;
    let first = serial(&live(&site, "cert.pem")).await;

    succeed(&mut certbot(&site, "renew")).await;
    assert_eq!(
        serial(&live(&site, "cert.pem")).await,
        first,
        "nothing is due yet"
    );

    let revoke = [
        "--cert-name",
        "it",
        "--no-delete-after-revoke",
        "--reason",
        "superseded",
    ];
    succeed(certbot(&site, "revoke").args(revoke)).await;
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    assert_eq!(issued.ocsp_status(&site).await, "revoked");
    assert!(!issued.verify_with_crls(&site).await);

    forget_renewal_information(&site);
    let renewed = run(certbot(&site, "renew").arg("--no-random-sleep-on-renew")).await;
    assert!(renewed.succeeded, "{}", renewed.said);
    assert_ne!(
        serial(&live(&site, "cert.pem")).await,
        first,
        "{}",
        renewed.said
    );
}

/// certbot asks again only after the time in Retry-After, which it notes in this file.
fn forget_renewal_information(site: &Site) {
    let path = site.file("config/renewal/it.conf");
    let text = std::fs::read_to_string(&path).unwrap();
    let (kept, _) = text
        .split_once("[acme_renewal_info]")
        .expect("certbot has asked once");
    std::fs::write(&path, kept).unwrap();
}

#[tokio::test]
async fn certbot_revokes_with_the_certificates_key() {
    let site = Site::start().await;
    succeed(&mut standalone(&site, &["-d", "a.example.org"])).await;
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    let mut revoke = certbot(&site, "revoke");
    revoke.args(["--reason", "keycompromise", "--no-delete-after-revoke"]);
    revoke.arg("--cert-path").arg(live(&site, "cert.pem"));
    succeed(revoke.arg("--key-path").arg(live(&site, "privkey.pem"))).await;
    assert_eq!(issued.ocsp_status(&site).await, "revoked");
}

#[tokio::test]
async fn certbot_updates_and_deactivates_its_account() {
    let site = Site::start().await;
    let register = ["--agree-tos", "--email", "ops@example.org"];
    succeed(certbot(&site, "register").args(register)).await;
    succeed(certbot(&site, "update_account").args(["--email", "new@example.org"])).await;
    let shown = succeed(&mut certbot(&site, "show_account")).await;
    assert!(shown.contains("new@example.org"), "{shown}");
    let ended = run(&mut certbot(&site, "unregister")).await;
    assert!(
        ended.succeeded && ended.said.contains("Account deactivated"),
        "{}",
        ended.said
    );
}

/// Lets the profile `default` ask one administrator.
async fn ask_somebody(site: &Site) {
    let rule = json!({
        "stages": [{
            "approvals": 1,
            "approvers": [{ "kind": "role", "role": "administrator" }],
        }],
        "unchanged_renewals": "skip",
    });
    site.change("/api/v1/profiles/default", |rules| rules["approval"] = rule)
        .await;
    // Longer than a node remembers a profile.
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

/// The approval that waits, once there is one.
async fn what_waits(site: &Site) -> String {
    let waits = async || {
        let path = "/api/v1/approvals?mine=true";
        let page = site.call(Method::GET, path, &Value::Null).await;
        page["items"][0]["id"].as_str().map(str::to_owned)
    };
    eventually(waits, || site.log()).await
}

#[tokio::test]
async fn i11_certbot_waits_while_a_person_approves() {
    let site = Site::start().await;
    ask_somebody(&site).await;
    let mut waiting = standalone(&site, &["-d", "a.example.org"]);
    let person = async {
        let id = what_waits(&site).await;
        // certbot looks again and again meanwhile.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let path = format!("/api/v1/approvals/{id}/approve");
        site.call(Method::POST, &path, &json!({ "reason": "fine" }))
            .await
    };
    let (_, approved) = tokio::join!(succeed(&mut waiting), person);
    assert_eq!(approved["status"], "approved", "{approved}");
    let issued = Issued::read(&site, &live(&site, "fullchain.pem"));
    issued.verify_for(&site, "a.example.org").await;
    // What renews without a change is not asked about again.
    succeed(certbot(&site, "renew").args(["--force-renewal", "--no-random-sleep-on-renew"])).await;
    let renewed = Issued::read(&site, &live(&site, "fullchain.pem"));
    renewed.verify_for(&site, "a.example.org").await;
}

#[tokio::test]
async fn i11_certbot_is_told_why_a_person_denied() {
    let site = Site::start().await;
    ask_somebody(&site).await;
    let mut waiting = standalone(&site, &["-d", "a.example.org"]);
    let person = async {
        let id = what_waits(&site).await;
        let path = format!("/api/v1/approvals/{id}/deny");
        let reason = json!({ "reason": "belongs to the sales team" });
        site.call(Method::POST, &path, &reason).await
    };
    let (ended, denied) = tokio::join!(run(&mut waiting), person);
    assert_eq!(denied["status"], "denied", "{denied}");
    assert!(!ended.succeeded, "{}", ended.said);
    assert!(
        ended.said.contains("belongs to the sales team"),
        "{}",
        ended.said
    );
}
