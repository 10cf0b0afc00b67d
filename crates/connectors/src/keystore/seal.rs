//! Sealing of secrets with AES-256-GCM under a key that is never in the database.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use data_encoding::{BASE64, BASE64_NOPAD};
use domain::keystore::{KeyStoreError, Sealer};
use pki::random::{Random, SystemRandom};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::{Zeroize, Zeroizing};

const KEY_OCTETS: usize = 32;
/// Names the algorithm and the form, so that another one can follow.
const VERSION: &str = "v1.";

/// The 32 octets that seal everything else.
pub struct SealKey(SecretBox<[u8; KEY_OCTETS]>);

/// Why there is no seal key.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyError {
    #[error("the seal key {path} cannot be read or created: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "others than its owner can read the seal key {path} (mode {mode:o}); run: chmod 600 {path}"
    )]
    Permissions { path: PathBuf, mode: u32 },
    #[error(
        "the seal key {path} has {octets} octets instead of 32; restore it from the backup of the data directory"
    )]
    Length { path: PathBuf, octets: usize },
    #[error("the seal key must be 32 octets in base64, for example from `openssl rand -base64 32`")]
    Text,
}

impl SealKey {
    /// From octets that were kept elsewhere.
    pub fn from_octets(octets: SecretBox<[u8; KEY_OCTETS]>) -> Self {
        Self(octets)
    }

    /// From configuration.
    pub fn from_base64(text: &SecretString) -> Result<Self, SealKeyError> {
        let decoded = BASE64.decode(text.expose_secret().trim().as_bytes());
        let octets = Zeroizing::new(decoded.map_err(|_| SealKeyError::Text)?);
        Self::from_slice(&octets).ok_or(SealKeyError::Text)
    }

    /// Reads the key from a file, or draws one and creates the file for its owner alone.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, SealKeyError> {
        match Self::load(path) {
            Err(SealKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                match Self::create(path, random) {
                    // Another process was faster, and its key counts.
                    Err(SealKeyError::Io { source, .. })
                        if source.kind() == io::ErrorKind::AlreadyExists =>
                    {
                        Self::load(path)
                    }
                    created => created,
                }
            }
            loaded => loaded,
        }
    }

    /// Reads the key from a file that only its owner can read.
    pub fn load(path: &Path) -> Result<Self, SealKeyError> {
        let failed = |source| SealKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SealKeyError::Permissions {
                path: path.to_owned(),
                mode,
            });
        }
        let mut octets = Zeroizing::new(Vec::with_capacity(KEY_OCTETS + 1));
        let limit = KEY_OCTETS as u64 + 1;
        file.take(limit).read_to_end(&mut octets).map_err(failed)?;
        Self::from_slice(&octets).ok_or_else(|| SealKeyError::Length {
            path: path.to_owned(),
            octets: octets.len(),
        })
    }

    /// The file appears complete or not at all: it is written under another name, synced, and
    /// linked into place, which fails where there is one already.
    fn create(path: &Path, random: &dyn Random) -> Result<Self, SealKeyError> {
        let failed = |source| SealKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mut octets = Zeroizing::new([0; KEY_OCTETS]);
        random.fill(octets.as_mut_slice());
        let suffix = data_encoding::HEXLOWER.encode(&random.octets::<8>());
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{suffix}"));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .and_then(|mut file| {
                file.write_all(octets.as_slice())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| std::fs::hard_link(&partial, path))
            .and_then(|()| sync_directory(path));
        // Whether it was linked or not, the other name has served.
        let removed = std::fs::remove_file(&partial);
        written.and(removed).map_err(failed)?;
        Ok(Self(SecretBox::new(Box::new(*octets))))
    }

    fn from_slice(octets: &[u8]) -> Option<Self> {
        let mut array = <[u8; KEY_OCTETS]>::try_from(octets).ok()?;
        let key = Self(SecretBox::new(Box::new(array)));
        array.zeroize();
        Some(key)
    }
}

/// A new name is durable once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// Seals with AES-256-GCM: a random nonce for each secret, and the place it belongs to
/// authenticated along with it, so that a row cannot be moved into another.
pub struct AeadSealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl AeadSealer {
    /// A sealer under `key`.
    pub fn new(key: &SealKey) -> Self {
        let octets = key.0.expose_secret();
        // Unwrap safety: the key has exactly the length that the algorithm wants.
        let key = UnboundKey::new(&AES_256_GCM, octets).expect("32 octets are an AES-256 key");
        Self {
            key: LessSafeKey::new(key),
            random: SystemRandom::new(),
        }
    }
}

