//! Commands that work on this machine's data directory, beside the server or without it.

use super::exit::{Exit, Failure};
use crate::config::{Config, DatabaseTarget};
use crate::control::{ControlClient, ControlError, socket};
use crate::wiring::{self, Wired};

/// Who can work for a local command.
pub enum Local {
    /// The server that has the database open.
    Server(ControlClient),
    /// This process.
    Own(Wired),
}

impl Local {
    /// Finds out who has the database.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        require_data(config)?;
        let data_dir = &config.server.data_dir;
        if let Some(server) = ControlClient::connect(data_dir).await.map_err(failure)? {
            return Ok(Self::Server(server));
        }
        match wiring::open(config).await {
            Ok(wired) => Ok(Self::Own(wired)),
            Err(error) if is_locked(&error) => Err(Failure::refused(format!(
                "a server is using {} and does not answer at {}; stop it for the time of this \
                 command, or ask it over the network with --url",
                config.database.target.shown(),
                socket(data_dir).display()
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

/// A misspelt directory would otherwise be made, and a new installation in it.
fn require_data(config: &Config) -> Result<(), Failure> {
    let data_dir = &config.server.data_dir;
    let missing = match &config.database.target {
        DatabaseTarget::Sqlite(path) if !path.exists() => path,
        DatabaseTarget::Postgres(_) if !data_dir.exists() => data_dir,
        DatabaseTarget::Sqlite(_) | DatabaseTarget::Postgres(_) => return Ok(()),
    };
    Err(Failure::not_found(format!(
        "{} does not exist; name the server's data directory with --data (or its configuration \
         with --config), and start the server once if it never ran",
        missing.display()
    )))
}

/// Whether another process has the database open.
pub fn is_locked(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<store::StoreError>(),
            Some(store::StoreError::Locked(_))
        )
    })
}

/// The server's refusal, or the socket's failure.
pub fn failure(error: ControlError) -> Failure {
    let exit = match &error {
        ControlError::Refused(_) | ControlError::Exists(_) => Exit::Refused,
        ControlError::File { .. } | ControlError::Io(_) | ControlError::Unexpected => Exit::Failed,
    };
    Failure::new(exit, error)
}

/// Who runs this command.
pub fn caller() -> lifecycle::actor::Caller {
    crate::control::console(rustix::process::getuid().as_raw())
}
