//! A command's end of the control socket.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Answer, MAX_LINE, MadeBackup, MadeToken, Request, TokenRequest, socket};

/// A connection to the server that uses a data directory.
#[derive(Debug)]
pub struct ControlClient(BufReader<UnixStream>);

/// Why the server did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("{0}")]
    Refused(String),
    #[error("`{}` exists; backups overwrite nothing, choose another name", .0.display())]
    Exists(PathBuf),
    #[error("`{}`", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the server's control socket")]
    Io(#[from] std::io::Error),
    #[error("the server's answer is not understood; do server and command have the same version?")]
    Unexpected,
}

impl ControlClient {
    /// Connects, where a server is there.
    pub async fn connect(data_dir: &Path) -> Result<Option<Self>, ControlError> {
        match UnixStream::connect(socket(data_dir)).await {
            Ok(stream) => Ok(Some(Self(BufReader::new(stream)))),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Has a token made.
    pub async fn create_token(mut self, request: TokenRequest) -> Result<MadeToken, ControlError> {
        match self.ask(&Request::CreateToken(request)).await? {
            Answer::Token(token) => Ok(token),
            Answer::Refused(reason) => Err(ControlError::Refused(reason)),
            Answer::Backup(_) => Err(ControlError::Unexpected),
        }
    }

    /// Has a backup made, into a new file that only its owner can read.
    pub async fn backup(mut self, path: &Path) -> Result<MadeBackup, ControlError> {
        let mut options = tokio::fs::OpenOptions::new();
        // Opened first: a name that is taken is noticed before the server works for it.
        let opened = options.write(true).create_new(true).mode(0o600).open(path);
        let mut file = opened.await.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => ControlError::Exists(path.to_owned()),
            _ => ControlError::File {
                path: path.to_owned(),
                source,
            },
        })?;
        let received = self.receive(&mut file).await;
        if received.is_err() {
            drop(std::fs::remove_file(path));
        }
        received
    }

    async fn receive(&mut self, file: &mut tokio::fs::File) -> Result<MadeBackup, ControlError> {
        let made = match self.ask(&Request::Backup).await? {
            Answer::Backup(made) => made,
            Answer::Refused(reason) => return Err(ControlError::Refused(reason)),
            Answer::Token(_) => return Err(ControlError::Unexpected),
        };
        let copied = tokio::io::copy_buf(&mut self.0, file).await?;
        if copied != made.octets {
            return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        file.flush().await?;
        file.sync_all().await?;
        Ok(made)
    }

    async fn ask(&mut self, request: &Request) -> Result<Answer, ControlError> {
        let mut line = serde_json::to_vec(request).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.0.get_mut().write_all(&line).await?;
        let mut answer = String::new();
        (&mut self.0).take(MAX_LINE).read_line(&mut answer).await?;
        serde_json::from_str(&answer).map_err(|_| ControlError::Unexpected)
    }
}
