//! One data file, one process: an advisory lock on a file beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Held as long as the data file is open; the system releases it with the process, however it ends.
#[derive(Debug)]
pub(super) struct DataFileLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl DataFileLock {
    /// Locks `data_file`, or says who to ask.
    pub(super) fn acquire(data_file: &Path) -> Result<Self, StoreError> {
        let path = beside(data_file, ".lock");
        let unusable = |error: std::io::Error| {
            StoreError::Configuration(format!("cannot lock `{}`: {error}", path.display()))
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(data_file.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// The path of a companion of `file`: its name with `suffix` behind it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
