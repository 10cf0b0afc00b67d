//! A private PostgreSQL cluster on a socket in the temporary directory.
//!
//! The first process starts it, the others of the same user join, and a small shell keeper stops and
//! removes it when nobody has used it for a few seconds: also after a crash, a kill or a test runner that
//! gives every test a process of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

/// The account that a server is run as when the tests run as root, which PostgreSQL refuses.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// Stops the server once nobody has held the users' lock at three looks in a row.
const KEEPER: &str = r#"
dir=$1; bin=$2; shift 2
idle=0
while [ $idle -lt 3 ]; do
    sleep 2
    exec 9>&-
    exec 9>>"$dir.users"
    if flock -n -x 9; then idle=$((idle + 1)); else idle=0; fi
    [ $idle -eq 3 ] || flock -u 9
done
"$@" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop
rm -rf "$dir"
"#;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Not installed.
    #[error(
        "PostgreSQL's `initdb` is neither in PATH nor in /usr/lib/postgresql/*/bin: install the server"
    )]
    NotInstalled,
    /// A system call failed.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// One of its programs failed.
    #[error("`{0}` failed: {1}")]
    Program(String, String),
    /// The server refused a statement.
    #[error(transparent)]
    Server(#[from] tokio_postgres::Error),
}

/// A running cluster. It stays as long as any process holds one.
pub struct PostgresCluster {
    directory: PathBuf,
    /// A shared lock, by which the keeper knows that somebody is here.
    _users: File,
}

impl PostgresCluster {
    /// The cluster of this process, started or joined at the first call.
    pub fn shared() -> Result<&'static Self, PostgresError> {
        static CLUSTER: OnceLock<PostgresCluster> = OnceLock::new();
        if let Some(cluster) = CLUSTER.get() {
            return Ok(cluster);
        }
        let cluster = Self::start_or_join()?;
        Ok(CLUSTER.get_or_init(|| cluster))
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> Result<String, PostgresError> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", std::process::id());
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await?;
        let driver = tokio::spawn(connection);
        client
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await?;
        drop(client);
        drop(driver.await);
        Ok(self.url(&name))
    }

    /// The URL of a database by name.
    pub fn url(&self, database: &str) -> String {
        let socket = self.directory.to_string_lossy().replace('/', "%2F");
        format!("postgres://certwright@{socket}/{database}")
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
    }

    fn start_or_join() -> Result<Self, PostgresError> {
        let owner = std::fs::metadata("/proc/self").map_or(0, |process| process.uid());
        let directory = std::env::temp_dir().join(format!("certwright-postgres-{owner}"));
        // First say that somebody is here: this waits while a keeper is removing the last cluster.
        let users = lock_file(&directory, ".users")?;
        users
            .lock_shared()
            .map_err(|error| io_error("lock", error))?;
        // Then one process at a time looks whether there is something to start.
        let starting = lock_file(&directory, ".start")?;
        starting.lock().map_err(|error| io_error("lock", error))?;
        let programs = Programs::find()?;
        if !programs.is_running(&directory) {
            programs.start(&directory)?;
        }
        Ok(Self {
            directory,
            _users: users,
        })
    }
}

fn lock_file(directory: &Path, suffix: &str) -> Result<File, PostgresError> {
    let mut path = directory.as_os_str().to_owned();
    path.push(suffix);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).write(true).open(&path);
    opened.map_err(|error| io_error(&path.to_string_lossy(), error))
}

fn io_error(what: &str, error: io::Error) -> PostgresError {
    PostgresError::Io(what.to_owned(), error)
}

/// Where PostgreSQL's programs are and how they are run.
struct Programs {
    bin: PathBuf,
    /// The command in front of each, which drops root's rights.
    prefix: Vec<String>,
}

impl Programs {
    fn find() -> Result<Self, PostgresError> {
        let bin = installed().ok_or(PostgresError::NotInstalled)?;
        Ok(Self {
            bin,
            prefix: unprivileged_prefix(),
        })
    }

    fn is_running(&self, directory: &Path) -> bool {
        let data = directory.join("data");
        data.exists()
            && self
                .run("pg_ctl", &["-D", &data.to_string_lossy(), "status"])
                .is_ok()
    }

    fn start(&self, directory: &Path) -> Result<(), PostgresError> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)
                .map_err(|error| io_error("remove an old cluster", error))?;
        }
        std::fs::create_dir(directory).map_err(|error| io_error("create a cluster", error))?;
        // The account that runs the server writes here; the name in it is the test's user.
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o1777))
            .map_err(|error| io_error("create a cluster", error))?;
        let data = directory.join("data").to_string_lossy().into_owned();
        let initdb = [
            "-D",
            &data,
            "-U",
            "certwright",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ];
        self.run("initdb", &initdb)?;
        let socket = directory.to_string_lossy();
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={socket} -c max_connections=400 \
             -c shared_buffers=64MB -c fsync=on -c deadlock_timeout=200ms"
        );
        let log = directory.join("log").to_string_lossy().into_owned();
        self.run(
            "pg_ctl",
            &["-D", &data, "-l", &log, "-o", &options, "-w", "start"],
        )?;
        self.keep(directory)
    }

    /// Leaves a keeper behind that outlives this process.
    fn keep(&self, directory: &Path) -> Result<(), PostgresError> {
        Command::new("setsid")
            .args(["sh", "-c", KEEPER, "keeper"])
            .arg(directory)
            .arg(&self.bin)
            .args(&self.prefix)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map(drop)
            .map_err(|error| io_error("setsid", error))
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), PostgresError> {
        let path = self.bin.join(program);
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(path);
                command
            }
            None => Command::new(path),
        };
        let output = command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .output();
        finished(program, output)
    }
}

fn finished(program: &str, output: io::Result<Output>) -> Result<(), PostgresError> {
    let output = output.map_err(|error| io_error(program, error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(PostgresError::Program(
            program.to_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

/// The directory of the newest installed server.
fn installed() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut directories: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    directories.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    directories.extend(std::env::split_paths(&path));
    directories
        .into_iter()
        .rev()
        .find(|directory| directory.join("initdb").exists())
}

/// What to put in front of the server's programs: nothing, unless this is root.
fn unprivileged_prefix() -> Vec<String> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let exists = |name: &&&str| {
        accounts
            .lines()
            .any(|line| line.split(':').next() == Some(**name))
    };
    match ACCOUNTS.iter().find(exists) {
        Some(account) if root => {
            let run = ["setpriv", "--reuid", account, "--clear-groups", "--regid"];
            let group = if *account == "nobody" {
                "nogroup"
            } else {
                account
            };
            run.into_iter().chain([group]).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
