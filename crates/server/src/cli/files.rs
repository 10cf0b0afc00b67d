//! Files that commands read and write; `-` is standard input or output.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use super::exit::{Exit, Failure};
use super::output;

/// The text of a file, or of standard input.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let read = match path.as_os_str() == "-" {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(path),
    };
    read.map_err(|error| failed(path, error))
}

/// The octets of a file, or of standard input.
pub fn read_octets(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = match path.as_os_str() == "-" {
        true => {
            let mut octets = Vec::new();
            std::io::stdin().read_to_end(&mut octets).map(|_| octets)
        }
        false => std::fs::read(path),
    };
    read.map_err(|error| failed(path, error))
}

/// The first line of a file, or of standard input: a password, a token.
pub fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    let text = Zeroizing::new(read_text(path)?);
    match text
        .lines()
        .next()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        Some(line) => Ok(SecretString::from(line)),
        None => Err(Failure::usage(format!(
            "the first line of {} is empty",
            path.display()
        ))),
    }
}

/// Writes a file, or to standard output where none is named.
pub fn write(path: Option<&Path>, octets: &[u8]) -> Result<(), Failure> {
    match path.filter(|path| path.as_os_str() != "-") {
        Some(path) => std::fs::write(path, octets).map_err(|error| failed(path, error)),
        None => Ok(output::print_octets(octets)?),
    }
}

/// Writes a file that only its owner can read; it is there as a whole or not at all.
pub fn write_private(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    stage(path, octets, 0o600)?.place()
}

/// A file that is written and not yet in its place.
pub struct Staged {
    partial: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Puts it where it belongs, in place of what is there.
    pub fn place(self) -> Result<(), Failure> {
        std::fs::rename(&self.partial, &self.path).map_err(|error| failed(&self.path, error))
    }
}

/// Writes a file beside its place, durably, so that putting it there cannot fail half-way.
pub fn stage(path: &Path, octets: &[u8], mode: u32) -> Result<Staged, Failure> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".new");
    // Left behind by a process that was killed, perhaps with other permissions.
    drop(std::fs::remove_file(&partial));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&partial)
        .and_then(|mut file| file.write_all(octets).and_then(|()| file.sync_all()));
    written.map_err(|error| failed(path, error))?;
    Ok(Staged {
        partial: partial.into(),
        path: path.to_owned(),
    })
}

/// Writes an answer as it comes, for it may be longer than fits into memory; without a path, or with `-`, to
/// standard output.
pub async fn save(mut answer: reqwest::Response, out: Option<&Path>) -> Result<(), Failure> {
    let mut file = match out.filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let created = tokio::fs::File::create(path).await;
            Some(created.map_err(|error| failed(path, error))?)
        }
        None => None,
    };
    while let Some(chunk) = answer.chunk().await.map_err(anyhow::Error::from)? {
        match &mut file {
            Some(file) => file.write_all(&chunk).await?,
            None => output::print_octets(&chunk)?,
        }
    }
    if let Some(mut file) = file {
        file.flush().await?;
        file.sync_all().await?;
    }
    Ok(())
}

/// An error with the file it is about.
pub fn failed(path: &Path, error: std::io::Error) -> Failure {
    let exit = match error.kind() {
        std::io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Failed,
    };
    let context = format!("{}", path.display());
    Failure::new(exit, anyhow::Error::from(error).context(context))
}
