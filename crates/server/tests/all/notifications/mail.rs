//! Mail, taken by a mail server that asks for STARTTLS and a password.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestServer;

use super::Api;
use crate::interop::process::{Background, eventually, tool};

/// The mail server; its mails are lines of JSON in a file.
pub struct MailServer {
    folder: TempDir,
    pub port: u16,
    /// Its certificate, in PEM.
    pub ca: String,
    _process: Background,
}

impl MailServer {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = identity(folder.path());
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/all/notifications/mail_server.py"
        );
        let log = folder.path().join("log");
        let process = Background::start(tool("python").arg(script).arg(folder.path()), &log);
        let port = folder.path().join("port");
        let port = eventually(
            async || std::fs::read_to_string(&port).ok()?.trim().parse().ok(),
            || process.log(),
        )
        .await;
        Self {
            folder,
            port,
            ca,
            _process: process,
        }
    }

    /// The settings of a channel to it.
    pub fn channel(&self) -> Value {
        json!({
            "kind": "smtp",
            "settings": {
                "host": "127.0.0.1", "port": self.port, "ca": self.ca,
                "username": "ca", "password": "canary-of-the-mail-password",
                "from": "Certwright <ca@example.org>", "to": ["ops@example.org"],
            },
        })
    }

    /// What has arrived.
    pub fn mails(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("mails")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A certificate for 127.0.0.1 and its key, as files; gives the certificate.
pub fn identity(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_a_mail_arrives_once_with_a_stable_id() {
    let (server, mail) = (TestServer::start().await, MailServer::start().await);
    let api = Api::of(&server).await;
    api.put(&server, "notification-channels/mail", mail.channel())
        .await;
    let rule = json!({
        "channels": ["mail"], "events": ["certificate.issued"],
        "recipients": {"addresses": ["team@example.org", "ops@example.org"]},
    });
    api.put(&server, "notification-rules/issued", rule).await;
    let client = server.registered_client().await;
    client.issue(&server, &["mail.example.org"]).await;
    server
        .run_jobs_until(async || !mail.mails().is_empty())
        .await;
    super::settle(&server).await;
    let mails = mail.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let sent = &mails[0];
    assert_eq!(sent["from"], "ca@example.org");
    assert_eq!(sent["to"], json!(["ops@example.org", "team@example.org"]));
    assert_eq!(sent["tls"], true);
    assert_eq!(
        sent["subject"],
        "[Certwright] certificate issued: mail.example.org"
    );
    let deliveries = api.get(&server, "notification-deliveries").await;
    let id = deliveries["items"][0]["id"].as_str().unwrap();
    assert_eq!(sent["id"], format!("<{id}@example.org>"));
    assert_eq!(sent["auto"], "auto-generated");
    let (text, html) = (
        sent["text"].as_str().unwrap(),
        sent["html"].as_str().unwrap(),
    );
    assert!(text.contains("Names:    mail.example.org\n"), "{text}");
    assert!(html.contains("<td>mail.example.org</td>"), "{html}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_not_believed_or_does_not_believe_gets_no_mail() {
    let (server, mail) = (TestServer::start().await, MailServer::start().await);
    let api = Api::of(&server).await;
    let other = tempfile::tempdir().unwrap();
    for (name, setting, value, says) in [
        ("root", "ca", identity(other.path()), "TLS"),
        ("password", "password", "wrong".to_owned(), "password (535)"),
        (
            "recipient",
            "to",
            "refused@example.org".to_owned(),
            "refuses the mail (550)",
        ),
    ] {
        let mut channel = mail.channel();
        channel["settings"][setting] = match setting {
            "to" => json!([value]),
            _ => json!(value),
        };
        let path = format!("notification-channels/{name}");
        api.put(&server, &path, channel).await;
        let path = format!("{path}/test");
        let (_, result) = api.call(&server, Method::POST, &path, None).await;
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(says), "{name}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    assert!(mail.mails().is_empty());
    api.put(&server, "notification-channels/mail", mail.channel())
        .await;
    let path = "notification-channels/mail/test";
    let (_, result) = api.call(&server, Method::POST, path, None).await;
    assert_eq!(result, json!({"delivered": true}));
    eventually(
        async || (!mail.mails().is_empty()).then_some(()),
        || "no mail".to_owned(),
    )
    .await;
    tokio::time::sleep(Duration::from_millis(1)).await;
}
