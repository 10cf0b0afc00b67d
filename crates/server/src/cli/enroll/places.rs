//! Where certificate and key go.

use std::path::{Path, PathBuf};

use clap::Args;
use pki::key::{PublicKey, SigningKey};
use secrecy::SecretString;
use serde::Serialize;

use super::super::exit::Failure;
use super::super::files;
use super::key::read_key;

/// Flags that say where files go.
#[derive(Clone, Debug, Default, Args)]
pub struct Places {
    /// Folder for cert.pem, privkey.pem, chain.pem and fullchain.pem; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// File for the certificate alone
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// File for the private key, readable for its owner alone
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// File for the certificates above it
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
    /// File for the certificate and those above it
    #[arg(long, value_name = "FILE")]
    pub fullchain: Option<PathBuf>,
    /// File for key and certificates in PKCS #12, made here; needs --password-file
    #[arg(long, value_name = "FILE", requires = "password_file")]
    pub p12: Option<PathBuf>,
    /// File whose first line protects the PKCS #12 file; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "p12")]
    pub password_file: Option<PathBuf>,
    /// Replace a private key that is there already
    #[arg(long)]
    pub force: bool,
}

/// The files to write.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Targets {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fullchain: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p12: Option<PathBuf>,
    #[serde(skip)]
    pub password: Option<SecretString>,
}

impl Places {
    /// Whether anything was said about files.
    pub fn are_named(&self) -> bool {
        let files = [
            &self.cert,
            &self.key,
            &self.chain,
            &self.fullchain,
            &self.p12,
        ];
        self.out_dir.is_some() || files.iter().any(|file| file.is_some())
    }

    /// The files; in the folder `name` where nothing was said.
    pub fn targets(&self, with_key: bool, name: &str) -> Result<Targets, Failure> {
        let folder = match (&self.out_dir, self.are_named()) {
            (Some(folder), _) => Some(folder.clone()),
            (None, false) => Some(PathBuf::from(name)),
            (None, true) => None,
        };
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).map_err(|error| files::failed(folder, error))?;
        }
        let place = |given: &Option<PathBuf>, name: &str| {
            given.clone().or_else(|| Some(folder.as_ref()?.join(name)))
        };
        Ok(Targets {
            key: place(&self.key, KEY).filter(|_| with_key),
            cert: place(&self.cert, CERT),
            chain: place(&self.chain, CHAIN),
            fullchain: place(&self.fullchain, FULLCHAIN),
            p12: self.p12.clone(),
            password: self
                .password_file
                .as_deref()
                .map(files::read_secret)
                .transpose()?,
        })
    }
}

impl Targets {
    /// The files that belong to a certificate's file: those of the usual names beside it, and itself.
    pub fn beside(certificate: &Path, is_chain: bool) -> Self {
        let folder = certificate.parent().unwrap_or(Path::new(""));
        let there = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let mut targets = Self {
            key: there(KEY),
            cert: there(CERT),
            chain: there(CHAIN),
            fullchain: there(FULLCHAIN),
            ..Self::default()
        };
        let own = Some(certificate.to_owned());
        match is_chain {
            true => targets.fullchain = own,
            false => targets.cert = own,
        }
        targets
    }

    /// The key's file, or that there has to be one.
    pub fn need_key(&self) -> Result<&Path, Failure> {
        self.key.as_deref().or(self.p12.as_deref()).ok_or_else(|| {
            Failure::usage(
                "say where the private key goes: --key FILE, --p12 FILE or --out-dir DIR",
            )
        })
    }

    /// A private key is overwritten by nothing but what replaces it: `own` may go.
    pub fn check_key(&self, own: Option<&PublicKey>, force: bool) -> Result<(), Failure> {
        let place = self.need_key()?;
        if force || !place.exists() {
            return Ok(());
        }
        let is_own = self.key.is_some()
            && own.is_some_and(|own| read_key(place).is_ok_and(|key| key.public_key() == own));
        match is_own {
            true => Ok(()),
            false => Err(Failure::refused(format!(
                "{} holds another private key; --force replaces it, --reuse-key asks for a \
                 certificate for it",
                place.display()
            ))),
        }
    }
}

const CERT: &str = "cert.pem";
const KEY: &str = "privkey.pem";
const CHAIN: &str = "chain.pem";
const FULLCHAIN: &str = "fullchain.pem";
