//! moto, which answers as AWS does, in a process of its own.

use serde_json::Value;
use tempfile::TempDir;

use crate::interop::host::Host;
use crate::interop::process::{Background, eventually, succeed, tool};

/// The running emulator.
pub struct Moto {
    pub url: String,
    host: Host,
    folder: TempDir,
    process: Background,
}

impl Moto {
    /// Starts it.
    pub async fn start() -> Self {
        let host = Host::claim();
        let folder = tempfile::tempdir().unwrap();
        let mut server = tool("moto_server");
        server.args(["-H", &host.ip.to_string(), "-p", "5000"]);
        let process = Background::start(&mut server, &folder.path().join("moto.log"));
        let moto = Self {
            url: format!("http://{}", host.at(5000)),
            host,
            folder,
            process,
        };
        let listens = async || {
            tokio::net::TcpStream::connect(moto.host.at(5000))
                .await
                .ok()
        };
        eventually(listens, || moto.process.log()).await;
        moto
    }

    /// Runs a few lines of Python with `session`, a boto3 session, and `url`; what they print is JSON.
    pub async fn python(&self, lines: &str) -> Value {
        let script = self.folder.path().join("script.py");
        let text = format!("{PRELUDE}\nurl = '{}'\n{lines}\n", self.url);
        std::fs::write(&script, text).unwrap();
        let printed = succeed(tool("python").arg(&script)).await;
        serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"))
    }
}

const PRELUDE: &str = "import boto3, json
session = boto3.Session('AKIAEXAMPLE', 'secret', region_name='eu-central-1')";
