//! Caddy, a web server that gets certificates by itself.

use serde_json::{Value, json};

use super::challenge_server::Answering;
use super::host::{HTTP01_PORT, TLSALPN01_PORT};
use super::openssl::Issued;
use super::process::{Background, eventually, succeed, tool};
use super::site::Site;

const NAME: &str = "web.example.org";

/// A configuration for one site whose certificates come from the server, by the challenge left open.
fn config(site: &Site, challenges: &Value, extra: &Value) -> Value {
    let mut issuer = json!({
        "module": "acme",
        "ca": site.directory(),
        "email": "ops@example.org",
        "trusted_roots_pem_files": [site.root()],
        "challenges": challenges,
    });
    if let (Some(issuer), Some(extra)) = (issuer.as_object_mut(), extra.as_object()) {
        issuer.extend(extra.clone());
    }
    json!({
        "admin": { "disabled": true },
        "storage": { "module": "file_system", "root": site.file("caddy") },
        "apps": {
            "http": {
                "http_port": HTTP01_PORT,
                "https_port": TLSALPN01_PORT,
                "servers": { "web": {
                    "listen": [site.host.at(TLSALPN01_PORT)],
                    "automatic_https": { "disable_redirects": true },
                    "routes": [{
                        "match": [{ "host": [NAME] }],
                        "handle": [{ "handler": "static_response", "body": "served" }],
                    }],
                }},
            },
            "tls": { "automation": {
                "policies": [{ "subjects": [NAME], "issuers": [issuer] }],
            }},
        },
    })
}

fn caddy(site: &Site, config: &Value) -> Background {
    let path = site.file("caddy.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let mut run = tool("caddy");
    run.env("HOME", &site.folder)
        .args(["run", "--config"])
        .arg(path);
    Background::start(&mut run, &site.file("caddy.log"))
}

/// The chain that Caddy shows to a browser, once it has one that leads to the server's root.
async fn served_chain(site: &Site, caddy: &Background) -> Issued {
    let address = site.host.at(TLSALPN01_PORT).to_string();
    let chain = eventually(
        async || {
            let mut connect = tool("openssl");
            connect.args([
                "s_client",
                "-connect",
                &address,
                "-servername",
                NAME,
                "-showcerts",
            ]);
            connect.args(["-verify_return_error", "-verify_hostname", NAME, "-CAfile"]);
            let ended = super::process::run(connect.arg(site.root())).await;
            ended.succeeded.then_some(ended.output)
        },
        || format!("{}\n{}", caddy.log(), site.log()),
    )
    .await;
    Issued::from_pem(site, &certificates(&chain))
}

/// The PEM blocks in the output of `openssl s_client`.
fn certificates(output: &str) -> String {
    let blocks = output.split("-----BEGIN CERTIFICATE-----").skip(1);
    let block = |block: &str| {
        let (body, _) = block.split_once("-----END CERTIFICATE-----").unwrap();
        format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n")
    };
    blocks.map(block).collect()
}

#[tokio::test]
async fn caddy_serves_with_a_certificate_by_tls_alpn_01() {
    let site = Site::start().await;
    let challenges = json!({
        "http": { "disabled": true },
        "tls-alpn": { "alternate_port": TLSALPN01_PORT },
        "bind_host": site.host.ip,
    });
    let caddy = caddy(&site, &config(&site, &challenges, &json!({})));
    let issued = served_chain(&site, &caddy).await;
    issued.verify_for(&site, NAME).await;
    assert_eq!(issued.ocsp_status(&site).await, "good");
}

#[tokio::test]
async fn caddy_serves_with_a_certificate_by_http_01_and_an_external_account() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::Client, &required).await;
    let (kid, hmac) = site.eab_key().await;
    let challenges = json!({
        "tls-alpn": { "disabled": true },
        "http": { "alternate_port": HTTP01_PORT },
        "bind_host": site.host.ip,
    });
    let binding = json!({ "external_account": { "key_id": kid, "mac_key": hmac } });
    let caddy = caddy(&site, &config(&site, &challenges, &binding));
    served_chain(&site, &caddy)
        .await
        .verify_for(&site, NAME)
        .await;
}

#[tokio::test]
async fn caddy_renews_by_itself_and_staples_ocsp() {
    let site = Site::start().await;
    let challenges = json!({
        "http": { "disabled": true },
        "tls-alpn": { "alternate_port": TLSALPN01_PORT },
        "bind_host": site.host.ip,
    });
    let mut config = config(&site, &challenges, &json!({}));
    // Whatever is left of a certificate's life, it is time to renew.
    config["apps"]["tls"]["automation"]["policies"][0]["renewal_window_ratio"] = json!(1.0);
    config["apps"]["tls"]["automation"]["renew_interval"] = json!("1s");
    let caddy = caddy(&site, &config);
    let first = served_chain(&site, &caddy).await.text().await;
    eventually(
        async || {
            let text = served_chain(&site, &caddy).await.text().await;
            (text != first).then_some(())
        },
        || caddy.log(),
    )
    .await;
    let mut connect = tool("openssl");
    let address = site.host.at(TLSALPN01_PORT).to_string();
    connect.args([
        "s_client",
        "-connect",
        &address,
        "-servername",
        NAME,
        "-status",
    ]);
    let shown = succeed(&mut connect).await;
    assert!(shown.contains("Cert Status: good"), "{shown}");
}
