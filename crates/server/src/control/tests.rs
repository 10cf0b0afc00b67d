//! A server's socket, asked by commands.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use domain::access::Principal;
use lifecycle::Lifecycle;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::Config;
use crate::wiring;

struct Running {
    directory: TempDir,
    lifecycle: Arc<Lifecycle>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(directory: TempDir) -> Self {
        let text = format!("server.data_dir = {:?}", directory.path());
        let wired = wiring::open(&Config::from_toml(&text).unwrap())
            .await
            .unwrap();
        let shutdown = CancellationToken::new();
        let serving = serve_control(
            Arc::clone(&wired.lifecycle),
            wired.store,
            directory.path().to_owned(),
            shutdown.clone(),
        );
        let task = tokio::spawn(serving);
        while ControlClient::connect(directory.path())
            .await
            .unwrap()
            .is_none()
        {
            tokio::task::yield_now().await;
        }
        Self {
            directory,
            lifecycle: wired.lifecycle,
            shutdown,
            task,
        }
    }

    async fn client(&self) -> ControlClient {
        ControlClient::connect(self.directory.path())
            .await
            .unwrap()
            .unwrap()
    }
}

fn request() -> TokenRequest {
    TokenRequest {
        name: "console".to_owned(),
        role: "auditor".to_owned(),
        team: None,
        lifetime_seconds: Some(60),
    }
}

#[tokio::test]
async fn a_token_is_made_by_the_running_server() {
    let server = Running::start().await;
    let made = server.client().await.create_token(request()).await.unwrap();
    let found = server
        .lifecycle
        .authenticate(&made.secret)
        .await
        .unwrap()
        .unwrap();
    let principal = Principal::Token(found.id.clone());
    let rights = server.lifecycle.rights_of(&principal).await.unwrap();
    assert!(rights.holds_role("auditor", None) && rights.roles().len() == 1);
    assert_eq!(found.name, "console");
    assert_eq!(found.id.to_string(), made.id);
    assert!(found.expires_at.is_some());
}

#[tokio::test]
async fn a_backup_comes_through_the_socket_whole() {
    let server = Running::start().await;
    server.client().await.create_token(request()).await.unwrap();
    let path = server.directory.path().join("out.backup");
    let made = server.client().await.backup(&path).await.unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), made.octets);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().last().unwrap().starts_with("{\"end\":"));
    let left = std::fs::read_dir(server.directory.path()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.ends_with(".tmp")));
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let server = Running::start().await;
    let path = server.directory.path().join("out.backup");
    std::fs::write(&path, "precious").unwrap();
    let refused = server.client().await.backup(&path).await;
    assert!(matches!(refused, Err(ControlError::Exists(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_gone_with_the_server() {
    let server = Running::start().await;
    let path = socket(server.directory.path());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.shutdown.cancel();
    server.task.await.unwrap();
    assert!(
        ControlClient::connect(server.directory.path())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn the_socket_of_a_server_that_died_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(socket(directory.path())).unwrap());
    assert!(
        ControlClient::connect(directory.path())
            .await
            .unwrap()
            .is_none()
    );
    let server = Running::start_in(directory).await;
    server.client().await.create_token(request()).await.unwrap();
}

#[tokio::test]
async fn a_request_of_another_version_is_refused_in_words() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Running::start().await;
    let path = socket(server.directory.path());
    let mut stream = tokio::net::UnixStream::connect(path).await.unwrap();
    stream.write_all(b"{\"explode\":{}}\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("{\"refused\":"), "{answer}");
}
