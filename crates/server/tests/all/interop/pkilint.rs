//! pkilint and OpenSSL as judges of what is issued: certificates, CRLs and OCSP responses.

use std::path::Path;

use http::Method;
use instant_acme::{RevocationReason, RevocationRequest};
use serde_json::{Value, json};

use super::challenge_server::Answering;
use super::instant::leaf;
use super::issuing::{P256, Wish, account, issue};
use super::openssl::Issued;
use super::process::{run, tool};
use super::site::{PKI_URL, Site};

/// Key algorithms of leaves in OpenSSL's words; the last is not in the Baseline Requirements.
const KEYS: [(&str, &[&str]); 6] = [
    ("p-256", P256),
    ("p-384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("rsa-2048", &["rsa:2048"]),
    ("rsa-3072", &["rsa:3072"]),
    ("rsa-4096", &["rsa:4096"]),
    ("ed25519", &["ed25519"]),
];

/// Findings of the Baseline Requirements' linter that are right for a private CA, and why.
const EXPLAINED: [(&str, &str); 5] = [
    (
        "cabf.serverauth.ca.certificate_policies_extension_absent",
        "only a publicly trusted CA may claim the Forum's policies",
    ),
    (
        "cabf.serverauth.ca.extended_key_usage_extension_absent",
        "a private issuing CA signs certificates of clients too",
    ),
    (
        "cabf.serverauth.ca.country_attribute_absent",
        "nobody was asked for the organisation at the first start",
    ),
    (
        "cabf.serverauth.ca.organization_name_attribute_absent",
        "the same",
    ),
    (
        "msft.end_entity.revocation_information_absent",
        "a certificate of less than seven days needs none (TLS BR section 7.1.2.11.2)",
    ),
];

/// Runs a linter; a finding that is an error or worse, and not explained, fails the test.
async fn lint(linter: &str, options: &[&str], file: &Path) {
    let mut command = tool(linter);
    command.args(["lint", "--severity", "ERROR", "--format", "TEXT"]);
    let ended = run(command.args(options).arg(file)).await;
    let is_finding = |line: &&str| line.contains("(ERROR)") || line.contains("(FATAL)");
    let is_explained = |line: &&str| EXPLAINED.iter().any(|(code, _)| line.contains(code));
    let findings: Vec<_> = ended.output.lines().filter(is_finding).collect();
    // The exit code is the number of findings; anything else means that it did not lint.
    assert!(ended.code == Some(findings.len() as i32), "{}", ended.said);
    let unexplained = findings.iter().any(|finding| !is_explained(finding));
    assert!(!unexplained, "{}\n{}", ended.said, explain(file).await);
}

async fn explain(file: &Path) -> String {
    let mut show = tool("openssl");
    run(show.args(["x509", "-noout", "-text", "-in"]).arg(file))
        .await
        .output
}

/// Lints under the Baseline Requirements, RFC 5280 included, or under RFC 5280 alone.
async fn lint_certificate(kind: Option<&str>, certificate: &Path) {
    match kind {
        Some(kind) => lint("lint_cabf_serverauth_cert", &["-t", kind], certificate).await,
        None => lint("lint_pkix_cert", &[], certificate).await,
    }
}

/// A site set up as the Baseline Requirements want it: certificates point to a public name, and those of
/// servers claim to be domain-validated.
async fn site(settings: &[(&str, &str)]) -> Site {
    let mut all = vec![("SERVER__PKI_URL", PKI_URL)];
    all.extend(settings);
    let site = Site::with(Answering::ChallengeServer, &all).await;
    for profile in ["default", "short-lived"] {
        let claim = |rules: &mut Value| rules["certificate_policies"] = json!([DOMAIN_VALIDATED]);
        site.change(&format!("/api/v1/profiles/{profile}"), claim)
            .await;
    }
    site
}

/// The Forum's policy of TLS BR section 7.1.6.1.
const DOMAIN_VALIDATED: &str = "2.23.140.1.2.1";

async fn leaves_have_no_errors(profile: &str, is_for_servers: bool) {
    let site = site(&[]).await;
    if profile == "tls-client" {
        site.offer_profile(profile).await;
    }
    let (account, _) = account(&site, None).await.unwrap();
    for (name, key) in KEYS {
        let host = format!("{name}.example.org");
        let names = [host.as_str(), "www.example.com"];
        let wish = Wish {
            profile: Some(profile),
            key,
            ..Wish::of(&names)
        };
        let issued = Issued::from_pem(&site, &issue(&site, &account, &wish).await);
        // The Baseline Requirements know no Ed25519.
        let kind = (is_for_servers && name != "ed25519").then_some("DV-FINAL-CERTIFICATE");
        lint_certificate(kind, &issued.leaf).await;
        if is_for_servers {
            issued.verify_for(&site, &host).await;
        }
    }
}

#[tokio::test]
async fn i04_server_certificates_have_no_errors() {
    leaves_have_no_errors("default", true).await;
}

#[tokio::test]
async fn i04_short_lived_certificates_have_no_errors() {
    leaves_have_no_errors("short-lived", true).await;
}

#[tokio::test]
async fn i04_client_certificates_have_no_errors() {
    leaves_have_no_errors("tls-client", false).await;
}

/// A certificate under a profile of its own that is as the preset says, but for what it claims.
async fn issue_under_preset(site: &Site, preset: &str, claims: &[&str], ask: Value) -> Issued {
    let presets = site
        .call(Method::GET, "/api/v1/profile-presets", &Value::Null)
        .await;
    let items = presets["items"].as_array().unwrap();
    let found = items.iter().find(|one| one["name"] == preset).unwrap();
    let mut rules = found["rules"].clone();
    if !claims.is_empty() {
        rules["certificate_policies"] = json!(claims);
    }
    let path = format!("/api/v1/profiles/{preset}-linted");
    site.call(Method::PUT, &path, &rules).await;
    let mut request = ask;
    request["profile"] = json!(format!("{preset}-linted"));
    let issued = site
        .call(Method::POST, "/api/v1/enrollments", &request)
        .await;
    Issued::from_pem(site, issued["chain"].as_str().unwrap())
}

#[tokio::test]
async fn i04_every_other_preset_has_no_errors() {
    let site = site(&[]).await;
    let evidence = json!({ "kind": "attestation", "reference": "report 1" });
    for algorithm in ["p-256", "rsa-3072"] {
        let named = |kind: &str, value: &str| {
            json!({
                "key": { "algorithm": algorithm },
                "identifiers": [{ "type": kind, "value": value }],
            })
        };
        let public = named("dns", "www.example.com");
        let issued = issue_under_preset(&site, "tls-server-public", &[], public).await;
        lint_certificate(Some("DV-FINAL-CERTIFICATE"), &issued.leaf).await;
        let mail = named("email", "jane@example.com");
        let issued = issue_under_preset(&site, "smime", &[MAILBOX_STRICT], mail).await;
        lint(
            "lint_cabf_smime_cert",
            &["-t", "MAILBOX-STRICT"],
            &issued.leaf,
        )
        .await;
        let code = json!({
            "key": { "algorithm": algorithm },
            "subject": "CN=Example,O=Example,L=Bonn,C=DE",
            "key_evidence": evidence,
        });
        let issued = issue_under_preset(&site, "code-signing", &[CODE_SIGNING], code).await;
        lint_certificate(None, &issued.leaf).await;
        let mut device = named("uri", "https://example.com/press");
        device["subject"] = json!("CN=press,serialNumber=4711,O=Example");
        let issued = issue_under_preset(&site, "device", &[], device).await;
        lint_certificate(None, &issued.leaf).await;
    }
}

/// S/MIME BR section 7.1.6.1: mailbox-validated, strict.
const MAILBOX_STRICT: &str = "2.23.140.1.5.1.3";
/// Code Signing BR section 7.1.6.1.
const CODE_SIGNING: &str = "2.23.140.1.4.1";

/// Whether a certificate fits to the one that signed it.
async fn lint_pair(issuer: &Path, subject: &Path) {
    let linter = "lint_pkix_signer_signee_cert_chain";
    lint(linter, &[&issuer.to_string_lossy()], subject).await;
}

/// CA certificates, CRLs and OCSP responses of an installation with this algorithm.
async fn ca_has_no_errors(algorithm: &str) {
    let keys = [
        ("CA__ROOT_KEY_ALGORITHM", algorithm),
        ("CA__ISSUER_KEY_ALGORITHM", algorithm),
    ];
    let site = site(&keys).await;
    let (good, revoked) = good_and_revoked(&site).await;
    let is_baseline = algorithm != "ed25519";
    for (kind, certificate) in [
        ("DV-FINAL-CERTIFICATE", &good.leaf),
        ("INTERNAL-UNCONSTRAINED-TLS-CA", &good.issuer),
        ("ROOT-CA", &site.root()),
    ] {
        lint_certificate(is_baseline.then_some(kind), certificate).await;
    }
    lint_pair(&site.root(), &good.issuer).await;
    lint_pair(&good.issuer, &good.leaf).await;
    for (issued, status) in [(&good, "good"), (&revoked, "revoked")] {
        assert_eq!(issued.ocsp_status(&site).await, status);
        let response = issued.leaf.with_extension("ocsp.der");
        lint("lint_ocsp_response", &[], &response).await;
        assert_eq!(issued.verify_with_crls(&site).await, status == "good");
    }
    let profile = if is_baseline { "BR" } else { "PKIX" };
    let crl = good.crl_of(&site, &good.leaf).await;
    lint("lint_crl", &["-t", "CRL", "-p", profile], &crl).await;
    let arl = good.crl_of(&site, &good.issuer).await;
    lint("lint_crl", &["-t", "ARL", "-p", profile], &arl).await;
}

/// Two certificates, of which the second is revoked.
async fn good_and_revoked(site: &Site) -> (Issued, Issued) {
    let (account, _) = account(site, None).await.unwrap();
    let good = issue(site, &account, &Wish::of(&["a.example.org"])).await;
    let revoked = issue(site, &account, &Wish::of(&["b.example.org"])).await;
    let request = RevocationRequest {
        certificate: &leaf(&revoked),
        reason: Some(RevocationReason::KeyCompromise),
    };
    account.revoke(&request).await.unwrap();
    (
        Issued::from_pem(site, &good),
        Issued::from_pem(site, &revoked),
    )
}

#[tokio::test]
async fn i04_a_ca_with_p_384_has_no_errors() {
    ca_has_no_errors("p-384").await;
}

#[tokio::test]
async fn i04_a_ca_with_rsa_2048_has_no_errors() {
    ca_has_no_errors("rsa-2048").await;
}

#[tokio::test]
async fn i04_a_ca_with_rsa_4096_has_no_errors() {
    ca_has_no_errors("rsa-4096").await;
}

#[tokio::test]
async fn i04_a_ca_with_ed25519_has_no_errors() {
    ca_has_no_errors("ed25519").await;
}
