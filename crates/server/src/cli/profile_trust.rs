//! `certwright profile trust`: whose word is taken for a device and its key.

use std::path::PathBuf;

use clap::Args;
use pki::attestation::AttestationFormat;
use pki::pem;
use protocols::rest::profile::{AttestationRules, Profile};

use super::client::Client;
use super::exit::Failure;
use super::files;

/// Arguments of `certwright profile trust`.
#[derive(Debug, Args)]
pub struct Trust {
    /// Name of the profile
    name: String,
    /// The format of the attestations: tpm, step, apple or hsm
    #[arg(long)]
    format: AttestationFormat,
    /// Trust these alone for the format, and nobody else any longer
    #[arg(long)]
    only: bool,
    /// Files with certificates of makers' CAs, PEM
    #[arg(value_name = "FILE", required_unless_present = "only")]
    files: Vec<PathBuf>,
}

impl Trust {
    /// Makes the new version of the profile.
    pub async fn run(&self, client: &Client) -> Result<Profile, Failure> {
        let path = ["profiles", self.name.as_str()];
        let (profile, version) = client
            .find::<Profile>(&path)
            .await?
            .ok_or_else(|| Failure::usage(format!("there is no profile `{}`", self.name)))?;
        let mut rules = profile.rules;
        let mut trusted = Vec::new();
        for file in &self.files {
            let octets = files::read_octets(file)?;
            let list = pem::decode_all(pem::CERTIFICATE, &octets)
                .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
            trusted.extend(list.iter().map(|der| pem::encode(pem::CERTIFICATE, der)));
        }
        let attestation = rules
            .attestation
            .get_or_insert_with(AttestationRules::default);
        let roots = attestation.roots.entry(self.format).or_default();
        if self.only {
            roots.clear();
        }
        for root in trusted {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        if roots.is_empty() {
            attestation.roots.remove(&self.format);
        }
        client.put_for(&path, None, &version, &rules).await
    }
}
