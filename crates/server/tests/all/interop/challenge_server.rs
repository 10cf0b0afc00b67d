//! `pebble-challtestsrv`: a DNS server under which every name is the test's own host, and web servers that
//! answer challenges as they are told to.

use std::path::Path;

use serde_json::{Value, json};

use super::host::{DNS_PORT, HTTP01_PORT, Host, MANAGEMENT_PORT, TLSALPN01_PORT};
use super::process::{Background, eventually, tool};

/// Who answers at the ports of http-01 and tls-alpn-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// The ACME client.
    Client,
    /// This server, as the client tells it.
    ChallengeServer,
}

/// The running server.
pub struct ChallengeServer {
    process: Background,
    /// Where it is told what to answer.
    pub management: String,
}

impl ChallengeServer {
    /// Starts it on the test's host.
    pub async fn start(host: &Host, answering: Answering, folder: &Path) -> Self {
        let web = |port| match answering {
            Answering::Client => String::new(),
            Answering::ChallengeServer => host.at(port).to_string(),
        };
        let mut command = tool("pebble-challtestsrv");
        command
            .args(["-dns01", &host.at(DNS_PORT).to_string()])
            .args(["-http01", &web(HTTP01_PORT)])
            .args(["-tlsalpn01", &web(TLSALPN01_PORT)])
            .args(["-https01", ""])
            .args(["-management", &host.at(MANAGEMENT_PORT).to_string()])
            .args(["-defaultIPv4", &host.ip.to_string()])
            .args(["-defaultIPv6", ""]);
        let server = Self {
            process: Background::start(&mut command, &folder.join("challtestsrv.log")),
            management: format!("http://{}", host.at(MANAGEMENT_PORT)),
        };
        eventually(
            async || {
                server
                    .tell("clear-txt", &json!({ "host": "unused." }))
                    .await
                    .ok()
            },
            || server.process.log(),
        )
        .await;
        server
    }

    /// The TXT record of a dns-01 challenge.
    pub async fn set_txt(&self, domain: &str, value: &str) {
        let record = json!({ "host": format!("_acme-challenge.{domain}."), "value": value });
        self.tell("set-txt", &record).await.unwrap();
    }

    /// The file of an http-01 challenge.
    pub async fn add_http01(&self, token: &str, key_authorization: &str) {
        let file = json!({ "token": token, "content": key_authorization });
        self.tell("add-http01", &file).await.unwrap();
    }

    /// The certificate of a tls-alpn-01 challenge.
    pub async fn add_tlsalpn01(&self, domain: &str, key_authorization: &str) {
        let certificate = json!({ "host": domain, "content": key_authorization });
        self.tell("add-tlsalpn01", &certificate).await.unwrap();
    }

    async fn tell(&self, what: &str, body: &Value) -> Result<(), reqwest::Error> {
        reqwest::Client::new()
            .post(format!("{}/{what}", self.management))
            .body(body.to_string())
            .send()
            .await?
            .error_for_status()
            .map(drop)
    }
}
