//! Exit codes, and the errors that lead to them.

use std::fmt;
use std::process::ExitCode;

/// How a command ended. Scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what it was asked to do.
    Done = 0,
    /// A policy or the state of things forbids it.
    Refused = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What it names does not exist.
    NotFound = 3,
    /// The server or the network failed.
    Failed = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The exit that an HTTP answer's status leads to.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            404 | 410 => Self::NotFound,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// A command's error: what to tell, and how to exit.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What to print on standard error.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure with this exit.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
        }
    }

    /// A policy or the state of things forbids it.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Exit::Refused, anyhow::anyhow!("{message}"))
    }

    /// The command line makes no sense.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"))
    }

    /// What the command names does not exist.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(Exit::NotFound, anyhow::anyhow!("{message}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The alternate form adds the chain of causes.
        write!(f, "{:#}", self.error)
    }
}

/// An error that nobody classified is a failure of the server, the network or the machine.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_lead_to_the_documented_exits() {
        for (status, exit) in [
            (201, 0),
            (400, 1),
            (403, 1),
            (409, 1),
            (404, 3),
            (500, 4),
            (503, 4),
        ] {
            assert_eq!(Exit::of_status(status) as u8, exit, "{status}");
        }
    }
}
