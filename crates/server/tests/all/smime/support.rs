//! A server that sends challenges and reads replies, and a person with a mail program: aiosmtpd receives,
//! pymap is the IMAP server, dkimpy signs and verifies.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::role::Role;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Client, b64};

use crate::enroll::Api;
use crate::interop::process::{Background, Ended, eventually, run, tool};
use crate::notifications::mail::MailServer;

pub const MAILBOX: &str = "alice@example.org";

/// A server with the directory `mail`, in front of a mail server and a mailbox.
pub struct Post {
    pub server: TestServer,
    pub api: Api,
    pub client: Client,
    smtp: MailServer,
    imap: Imap,
    folder: tempfile::TempDir,
    /// The domain's and ours, by the names of their files.
    pub record: String,
}

struct Imap {
    port: u16,
    _process: Background,
}

impl Imap {
    async fn start(folder: &std::path::Path) -> Self {
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let mut pymap = tool("pymap");
        pymap.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        pymap.args(["--no-tls", "dict", "--demo-user", "acme"]);
        pymap.args(["--demo-password", "canary-of-the-mailbox"]);
        let process = Background::start(&mut pymap, &folder.join("imap.log"));
        let listens = async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .ok()
        };
        eventually(listens, || process.log()).await;
        Self {
            port,
            _process: process,
        }
    }
}

/// A challenge that arrived.
pub struct Arrived {
    /// Of the challenge as ACME shows it.
    pub challenge: Value,
    pub authorization: String,
    pub order_url: String,
    pub order: Value,
    pub subject: String,
    pub id: String,
    pub raw: Vec<u8>,
}

impl Post {
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// With further lines of the section.
    pub async fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (smtp, imap) = (MailServer::start().await, Imap::start(folder.path()).await);
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("smtp-ca.pem"), &smtp.ca).unwrap();
        std::fs::write(at("imap-password"), "canary-of-the-mailbox\n").unwrap();
        let key = LocalKey::generate(KeyAlgorithm::Rsa2048).unwrap();
        std::fs::write(at("dkim.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
        let record = format!(
            "v=DKIM1; k=rsa; p={}",
            STANDARD.encode(key.public_key().spki_der())
        );
        let tables = format!(
            "[email_challenge]\nfrom = \"Our CA <acme@ca.example.org>\"\nsmtp_host = \"127.0.0.1\"\n\
             smtp_port = {}\nsmtp_username = \"ca\"\nsmtp_password = \"canary-of-the-mail-password\"\n\
             smtp_ca = \"{}\"\nimap_host = \"127.0.0.1\"\nimap_port = {}\nimap_tls = false\n\
             imap_username = \"acme\"\nimap_password_file = \"{}\"\ndkim_domain = \"ca.example.org\"\n\
             dkim_selector = \"ours\"\ndkim_key_file = \"{}\"\n{lines}",
            smtp.port,
            at("smtp-ca.pem").display(),
            imap.port,
            at("imap-password").display(),
            at("dkim.pem").display(),
        );
        let server = TestServer::start_with(&tables).await;
        server.dns.add_txt("mua._domainkey.example.org", &record);
        let api = Api::of(&server, Role::Administrator).await;
        let rules = json!(domain::profile::preset::smime("issuing"));
        let path = "/api/v1/profiles/smime";
        let put = async |path: &str, body: Value| {
            let answer = api.call(Method::PUT, path, Some(body)).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.body);
        };
        put(path, rules).await;
        let directory = json!({ "profiles": ["smime"] });
        put("/api/v1/acme/directories/mail", directory).await;
        let mut client = Client::new(&server.directory_url("mail")).await;
        client.register().await.assert_status(201);
        Self {
            server,
            api,
            client,
            smtp,
            imap,
            folder,
            record,
        }
    }

    /// Orders, and waits for the challenge's mail.
    pub async fn order(&self, mailbox: &str) -> Arrived {
        let before = self.smtp.mails().len();
        let answer = self.client.new_order(&[mailbox]).await;
        answer.assert_status(201);
        let (order_url, order) = (answer.location(), answer.json());
        let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
        let arrived = async || self.smtp.mails().len() > before;
        self.server.run_jobs_until(arrived).await;
        let mail = self.smtp.mails().remove(before);
        let text = |name: &str| mail[name].as_str().unwrap().to_owned();
        assert_eq!(mail["to"], json!([mailbox]));
        Arrived {
            challenge: self
                .client
                .challenge(&authorization, "email-reply-00")
                .await,
            authorization,
            order_url,
            order,
            subject: text("subject"),
            id: text("id"),
            raw: STANDARD.decode(text("raw")).unwrap(),
        }
    }

    /// What a right reply says (RFC 8823 section 3).
    pub fn digest(&self, arrived: &Arrived) -> String {
        let mailed = arrived.subject.strip_prefix("ACME: ").unwrap();
        let told = arrived.challenge["token"].as_str().unwrap();
        let text = self.client.key_authorization(&format!("{mailed}{told}"));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        b64(digest)
    }

    /// How this mailbox's domain signs.
    pub fn signature(&self) -> Value {
        json!({ "key": self.file("dkim.pem"), "selector": "mua", "domain": "example.org" })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a mail into the mailbox.
    pub async fn deliver(&self, mail: &str, sign: Value, after: Value) {
        let order = json!({
            "do": "deliver", "mail": STANDARD.encode(mail), "sign": sign, "after": after,
            "port": self.imap.port,
        });
        let ended = self.python(order).await;
        assert!(ended.succeeded, "{}", ended.said);
    }

    /// Whether dkimpy finds a mail signed by the holder of the key.
    pub async fn is_signed(&self, mail: &[u8]) -> bool {
        let order = json!({ "do": "verify", "mail": STANDARD.encode(mail), "key": self.record });
        self.python(order).await.succeeded
    }

    async fn python(&self, order: Value) -> Ended {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/smime/mailbox.py");
        let file = self.file("order.json");
        std::fs::write(&file, order.to_string()).unwrap();
        run(tool("python").arg(script).arg(&file)).await
    }

    /// Lets time pass and jobs run until something is so.
    pub async fn until(&self, mut done: impl AsyncFnMut() -> bool) {
        let reached = async || {
            self.server.clock.advance(Duration::from_secs(11));
            self.server.run_jobs().await;
            done().await
        };
        self.server.run_jobs_until(reached).await;
    }

    /// The challenge as it stands.
    pub async fn challenge(&self, arrived: &Arrived) -> Value {
        let url = arrived.challenge["url"].as_str().unwrap();
        self.client.get(url).await.json()
    }

    /// Waits until a refused reply shows in the challenge.
    pub async fn told(&self, arrived: &Arrived, because: &str) -> Value {
        let seen = async || {
            let challenge = self.challenge(arrived).await;
            challenge["error"].to_string().contains(because)
        };
        self.until(seen).await;
        self.challenge(arrived).await
    }
}

impl Arrived {
    /// A reply as a mail program writes it.
    pub fn reply(&self, digest: &str) -> String {
        format!(
            "From: Alice <{MAILBOX}>\r\nTo: acme@ca.example.org\r\nSubject: Re: {}\r\n\
             In-Reply-To: {}\r\nDate: Tue, 24 Nov 2026 02:00:00 +0000\r\nMessage-ID: \
             <reply@example.org>\r\nContent-Type: text/plain\r\n\r\n{}",
            self.subject,
            self.id,
            block(digest),
        )
    }
}

pub fn block(digest: &str) -> String {
    format!("-----BEGIN ACME RESPONSE-----\r\n{digest}\r\n-----END ACME RESPONSE-----\r\n")
}
