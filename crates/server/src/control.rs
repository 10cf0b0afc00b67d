//! The control socket: what the operator of the machine asks of the running server.
//!
//! SQLite's file belongs to one process. A command that needs it while the server runs asks the
//! server, over a socket in the data directory that only the server's own user can open. One
//! request a connection: a line of JSON, and a line of JSON as its answer; behind the answer to
//! `backup` follow the octets of the backup.

mod client;
mod host;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::access::Rights;
use domain::event::{Actor, ActorKind};
use lifecycle::access::NewToken;
use lifecycle::access::grants::NewGrant;
use lifecycle::actor::Caller;
use serde::{Deserialize, Serialize};

pub use client::{ControlClient, ControlError};
pub use host::serve_control;

/// What can be asked for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    CreateToken(TokenRequest),
    Backup,
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    pub name: String,
    pub role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    pub lifetime_seconds: Option<u64>,
}

/// A token that was made. The secret is shown this once.
#[derive(Serialize, Deserialize)]
pub struct MadeToken {
    pub id: String,
    pub name: String,
    pub role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    pub secret: String,
}

/// A backup that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBackup {
    pub rows: u64,
    pub octets: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Token(MadeToken),
    Backup(MadeBackup),
    Refused(String),
}

impl TokenRequest {
    /// What is asked for, as the verbs know it.
    pub fn into_new_token(self) -> NewToken {
        NewToken {
            name: self.name,
            grant: NewGrant {
                role: self.role,
                team: self.team,
            },
            lifetime: self.lifetime_seconds.map(Duration::from_secs),
        }
    }
}

/// Where the socket of a data directory is.
pub fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Somebody at this machine, known by the number of their user.
pub fn console(uid: u32) -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::Console,
            id: format!("uid {uid}"),
            address: None,
        },
        request_id: None,
        // Whoever can open the data directory owns everything in it.
        why: None,
        rights: Rights::everything(),
    }
}

/// No request is longer; an answer that is a line is not either.
const MAX_LINE: u64 = 64 * 1024;
