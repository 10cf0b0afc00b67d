//! The real binary as a process, for tests in which it dies or in which its surroundings are looked at.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::acme::Client;
use crate::dns::TestDns;
use crate::http01::TestWeb;

/// A server that is a process of its own, with the other ends that validation talks to.
pub struct ServerProcess {
    pub dns: TestDns,
    pub web: TestWeb,
    /// Holds the data directory `data`, the configuration and the log.
    pub folder: TempDir,
    program: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

impl ServerProcess {
    /// Writes the configuration with these TOML lines for section `ca` and tables behind it; starts
    /// nothing yet.
    pub async fn new(program: &str, ca: &str, tables: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (dns, web) = (TestDns::start().await, TestWeb::start().await);
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let data = folder.path().join("data");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\ndata_dir = \"{}\"\ntls = \"off\"\n\
             [ca]\n{ca}\n[validation]\nhttp01_port = {}\nresolvers = [\"{}\"]\n\
             retry_interval_seconds = 1\nretries = 1\n{tables}\n",
            data.display(),
            web.address.port(),
            dns.address,
        );
        std::fs::write(folder.path().join("certwright.toml"), text).unwrap();
        Self {
            dns,
            web,
            folder,
            program: program.into(),
            port,
            environment: Vec::new(),
            child: None,
        }
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts and waits until it is ready.
    pub async fn start(&mut self) {
        let command = Command::new(&self.program);
        self.start_by(command).await;
    }

    /// The same by another command, which is given the server's arguments.
    pub async fn start_by(&mut self, mut command: Command) {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.log_path())
            .unwrap();
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.path().join("certwright.toml"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        let url = format!("{}/readyz", self.url());
        for _ in 0..600 {
            if let Ok(answer) = reqwest::get(&url).await
                && answer.status() == 200
            {
                return;
            }
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server is not ready:\n{}", self.log());
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Its environment as the system shows it to its owner; `None` when it does not run.
    pub fn environment(&self) -> Option<Vec<u8>> {
        let pid = self.child.as_ref()?.id();
        Some(std::fs::read(format!("/proc/{pid}/environ")).unwrap())
    }

    /// Everything that it wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `http://…`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A client with an account.
    pub async fn registered_client(&self) -> Client {
        let mut client = Client::new(&format!("{}/acme/default/directory", self.url())).await;
        client.register().await.assert_status(201);
        client
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
