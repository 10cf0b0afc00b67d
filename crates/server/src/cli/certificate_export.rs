//! `certwright certificate export`: a certificate in the form that somebody needs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pki::key::{LocalKey, SigningKey};
use pki::pkcs12;
use protocols::rest::certificate::{DownloadFormat, DownloadQuery};

use super::client::Client;
use super::exit::Failure;
use super::files;

/// Arguments of `certwright certificate export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright certificate export crt_… --out server.pem
  certwright certificate export crt_… --format der --out server.der
  certwright certificate export crt_… --format p12 --key key.pem --password-file pw --out server.p12

A PKCS #12 file is made on this machine: the private key does not leave it.")]
pub struct Export {
    /// Id of the certificate
    id: String,
    /// Form of the file
    #[arg(long, value_enum, default_value_t = Form::Chain)]
    format: Form,
    /// File to write; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Private key to put into a PKCS #12 file (PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File whose first line protects a PKCS #12 file; `-` is standard input
    #[arg(long, value_name = "FILE", required_if_eq("format", "p12"))]
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The certificate alone, PEM
    Pem,
    /// The certificate alone, DER
    Der,
    /// The certificate and those above it, PEM
    Chain,
    /// Certificate, chain and, with --key, private key in a PKCS #12 file
    P12,
}

impl Export {
    /// Fetches and writes.
    pub async fn run(self, client: &Client) -> Result<(), Failure> {
        if self.key.is_some() && self.format != Form::P12 {
            return Err(Failure::usage("--key is for --format p12"));
        }
        let format = match self.format {
            Form::Pem => DownloadFormat::Pem,
            Form::Der => DownloadFormat::Der,
            Form::Chain | Form::P12 => DownloadFormat::Chain,
        };
        let query = DownloadQuery {
            format: Some(format),
        };
        let path = ["certificates", &self.id, "download"];
        let response = client.download(&path, &query).await?;
        let octets = response.bytes().await.map_err(anyhow::Error::from)?;
        match self.format {
            Form::Pem | Form::Der | Form::Chain => files::write(self.out.as_deref(), &octets),
            Form::P12 => self.write_p12(&octets),
        }
    }

    fn write_p12(&self, chain: &[u8]) -> Result<(), Failure> {
        let chain =
            pki::pem::decode_all(pki::pem::CERTIFICATE, chain).map_err(anyhow::Error::from)?;
        let password = match &self.password_file {
            Some(path) => files::read_secret(path)?,
            None => return Err(Failure::usage("--format p12 needs --password-file")),
        };
        let made = match &self.key {
            None => pkcs12::export_certificates(&chain, &password),
            Some(path) => {
                let key = self.read_key(path, &chain)?;
                pkcs12::export_key(&self.id, &key, &chain, &password)
            }
        };
        let octets = made.map_err(Failure::refused)?;
        match &self.out {
            Some(path) if path.as_os_str() != "-" => files::write_private(path, &octets),
            Some(_) | None => files::write(None, &octets),
        }
    }

    fn read_key(&self, path: &std::path::Path, chain: &[Vec<u8>]) -> Result<LocalKey, Failure> {
        let text = zeroize::Zeroizing::new(files::read_text(path)?);
        let key = LocalKey::from_pem(text.as_bytes())
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let leaf = chain
            .first()
            .map(|der| pki::certificate::Certificate::from_der(der));
        match leaf {
            Some(Ok(leaf)) if leaf.public_key == *key.public_key() => Ok(key),
            Some(_) | None => Err(Failure::refused(format!(
                "the key in {} is not the key of the certificate {}",
                path.display(),
                self.id
            ))),
        }
    }
}