impl Sealer for AeadSealer {
    fn seal(&self, context: &str, secret: &[u8]) -> String {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce);
        // With its room for the tag, the buffer never moves and leaves no copy of the secret behind.
        let tag = AES_256_GCM.tag_len();
        let mut buffer = Zeroizing::new(Vec::with_capacity(NONCE_LEN + secret.len() + tag));
        buffer.extend(nonce);
        buffer.extend(secret);
        let sealed = buffer.get_mut(NONCE_LEN..).unwrap_or_default();
        // Unwrap safety: sealing fails only for secrets of more than 64 GiB.
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                sealed,
            )
            .expect("a secret is shorter than 64 GiB");
        buffer.extend(tag.as_ref());
        format!("{VERSION}{}", BASE64_NOPAD.encode(&buffer))
    }

    fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        self.try_open(context, sealed)
            .ok_or_else(|| KeyStoreError::Unseal {
                context: context.to_owned(),
            })
    }
}

impl AeadSealer {
    fn try_open(&self, context: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let text = sealed.strip_prefix(VERSION)?;
        let mut octets = Zeroizing::new(BASE64_NOPAD.decode(text.as_bytes()).ok()?);
        let (nonce, sealed) = octets.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(context.as_bytes());
        let secret = self.key.open_in_place(nonce, aad, sealed).ok()?;
        Some(Zeroizing::new(secret.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sealer(octet: u8) -> AeadSealer {
        AeadSealer::new(&SealKey(SecretBox::new(Box::new([octet; 32]))))
    }

    #[test]
    fn a_secret_opens_only_in_its_place_and_only_with_its_key() {
        let sealed = sealer(1).seal("issuer/a", b"secret");
        assert_eq!(
            sealer(1).open("issuer/a", &sealed).unwrap().as_slice(),
            b"secret"
        );
        assert!(sealer(1).open("issuer/b", &sealed).is_err());
        let error = sealer(2).open("issuer/a", &sealed).unwrap_err();
        assert!(error.to_string().contains("issuer/a"));
    }

    #[test]
    fn the_same_secret_never_looks_the_same_and_never_shows() {
        let sealer = sealer(1);
        let (one, two) = (sealer.seal("x", b"secret"), sealer.seal("x", b"secret"));
        assert_ne!(one, two);
        assert!(one.starts_with("v1.") && !one.contains("secret"));
    }

    #[test]
    fn a_changed_or_shortened_seal_does_not_open() {
        let sealer = sealer(1);
        let sealed = sealer.seal("x", b"secret");
        for end in 0..sealed.len() {
            assert!(sealer.open("x", &sealed[..end]).is_err());
        }
        for at in 3..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(
                sealer
                    .open("x", std::str::from_utf8(&changed).unwrap())
                    .is_err(),
                "{at}"
            );
        }
        assert!(sealer.open("x", &sealed.replace("v1.", "v2.")).is_err());
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        let first = SealKey::load_or_create(&path, &SystemRandom::new()).unwrap();
        let again = SealKey::load_or_create(&path, &SystemRandom::new()).unwrap();
        assert_eq!(first.0.expose_secret(), again.0.expose_secret());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        SealKey::load_or_create(&path, &SystemRandom::new()).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let error = SealKey::load_or_create(&path, &SystemRandom::new()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seal.key");
        for octets in [0, 31, 33] {
            std::fs::write(&path, vec![7; octets]).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            let error = SealKey::load_or_create(&path, &SystemRandom::new()).unwrap_err();
            assert!(matches!(error, SealKeyError::Length { .. }), "{error}");
            assert_eq!(path.metadata().unwrap().len(), octets as u64);
        }
    }

    #[test]
    fn a_key_from_the_configuration_is_base64_of_32_octets() {
        let text = |text: &str| SealKey::from_base64(&text.to_owned().into());
        assert!(text(&BASE64.encode(&[9; 32])).is_ok());
        assert!(text(&BASE64.encode(&[9; 31])).is_err());
        assert!(text("not base64").is_err());
        let shown = format!("{:?}", text(&BASE64.encode(&[9; 32])).unwrap());
        assert_eq!(shown, "SealKey(..)");
    }
}
