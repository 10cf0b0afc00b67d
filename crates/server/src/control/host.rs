//! The server's end of the control socket.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lifecycle::Lifecycle;
use lifecycle::actor::Caller;
use pki::random::{Random, SystemRandom};
use store::Store;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::{Answer, MAX_LINE, MadeBackup, MadeToken, Request, TokenRequest, console, socket};

/// What the requests work on.
struct Host {
    lifecycle: Arc<Lifecycle>,
    store: Store,
    data_dir: PathBuf,
}

/// Answers requests until `shutdown`. A server without the socket is still a server: where it
/// cannot be made, the log says so.
pub async fn serve_control(
    lifecycle: Arc<Lifecycle>,
    store: Store,
    data_dir: PathBuf,
    shutdown: CancellationToken,
) {
    let path = socket(&data_dir);
    let listener = match bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "no control socket: local commands need the server stopped");
            return;
        }
    };
    let host = Arc::new(Host {
        lifecycle,
        store,
        data_dir,
    });
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let host = Arc::clone(&host);
                tokio::spawn(async move { host.answer(stream).await });
            }
            Err(error) => {
                tracing::warn!(%error, "control socket");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    drop(std::fs::remove_file(&path));
}

/// The socket of a server that died is still there, and nobody listens on it.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => return Err(std::io::Error::from(std::io::ErrorKind::AddrInUse)),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)?;
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    // The directory is its owner's alone already; this is for one that was loosened.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl Host {
    async fn answer(&self, mut stream: UnixStream) {
        let handled = self.handle(&mut stream).await;
        if let Err(error) = handled {
            tracing::warn!(%error, "control request not answered");
        }
    }

    async fn handle(&self, stream: &mut UnixStream) -> std::io::Result<()> {
        let caller = console(stream.peer_cred()?.uid());
        let mut line = String::new();
        let reading = BufReader::new((&mut *stream).take(MAX_LINE))
            .read_line(&mut line)
            .await;
        reading?;
        if line.is_empty() {
            // Somebody looked whether we are here.
            return Ok(());
        }
        match serde_json::from_str(&line) {
            Ok(Request::CreateToken(request)) => {
                write(stream, &self.create_token(request, &caller).await).await
            }
            Ok(Request::Backup) => self.backup(stream).await,
            Err(error) => {
                let text = format!("the server does not know this request: {error}");
                write(stream, &Answer::Refused(text)).await
            }
        }
    }

    async fn create_token(&self, request: TokenRequest, caller: &Caller) -> Answer {
        let (role, team) = (request.role.clone(), request.team.clone());
        let made = self
            .lifecycle
            .create_token_with(request.into_new_token(), caller)
            .await;
        match made {
            Ok(made) => Answer::Token(MadeToken {
                id: made.token.id.to_string(),
                name: made.token.name,
                role,
                team,
                secret: made.secret.expose().to_owned(),
            }),
            Err(error) => Answer::Refused(error.to_string()),
        }
    }

    /// The octets go through the socket, so that the file is written with the rights of whoever
    /// asked, and where the server's own sandbox may not write.
    async fn backup(&self, stream: &mut UnixStream) -> std::io::Result<()> {
        let random: &dyn Random = &SystemRandom::new();
        let suffix = u64::from_be_bytes(random.octets());
        let path = self.data_dir.join(format!("backup-{suffix:016x}.tmp"));
        let made = self.store.backup(&path, self.lifecycle.now()).await;
        let sent = match made {
            Ok(report) => send(stream, &path, report.rows).await,
            Err(error) => write(stream, &Answer::Refused(error.to_string())).await,
        };
        drop(std::fs::remove_file(&path));
        sent
    }
}

async fn send(stream: &mut UnixStream, path: &Path, rows: u64) -> std::io::Result<()> {
    let mut file = tokio::fs::File::open(path).await?;
    let octets = file.metadata().await?.len();
    write(stream, &Answer::Backup(MadeBackup { rows, octets })).await?;
    tokio::io::copy(&mut file, stream).await?;
    stream.shutdown().await
}

async fn write(stream: &mut UnixStream, answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.flush().await
}
