//! A key that waits for its certificate, in a file beside its place, so that no crash loses it.
//!
//! The file is the key's PEM, and once the request is taken a line before it that names the enrollment.

use std::path::{Path, PathBuf};

use pki::key::{LocalKey, SigningKey};
use zeroize::Zeroizing;

use super::super::exit::Failure;
use super::super::files;
use super::places::Targets;

/// Where a waiting key is or would be.
pub struct Waiting {
    path: PathBuf,
}

/// A key that waits.
pub struct Pending {
    pub key: LocalKey,
    /// The request that was made with it.
    pub enrollment: Option<String>,
    path: PathBuf,
}

impl Pending {
    /// Where the key of these files waits.
    pub fn of(targets: &Targets) -> Result<Waiting, Failure> {
        Ok(Waiting::beside(targets.need_key()?))
    }

    /// Notes the request, for whoever looks for it after a crash.
    pub fn note(&mut self, enrollment: &str) -> Result<(), Failure> {
        self.enrollment = Some(enrollment.to_owned());
        self.write()
    }

    /// Removes the file: the key is in its place, or certified by nobody.
    pub fn discard(&self) -> Result<(), Failure> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(files::failed(&self.path, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn write(&self) -> Result<(), Failure> {
        let pem = self.key.to_pem().map_err(anyhow::Error::from)?;
        let mut text = Zeroizing::new(String::new());
        if let Some(enrollment) = &self.enrollment {
            text.push_str(&format!("{LABEL}{enrollment}\n"));
        }
        text.push_str(&pem);
        files::write_private(&self.path, text.as_bytes())
    }
}

impl Waiting {
    fn beside(key: &Path) -> Self {
        let mut path = key.as_os_str().to_owned();
        path.push(".pending");
        Self { path: path.into() }
    }

    /// The key that waits, if one does.
    pub fn found(self) -> Result<Option<Pending>, Failure> {
        if !self.path.exists() {
            return Ok(None);
        }
        let text = Zeroizing::new(files::read_text(&self.path)?);
        let key = LocalKey::from_pem(text.as_bytes())
            .map_err(|error| Failure::refused(format!("{}: {error}", self.path.display())))?;
        let enrollment = text
            .lines()
            .find_map(|line| line.strip_prefix(LABEL))
            .map(str::to_owned);
        Ok(Some(Pending {
            key,
            enrollment,
            path: self.path,
        }))
    }

    /// A request under way is not forgotten for another. One that was never taken is.
    pub fn refuse_if_under_way(&self, force: bool) -> Result<(), Failure> {
        let there = Self {
            path: self.path.clone(),
        };
        match there.found()? {
            Some(Pending {
                enrollment: Some(enrollment),
                ..
            }) if !force => Err(Failure::refused(format!(
                "{} waits for a certificate; go on with `certwright enroll --resume {enrollment}` \
                 and the same files, or --force begins anew",
                self.path.display()
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// Keeps a key there.
    pub fn keep(self, key: LocalKey) -> Result<Pending, Failure> {
        let pending = Pending {
            key,
            enrollment: None,
            path: self.path,
        };
        pending.write()?;
        Ok(pending)
    }
}

const LABEL: &str = "certwright enrollment: ";

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("key", self.key.public_key().kind())
            .field("enrollment", &self.enrollment)
            .finish_non_exhaustive()
    }
}
