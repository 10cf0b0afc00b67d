//! What can go wrong with the database, sorted by who has to act.

use std::path::PathBuf;

use tokio_postgres::error::SqlState;

/// An operation on the store that did not happen.
///
/// The variants say who can do something about it: the caller ([`Duplicate`](Self::Duplicate),
/// [`MissingReference`](Self::MissingReference), [`RowCount`](Self::RowCount)), time
/// ([`Conflict`](Self::Conflict), [`Busy`](Self::Busy)), the operator
/// ([`Unavailable`](Self::Unavailable) to [`Migration`](Self::Migration)), or us (the rest).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row with this unique key is already there.
    #[error("there already is such a row ({constraint})")]
    Duplicate {
        /// The index, or on SQLite the columns, that must be unique.
        constraint: String,
    },

    /// A row that this one refers to is not there, or one that is to go is still referred to.
    #[error("a row refers to one that is not there ({constraint})")]
    MissingReference {
        /// The foreign key, where the engine names it.
        constraint: String,
    },

    /// A value breaks a `CHECK` or `NOT NULL` rule.
    #[error("a value is not allowed here ({constraint})")]
    Refused {
        /// The rule, where the engine names it.
        constraint: String,
    },

    /// Not the expected number of rows: somebody else changed or removed what was to be changed.
    #[error("expected {expected} row(s), the statement touched {found}")]
    RowCount {
        /// How many rows the caller asked for.
        expected: u64,
        /// How many there were.
        found: u64,
    },

    /// Two transactions got into each other's way; this one is undone and can be tried again.
    #[error("the transaction met a concurrent one and was undone; try again: {cause}")]
    Conflict {
        /// What the engine says.
        cause: String,
    },

    /// More waits than the store can take in time; try again a little later.
    #[error("the database is busy; try again in a moment: {cause}")]
    Busy {
        /// What was waited for.
        cause: String,
    },

    /// Disk full, read-only or broken, server down. Nothing was stored as far as is known.
    #[error("the database is not available: {cause}")]
    Unavailable {
        /// What the engine or the system says.
        cause: String,
    },

    /// The connection broke while the commit was under way: it may or may not have happened.
    #[error("the database went away during a commit, whose outcome is not known: {cause}")]
    OutcomeUnknown {
        /// What the engine or the system says.
        cause: String,
    },

    /// The data file is damaged.
    #[error("the database is damaged; restore it from a backup: {cause}")]
    Corrupt {
        /// What the engine says.
        cause: String,
    },

    /// Another process has the data file open.
    #[error(
        "`{}` is in use by another process; stop that process first, or use a database of PostgreSQL for several nodes",
        .0.display()
    )]
    Locked(PathBuf),

    /// The database cannot be opened as configured.
    #[error("cannot open the database: {0}")]
    Configuration(String),

    /// The schema was written by a newer release.
    #[error(
        "the database has schema version {database}, this program knows versions up to {program}; \
         start the newer release again, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The schema's version in the database.
        database: i64,
        /// The newest version this program knows.
        program: i64,
    },

    /// A migration failed; the database is still at the version before it.
    #[error("migration {version} ({name}) failed and was undone, start again to resume: {cause}")]
    Migration {
        /// The migration's number.
        version: i64,
        /// Its name.
        name: &'static str,
        /// What the engine says.
        cause: Box<StoreError>,
    },

    /// A column holds something else than this program writes there.
    #[error("column {index} holds {found} where {expected} is expected")]
    Column {
        /// Position in the result, from 0.
        index: usize,
        /// What the program reads.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A statement that the engine does not accept: a defect of this program.
    #[error("the database refused a statement: {0}")]
    Statement(String),

    /// The closure broke a rule of [`Store`](crate::Store): a defect of this program.
    #[error("the operation `{name}` broke a rule of the store: {rule}")]
    Misuse {
        /// The operation's name.
        name: &'static str,
        /// The broken rule.
        rule: &'static str,
    },

    /// The closure panicked, its changes are undone: a defect of this program.
    #[error("the operation `{name}` stopped with a defect and was undone")]
    Panicked {
        /// The operation's name.
        name: &'static str,
    },

    /// The store is closing down.
    #[error("the store is shutting down")]
    Closed,
}

