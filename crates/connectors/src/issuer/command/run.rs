//! Running the program: without a shell, with nothing of our environment, in a directory of its own
//! that goes with it, for a bounded time, and with a bounded answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use domain::issuer::{IssueError, IssuerSecrets};
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::located;
use crate::net::excerpt;

/// A program in the directory of commands.
pub(super) struct Program {
    pub(super) directory: PathBuf,
    pub(super) name: String,
    pub(super) time_limit: Duration,
}

impl Program {
    /// What the program writes to standard output when it is given `question`.
    pub(super) async fn run(
        &self,
        question: &[u8],
        secrets: &IssuerSecrets,
    ) -> Result<Vec<u8>, IssueError> {
        let path = located(&self.directory, &self.name)?;
        let desk = Desk::new().map_err(|error| self.failed(error.to_string()))?;
        let mut child = Command::new(path)
            .env_clear()
            .envs([
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
                ("LANG", "C.UTF-8"),
            ])
            .env("HOME", desk.path())
            .env("TMPDIR", desk.path())
            .current_dir(desk.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What it starts is stopped with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let name = &self.name;
                IssueError::NotReached(format!("the program `{name}` cannot be started: {error}"))
            })?;
        let group = Group::of(&child);
        let talk = self.talk(&mut child, question, secrets);
        let answer = match tokio::time::timeout(self.time_limit, talk).await {
            Ok(answer) => answer,
            Err(_) => Err(self.failed(format!(
                "did not answer within {} s and was stopped",
                self.time_limit.as_secs()
            ))),
        };
        drop(group);
        answer
    }

    async fn talk(
        &self,
        child: &mut Child,
        question: &[u8],
        secrets: &IssuerSecrets,
    ) -> Result<Vec<u8>, IssueError> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let tell = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read to the end may still know what to answer.
                let _ = stdin.write_all(question).await;
            }
        };
        let (_, answer, complaint) = tokio::join!(
            tell,
            read(stdout, LONGEST_ANSWER),
            read(stderr, LONGEST_COMPLAINT)
        );
        let status = child
            .wait()
            .await
            .map_err(|error| self.failed(error.to_string()))?;
        if !status.success() {
            let said = excerpt(without(secrets, &complaint).trim().as_bytes());
            return Err(self.failed(match said.is_empty() {
                true => format!("ended with {status}"),
                false => format!("ended with {status}: {said}"),
            }));
        }
        match answer.len() > LONGEST_ANSWER {
            true => Err(self.failed(format!("answered more than {LONGEST_ANSWER} octets"))),
            false => Ok(answer),
        }
    }

    /// Whatever happened, nothing is known of a certificate: it is asked again.
    fn failed(&self, reason: impl std::fmt::Display) -> IssueError {
        IssueError::Unavailable(format!("the program `{}` {reason}", self.name))
    }
}

/// Reads to the end, and keeps one octet more than `limit` at most.
async fn read(from: Option<impl AsyncRead + Unpin>, limit: usize) -> Vec<u8> {
    let Some(mut from) = from else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    let _ = (&mut from)
        .take(limit as u64 + 1)
        .read_to_end(&mut kept)
        .await;
    // The rest is read as well, or the program would wait for somebody to take it.
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    kept
}

/// A complaint, without what must not be told.
fn without(secrets: &IssuerSecrets, complaint: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(complaint).into_owned();
    for (name, secret) in secrets.iter() {
        for line in secret.expose_secret().lines().filter(|line| line.len() > 3) {
            text = text.replace(line, &format!("[{name}]"));
        }
    }
    text
}

/// A directory for one run; it goes with it.
struct Desk(PathBuf);

impl Desk {
    fn new() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        use std::sync::atomic::{AtomicU64, Ordering};
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("certwright-command-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // One that a process of the same number left behind.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with everything that it started.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Gone already, most of the time.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

const LONGEST_ANSWER: usize = 1024 * 1024;
const LONGEST_COMPLAINT: usize = 4 * 1024;
