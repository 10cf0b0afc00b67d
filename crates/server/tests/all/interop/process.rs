//! Programs of others: found, run with a time limit, and ended with the test that started them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// No program of a test works for longer.
const PATIENCE: Duration = Duration::from_secs(100);

/// A program that `scripts/install-test-tools.sh` installs, or one of the system.
pub fn tool(name: &str) -> Command {
    let installed = ["bin", "venv/bin"]
        .map(|folder| tools().join(folder).join(name))
        .into_iter()
        .find(|path| path.exists());
    command(installed.unwrap_or_else(|| PathBuf::from(name)))
}

/// A program that reads nothing and dies with the test.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Where the tests' tools are: beside this build, in the target directory.
pub fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools")
}

/// What a program that ended had to say.
pub struct Ended {
    pub succeeded: bool,
    pub code: Option<i32>,
    /// Standard output alone.
    pub output: String,
    /// Standard output and standard error.
    pub said: String,
}

/// Runs a program to its end.
pub async fn run(command: &mut Command) -> Ended {
    let name = format!("{:?}", command.as_std());
    let output = timeout(PATIENCE, command.output())
        .await
        .unwrap_or_else(|_| panic!("{name} did not end"))
        .unwrap_or_else(|error| {
            panic!("{name} cannot be run: {error}; `make test-tools` installs it")
        });
    let standard = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = format!(
        "{name}\n{standard}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ended {
        succeeded: output.status.success(),
        code: output.status.code(),
        output: standard,
        said,
    }
}

/// Runs a program that has to succeed, and returns its standard output.
pub async fn succeed(command: &mut Command) -> String {
    let ended = run(command).await;
    assert!(ended.succeeded, "{}", ended.said);
    ended.output
}

/// A program in the background, with its output in a file.
pub struct Background {
    _child: Child,
    log: PathBuf,
}

impl Background {
    /// Starts it.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::create(log).unwrap();
        let child = command
            .stderr(file.try_clone().unwrap())
            .stdout(file)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{:?}: {error}; `make test-tools` installs it",
                    command.as_std()
                )
            });
        Self {
            _child: child,
            log: log.to_owned(),
        }
    }

    /// Everything it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Waits until something is there; `otherwise` explains its absence.
pub async fn eventually<T>(
    mut look: impl AsyncFnMut() -> Option<T>,
    otherwise: impl FnOnce() -> String,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{}", otherwise());
        sleep(Duration::from_millis(50)).await;
    }
}
