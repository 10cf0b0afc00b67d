//! The event log, carried to a log collector: rsyslog, over TLS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestServer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::Api;
use super::mail::identity;
use crate::interop::process::{Background, command, eventually, tools};

/// rsyslog; what it understood of each message is a line in a file.
struct Collector {
    folder: TempDir,
    ca: String,
    process: Option<Background>,
    port: u16,
}

impl Collector {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = identity(folder.path());
        let mut collector = Self {
            folder,
            ca,
            process: None,
            port: 0,
        };
        collector.run().await;
        collector
    }

    /// Starts it, on the port it had.
    async fn run(&mut self) {
        let path = self.folder.path();
        let port_file = path.join("port");
        let _ = std::fs::remove_file(&port_file);
        let text = CONFIGURATION
            .replace("FOLDER", &path.display().to_string())
            .replace("PORT", &self.port.to_string());
        std::fs::write(path.join("rsyslog.conf"), text).unwrap();
        let root = tools().join("rsyslog");
        let libraries = libraries(&root);
        let mut rsyslog = command(root.join("usr/sbin/rsyslogd"));
        rsyslog
            .args(["-n", "-f"])
            .arg(path.join("rsyslog.conf"))
            .arg("-M")
            .arg(libraries.join("rsyslog"))
            .arg("-i")
            .arg(path.join("pid"))
            .env("LD_LIBRARY_PATH", libraries);
        let process = Background::start(&mut rsyslog, &path.join("rsyslog.log"));
        if self.port != 0 {
            let listens = async || TcpStream::connect(("127.0.0.1", self.port)).await.ok();
            eventually(listens, || process.log()).await;
            self.process = Some(process);
            return;
        }
        self.port = eventually(
            async || {
                std::fs::read_to_string(&port_file)
                    .ok()?
                    .trim()
                    .parse()
                    .ok()
            },
            || process.log(),
        )
        .await;
        self.process = Some(process);
    }

    fn stop(&mut self) {
        self.process = None;
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("messages"));
        text.unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn channel(&self, format: &str) -> Value {
        json!({
            "kind": "syslog", "stream": "beginning",
            "settings": {
                "host": "127.0.0.1", "port": self.port, "ca": self.ca, "format": format,
                "hostname": "ca.example.org",
            },
        })
    }
}

/// Debian has a folder of libraries for each machine.
fn libraries(root: &Path) -> PathBuf {
    let folders = std::fs::read_dir(root.join("usr/lib"))
        .expect("rsyslog is not there; `make test-tools` installs it");
    let mut found = folders.map(|entry| entry.unwrap().path());
    found.find(|path| path.join("rsyslog").exists()).unwrap()
}

const CONFIGURATION: &str = r#"
global(workDirectory="FOLDER" maxMessageSize="64k" DefaultNetstreamDriver="gtls"
    DefaultNetstreamDriverCAFile="FOLDER/cert.pem"
    DefaultNetstreamDriverCertFile="FOLDER/cert.pem"
    DefaultNetstreamDriverKeyFile="FOLDER/key.pem")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon")
template(name="understood" type="string"
    string="%pri%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\n")
input(type="imtcp" port="PORT" address="127.0.0.1" listenPortFileName="FOLDER/port")
action(type="omfile" file="FOLDER/messages" template="understood")
"#;

/// The positions of what arrived, as the messages number themselves.
fn positions(lines: &[String]) -> Vec<i64> {
    lines
        .iter()
        .map(|line| {
            let (_, rest) = line.split_once("sequenceId=\"").unwrap();
            rest.split_once('"').unwrap().0.parse().unwrap()
        })
        .collect()
}

async fn log_end(server: &TestServer) -> i64 {
    while server.lifecycle().seal_events().await.unwrap() {}
    let events = server.lifecycle().sealed_events(0, 10_000).await.unwrap();
    events.last().unwrap().position
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_the_whole_log_reaches_a_collector_over_tls_in_its_order() {
    let mut collector = Collector::start().await;
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let client = server.registered_client().await;
    client.issue(&server, &["one.example.org"]).await;
    api.put(
        &server,
        "notification-channels/siem",
        collector.channel("cef"),
    )
    .await;
    let end = log_end(&server).await;
    server
        .run_jobs_until(async || positions(&collector.lines()).last() == Some(&end))
        .await;
    // While the collector is away nothing is lost.
    collector.stop();
    client.issue(&server, &["two.example.org"]).await;
    let end = log_end(&server).await;
    server
        .run_jobs_until(async || {
            let shown = api.get(&server, "notification-channels/siem").await;
            !shown["stream_status"]["last_error"].is_null()
        })
        .await;
    collector.run().await;
    server.clock.advance(Duration::from_secs(301));
    server
        .run_jobs_until(async || positions(&collector.lines()).last() >= Some(&end))
        .await;
    let lines = collector.lines();
    let mut expected: Vec<i64> = (1..=positions(&lines).len() as i64).collect();
    assert_eq!(positions(&lines), expected, "every event once, in order");
    expected.retain(|position| *position <= end);
    assert_eq!(expected.last(), Some(&end));
    let issued: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("|certificate.issued|"))
        .collect();
    let line = issued.last().unwrap();
    assert!(
        line.starts_with("110|ca.example.org|certwright|certificate.issued|[origin "),
        "{line}"
    );
    assert!(line.contains("CEF:0|Certwright|Certwright|"), "{line}");
    assert!(line.contains("dhost=two.example.org"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_believed_gets_nothing() {
    let collector = Collector::start().await;
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let other = tempfile::tempdir().unwrap();
    let mut channel = collector.channel("json");
    channel["settings"]["ca"] = json!(identity(other.path()));
    api.put(&server, "notification-channels/siem", channel)
        .await;
    server
        .run_jobs_until(async || {
            let shown = api.get(&server, "notification-channels/siem").await;
            let error = shown["stream_status"]["last_error"].to_string();
            error.contains("TLS handshake failed")
        })
        .await;
    assert!(collector.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_over_tcp_and_udp_in_json_and_ocsf() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (name, port, transport, format) in [
        ("stream", tcp.local_addr().unwrap().port(), "tcp", "json"),
        ("datagram", udp.local_addr().unwrap().port(), "udp", "ocsf"),
    ] {
        let settings = json!({
            "host": "127.0.0.1", "port": port, "transport": transport, "format": format,
        });
        let channel = json!({"kind": "syslog", "settings": settings});
        api.put(&server, &format!("notification-channels/{name}"), channel)
            .await;
    }
    let rule = json!({"channels": ["stream", "datagram"], "events": ["account.created"]});
    api.put(&server, "notification-rules/accounts", rule).await;
    server.registered_client().await;
    server.run_jobs().await;
    let (mut stream, _) = tcp.accept().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (length, message) = text.split_once(' ').unwrap();
    assert_eq!(length.parse(), Ok(message.len()));
    let event: Value = serde_json::from_str(&message[message.find('{').unwrap()..]).unwrap();
    assert_eq!(event["name"], "account.created");
    let mut datagram = vec![0; 65_536];
    let length = udp.recv(&mut datagram).await.unwrap();
    let text = String::from_utf8(datagram[..length].to_vec()).unwrap();
    let event: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    assert_eq!(event["class_uid"], 3004);
    assert_eq!(event["metadata"]["event_code"], "account.created");
}
