//! dns-01 by a program of the operator's: one run for each record, told by JSON on its standard input.
//!
//! `{"action": "put" | "remove" | "check", "name": "_acme-challenge.example.com", "value": "…"}`; name
//! and value are empty for a check.
//! Exit code 0 is success, 75 (EX_TEMPFAIL) asks for another try, everything else is a refusal whose
//! last line on standard error is told to people.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{ChallengeSolver, Proof, SolveError, SolverPorts};
use crate::net::excerpt;

const DEADLINE: Duration = Duration::from_secs(60);
const MAX_OUTPUT: u64 = 16 * 1024;
const TEMPORARY_FAILURE: i32 = 75;

struct Program {
    path: PathBuf,
    name: String,
}

pub(super) fn open(program: &str, ports: &SolverPorts) -> Result<Arc<dyn ChallengeSolver>, String> {
    let directory = ports.environment.commands.as_ref().ok_or(
        "programs may not be run; name their directory in the server's configuration as `ca.command_directory`",
    )?;
    if program.is_empty() || program.starts_with('.') || program.contains('/') {
        return Err("`program` is the name of a file in `ca.command_directory`".to_owned());
    }
    Ok(Arc::new(Program {
        path: directory.join(program),
        name: program.to_owned(),
    }))
}

#[async_trait]
impl ChallengeSolver for Program {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        self.run("put", proof).await
    }

    async fn remove(&self, proof: &Proof) -> Result<(), SolveError> {
        self.run("remove", proof).await
    }

    async fn check(&self) -> Result<String, SolveError> {
        let proof = Proof {
            name: String::new(),
            value: String::new(),
        };
        self.run("check", &proof).await?;
        Ok(format!("{} says that it can", self.name))
    }
}

impl Program {
    async fn run(&self, action: &str, proof: &Proof) -> Result<(), SolveError> {
        let input = json!({"action": action, "name": proof.name, "value": proof.value});
        match tokio::time::timeout(DEADLINE, self.talk(&input)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SolveError::Unavailable(format!(
                "{} did not end within {} s",
                self.name,
                DEADLINE.as_secs()
            ))),
        }
    }

    async fn talk(&self, input: &Value) -> Result<(), SolveError> {
        let failed = |error: std::io::Error| {
            SolveError::Unavailable(format!("{} cannot be run: {error}", self.name))
        };
        let mut child = Command::new(&self.path)
            // What this server was told by its environment is not the program's business.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input may still know what to do.
            let _ = stdin.write_all(input.to_string().as_bytes()).await;
        }
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut bounded = stderr.take(MAX_OUTPUT);
            bounded.read_to_end(&mut said).await.map_err(failed)?;
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let last = said.trim_ascii_end().rsplit(|o| *o == b'\n').next();
        let text = format!(
            "{} ended with {status}: {}",
            self.name,
            excerpt(last.unwrap_or_default())
        );
        match status.code() {
            Some(TEMPORARY_FAILURE) => Err(SolveError::Unavailable(text)),
            _ => Err(SolveError::Refused(text)),
        }
    }
}
