//! BIND as a name server that takes signed updates, in a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UdpSocket;

use crate::interop::process::{Background, command, eventually, tools};

/// The octets of the key `certwright.`
pub const SECRET: &str = "c2l4dGVlbiBvY3RldHMgYXJlIG5vdCBlbm91Z2ghISE=";

/// The running server, primary for `example.org` and `example.net`.
pub struct Bind {
    pub address: SocketAddr,
    _folder: TempDir,
    process: Background,
}

impl Bind {
    /// Starts it.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        // It listens on addresses of interfaces only, and of those all tests share one.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let text = CONFIGURATION
            .replace("FOLDER", &path.display().to_string())
            .replace("PORT", &address.port().to_string())
            .replace("SECRET", SECRET);
        std::fs::write(path.join("named.conf"), text).unwrap();
        for zone in ["example.org", "example.net"] {
            let alias = "_acme-challenge.shop 60 IN CNAME shop.acme.example.org.\n";
            let more = if zone == "example.net" { alias } else { "" };
            std::fs::write(path.join(zone), format!("{ZONE}{more}")).unwrap();
        }
        let root = tools().join("bind");
        let mut named = command(root.join("usr/sbin/named"));
        named
            .args(["-g", "-n", "1", "-c"])
            .arg(path.join("named.conf"))
            .env("LD_LIBRARY_PATH", libraries(&root));
        let process = Background::start(&mut named, &path.join("named.log"));
        let bind = Self {
            address,
            _folder: folder,
            process,
        };
        let answers = async || bind.ask("example.org", RecordType::SOA).await;
        eventually(answers, || bind.process.log()).await;
        bind
    }

    /// What the solver is configured with.
    pub fn provider(&self) -> Value {
        json!({"type": "rfc2136", "server": self.address.to_string(), "tsig_name": "certwright."})
    }

    /// The TXT records of a name.
    pub async fn texts(&self, name: &str) -> Vec<String> {
        let answer = self.ask(name, RecordType::TXT).await.unwrap();
        let texts = answer
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::TXT(text) => Some(String::from_utf8(text.txt_data.concat()).unwrap()),
                _ => None,
            });
        texts.collect()
    }

    /// How often a record of this name was added.
    pub fn additions(&self, name: &str) -> usize {
        let words = format!("adding an RR at '{name}'");
        self.process.log().matches(&words).count()
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Option<Message> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let name = Name::from_ascii(format!("{name}.")).unwrap();
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Query;
        message.add_query(Query::query(name, kind));
        let octets = message.to_vec().unwrap();
        socket.send_to(&octets, self.address).await.ok()?;
        let mut buffer = [0; 4096];
        let wait = std::time::Duration::from_secs(1);
        let received = tokio::time::timeout(wait, socket.recv(&mut buffer)).await;
        let length = received.ok()?.ok()?;
        Message::from_vec(&buffer[..length]).ok()
    }
}

/// Debian has a folder of libraries for each machine.
pub(super) fn libraries(root: &Path) -> PathBuf {
    let folders = std::fs::read_dir(root.join("usr/lib"))
        .expect("it is not there; `make test-tools` installs it");
    let mut found = folders.map(|entry| entry.unwrap().path());
    found
        .find(|path| path.to_string_lossy().ends_with("-linux-gnu"))
        .unwrap()
}

const CONFIGURATION: &str = r#"
options {
    directory "FOLDER";
    pid-file "FOLDER/pid";
    session-keyfile "FOLDER/session.key";
    managed-keys-directory "FOLDER";
    listen-on port PORT { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion yes;
    allow-recursion { any; };
    dnssec-validation no;
    notify no;
};
controls { };
key "certwright." { algorithm hmac-sha256; secret "SECRET"; };
zone "example.org" { type primary; file "FOLDER/example.org"; allow-update { key "certwright."; }; };
zone "example.net" { type primary; file "FOLDER/example.net"; };
"#;

const ZONE: &str = "$TTL 60\n\
@ IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60\n\
@ IN NS ns.example.org.\n\
* IN A 127.0.0.1\n";