impl StoreError {
    /// Whether the same operation may well succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Conflict { .. }
            | Self::Busy { .. }
            | Self::Unavailable { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Closed => true,
            Self::Duplicate { .. }
            | Self::MissingReference { .. }
            | Self::Refused { .. }
            | Self::RowCount { .. }
            | Self::Corrupt { .. }
            | Self::Locked(_)
            | Self::Configuration(_)
            | Self::Newer { .. }
            | Self::Migration { .. }
            | Self::Column { .. }
            | Self::Statement(_)
            | Self::Misuse { .. }
            | Self::Panicked { .. } => false,
        }
    }

    /// What was stored does not make sense when it is read: `cause` says what and where.
    pub fn corrupt(cause: impl Into<String>) -> Self {
        Self::Corrupt {
            cause: cause.into(),
        }
    }

    /// Whether a unique key was already taken.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;

        let cause = error.to_string();
        let Some(failure) = error.sqlite_error() else {
            return Self::Statement(cause);
        };
        match failure.code {
            Code::ConstraintViolation => sqlite_constraint(failure.extended_code, cause),
            Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed => {
                Self::Busy { cause }
            }
            Code::DatabaseCorrupt | Code::NotADatabase => Self::Corrupt { cause },
            Code::SystemIoFailure
            | Code::DiskFull
            | Code::CannotOpen
            | Code::ReadOnly
            | Code::PermissionDenied
            | Code::OutOfMemory
            | Code::NoLargeFileSupport
            | Code::OperationInterrupted => Self::Unavailable { cause },
            _ => Self::Statement(cause),
        }
    }
}

fn sqlite_constraint(extended: i32, cause: String) -> StoreError {
    use rusqlite::ffi;

    // SQLite's text is "UNIQUE constraint failed: jobs.key"; what follows the colon is the name.
    let constraint = match cause.split_once(": ") {
        Some((_, name)) => name.to_owned(),
        None => cause,
    };
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => StoreError::Duplicate { constraint },
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::MissingReference { constraint },
        _ => StoreError::Refused { constraint },
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(failure) = error.as_db_error() else {
            return match error.is_closed() || is_io(&error) {
                true => Self::Unavailable {
                    cause: with_sources(&error),
                },
                false => Self::Statement(with_sources(&error)),
            };
        };
        let constraint = || failure.constraint().unwrap_or(failure.message()).to_owned();
        let cause = failure.message().to_owned();
        match failure.code() {
            code if *code == SqlState::UNIQUE_VIOLATION => Self::Duplicate {
                constraint: constraint(),
            },
            code if *code == SqlState::FOREIGN_KEY_VIOLATION
                || *code == SqlState::RESTRICT_VIOLATION =>
            {
                Self::MissingReference {
                    constraint: constraint(),
                }
            }
            code if *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::T_R_DEADLOCK_DETECTED =>
            {
                Self::Conflict { cause }
            }
            code if *code == SqlState::LOCK_NOT_AVAILABLE => Self::Busy { cause },
            code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Self::Unavailable { cause },
            code => by_class(code.code(), cause, constraint),
        }
    }
}

/// The first two characters of an SQLSTATE are its class (PostgreSQL manual, appendix A).
fn by_class(code: &str, cause: String, constraint: impl Fn() -> String) -> StoreError {
    match code.get(..2) {
        Some("23") => StoreError::Refused {
            constraint: constraint(),
        },
        // Connection, resources, operator intervention, system errors, configuration.
        Some("08" | "53" | "57" | "58" | "F0") => StoreError::Unavailable { cause },
        Some("28" | "3D") => StoreError::Configuration(cause),
        Some("XX") => StoreError::Corrupt { cause },
        _ => StoreError::Statement(cause),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}

/// The whole chain in one line: this driver's own text is only "error connecting to server".
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
