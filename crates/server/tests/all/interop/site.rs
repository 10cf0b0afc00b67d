//! The `certwright` binary as a process, with the surroundings that a client needs.

use std::path::{Path, PathBuf};

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::challenge_server::{Answering, ChallengeServer};
use super::host::{DNS_PORT, HTTP01_PORT, Host, PKI_PORT, TLSALPN01_PORT};
use super::process::{Background, command, eventually, succeed};

/// What stands in certificates where a test wants a public name in them.
pub const PKI_URL: &str = "http://pki.example.com";

/// A server with an empty data directory, the test's host, and the resolver that knows it.
pub struct Site {
    pub host: Host,
    pub challenges: ChallengeServer,
    /// A folder for the client.
    pub folder: PathBuf,
    /// `https://localhost:<port>`
    pub url: String,
    process: Background,
    scratch: TempDir,
}

impl Site {
    /// A site where the client answers http-01 and tls-alpn-01 on the host.
    pub async fn start() -> Self {
        Self::with(Answering::Client, &[]).await
    }

    /// A site with further configuration, as `("CA__ISSUER_KEY_ALGORITHM", "rsa-2048")`.
    pub async fn with(answering: Answering, settings: &[(&str, &str)]) -> Self {
        // An error means that another test of this process was first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let host = Host::claim();
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("client");
        std::fs::create_dir(&folder).unwrap();
        let challenges = ChallengeServer::start(&host, answering, scratch.path()).await;
        let mut serve = certwright(&data_of(&scratch));
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            // Certificates point to CRL and OCSP in plain HTTP, as they should.
            .env(
                "CERTWRIGHT_SERVER__HTTP_LISTEN",
                host.at(PKI_PORT).to_string(),
            )
            .env(
                "CERTWRIGHT_SERVER__PKI_URL",
                format!("http://{}", host.at(PKI_PORT)),
            )
            .env(
                "CERTWRIGHT_VALIDATION__HTTP01_PORT",
                HTTP01_PORT.to_string(),
            )
            .env(
                "CERTWRIGHT_VALIDATION__TLSALPN01_PORT",
                TLSALPN01_PORT.to_string(),
            )
            .env(
                "CERTWRIGHT_VALIDATION__RESOLVERS",
                host.at(DNS_PORT).to_string(),
            );
        for (key, value) in settings {
            serve.env(format!("CERTWRIGHT_{key}"), value);
        }
        let process = Background::start(&mut serve, &scratch.path().join("certwright.log"));
        let url = eventually(async || announced(&process.log()), || process.log()).await;
        let site = Self {
            host,
            challenges,
            folder,
            url,
            process,
            scratch,
        };
        eventually(
            async || site.get(&format!("{}/readyz", site.url)).await,
            || site.log(),
        )
        .await;
        site
    }

    /// The ACME directory that the first start makes.
    pub fn directory(&self) -> String {
        format!("{}/acme/default/directory", self.url)
    }

    /// The file with the trust anchor.
    pub fn root(&self) -> PathBuf {
        data_of(&self.scratch).join("root.pem")
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A fresh file name in the client's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file that can be executed into the client's folder.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name);
        std::fs::write(&path, format!("#!/bin/sh\nset -eu\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The URL under which something in [`PKI_URL`] is really served; others are what they are.
    pub fn reach(&self, url: &str) -> String {
        url.replace(PKI_URL, &format!("http://{}", self.host.at(PKI_PORT)))
    }

    /// The body behind a URL, if it is to be had.
    pub async fn get(&self, url: &str) -> Option<Vec<u8>> {
        let answer = self.https().get(url).send().await.ok()?;
        let body = answer.error_for_status().ok()?.bytes().await.ok()?;
        Some(body.to_vec())
    }

    /// What the server answers on a path, whatever it is.
    pub async fn answer(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        self.https().get(url).send().await.unwrap()
    }

    /// A client that trusts this server.
    fn https(&self) -> reqwest::Client {
        let root = std::fs::read(self.root()).unwrap();
        let root = reqwest::Certificate::from_pem(&root).unwrap();
        reqwest::Client::builder()
            .tls_certs_only([root])
            .build()
            .unwrap()
    }

    /// A key that binds accounts: its identifier and its HMAC key in base64url.
    pub async fn eab_key(&self) -> (String, String) {
        let body = json!({ "name": "interop" });
        let key = self
            .call(Method::POST, "/api/v1/acme/eab-keys", &body)
            .await;
        let text = |member: &str| key[member].as_str().unwrap().to_owned();
        (text("id"), text("hmac"))
    }

    /// Lets the ACME directory offer one more profile.
    pub async fn offer_profile(&self, profile: &str) {
        let offer = |rules: &mut Value| {
            rules["profiles"]
                .as_array_mut()
                .unwrap()
                .push(profile.into())
        };
        self.change("/api/v1/acme/directories/default", offer).await;
    }

    /// Changes the rules of something that has some.
    pub async fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut rules = self.call(Method::GET, path, &Value::Null).await["rules"].take();
        change(&mut rules);
        self.call(Method::PUT, path, &rules).await;
    }

    /// The link that the first administrator sets out from, which is printed a moment after the server answers.
    pub async fn setup_link(&self) -> String {
        let link = async || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("First login"))?;
            line.split_whitespace().last().map(str::to_owned)
        };
        eventually(link, || self.log()).await
    }

    /// A token that may do everything.
    pub async fn token(&self) -> String {
        let mut create = certwright(&data_of(&self.scratch));
        create.args([
            "token",
            "create",
            "--role",
            "administrator",
            "--name",
            "interop",
            "--data",
        ]);
        let token = succeed(create.arg(data_of(&self.scratch))).await;
        token.trim().to_owned()
    }

    /// Calls the REST API as an administrator.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let token = self.token().await;
        let answer = self
            .https()
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(token)
            .json(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }
}

/// The binary under test, which shall see nothing of the environment's configuration.
fn certwright(data: &Path) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_certwright"));
    command
        .env_clear()
        .env("CERTWRIGHT_SERVER__DATA_DIR", data)
        .current_dir(data.parent().unwrap());
    command
}

fn data_of(scratch: &TempDir) -> PathBuf {
    scratch.path().join("data")
}

/// The URL in `ACME directory    https://localhost:34567/acme/default/directory`.
fn announced(log: &str) -> Option<String> {
    let (_, line) = log.split_once("ACME directory")?;
    let (url, _) = line.split_once("/acme/default/directory")?;
    Some(url.trim().to_owned())
}
