//! Pebble as a CA elsewhere, in a process of its own.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interop::host::Host;
use crate::interop::process::{Background, eventually, tool};

/// The running CA.
pub struct Pebble {
    host: Host,
    _folder: TempDir,
    process: Background,
    certificate: String,
}

/// What differs from one test to the next.
#[derive(Clone, Copy)]
pub struct Habits {
    /// Where http-01 is looked at.
    pub http_port: u16,
    /// Who is asked for names.
    pub dns: SocketAddr,
    /// How many of a hundred good nonces are refused.
    pub nonces_refused: u32,
    /// The longest wait before a validation, in seconds.
    pub sleep: u32,
}

impl Pebble {
    /// Starts it on a host of its own.
    pub async fn start(habits: Habits) -> Self {
        let host = Host::claim();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let made = rcgen::generate_simple_self_signed([host.ip.to_string()]).unwrap();
        std::fs::write(path.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(path.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let config = json!({"pebble": {
            "listenAddress": host.at(PORT).to_string(),
            "managementListenAddress": host.at(MANAGEMENT).to_string(),
            "certificate": path.join("cert.pem"),
            "privateKey": path.join("key.pem"),
            "httpPort": habits.http_port,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": 90 * 24 * 60 * 60,
        }});
        std::fs::write(path.join("pebble.json"), config.to_string()).unwrap();
        let mut command = tool("pebble");
        command
            .arg("-config")
            .arg(path.join("pebble.json"))
            .args(["-dnsserver", &habits.dns.to_string()])
            .env("PEBBLE_WFE_NONCEREJECT", habits.nonces_refused.to_string())
            .env("PEBBLE_VA_SLEEPTIME", habits.sleep.to_string())
            .env("PEBBLE_AUTHZREUSE", "0");
        let process = Background::start(&mut command, &path.join("pebble.log"));
        let pebble = Self {
            certificate: made.cert.pem(),
            host,
            _folder: folder,
            process,
        };
        let listens = async || {
            tokio::net::TcpStream::connect(pebble.host.at(PORT))
                .await
                .ok()
        };
        eventually(listens, || pebble.log()).await;
        pebble
    }

    /// What an issuer is configured with, with this solver.
    pub fn settings(&self, solver: Value) -> Value {
        json!({
            "directory_url": format!("https://{}/dir", self.host.at(PORT)),
            "trust_anchors": self.certificate,
            "terms_of_service_agreed": true,
            "contact": ["mailto:pki@example.org"],
            "is_public": false,
            "solver": solver,
        })
    }

    /// Everything it has said.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// How often it said so.
    pub fn said(&self, words: &str) -> usize {
        self.log().matches(words).count()
    }
}

const PORT: u16 = 14000;
const MANAGEMENT: u16 = 15000;
