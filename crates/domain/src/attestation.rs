//! Attested keys: which makers of devices a profile trusts, and what is kept of a statement that held.

use std::collections::BTreeMap;

use pki::attestation::{AttestationFormat, Attested, TrustedRoot};
use pki::certificate::Certificate;
use pki::key::PublicKey;
use pki::pem;
use serde::{Deserialize, Serialize};

use crate::profile::SpecFault;

/// Whose word a profile takes for a device, and what becomes of the device's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttestationRules {
    /// Roots of makers in PEM, by the format of attestation that they are trusted for. A format that
    /// is not here is not taken.
    pub roots: BTreeMap<AttestationFormat, Vec<String>>,
    /// Whether the names that devices were attested by are left out of certificates.
    pub withhold_names: bool,
}

impl AttestationRules {
    /// Whether any maker is trusted at all.
    pub fn trusts_anybody(&self) -> bool {
        self.roots.values().any(|roots| !roots.is_empty())
    }

    /// Whether any maker is trusted for a format that ACME knows.
    pub fn trusts_for_acme(&self) -> bool {
        let mut lists = self.roots.iter();
        lists.any(|(format, roots)| *format != AttestationFormat::Hsm && !roots.is_empty())
    }

    /// The roots, as far as they can be read; all of them, in rules without faults.
    pub fn trusted_roots(&self) -> Vec<TrustedRoot> {
        let texts = self
            .roots
            .iter()
            .flat_map(|(format, texts)| texts.iter().map(|text| (*format, text)));
        texts
            .filter_map(|(format, text)| Some((format, read_root(text).ok()?)))
            .collect()
    }

    /// Whether a key that was attested before is still vouched for by somebody trusted.
    pub fn still_trusts(&self, attested: &AttestedKey) -> bool {
        self.trusted_roots().iter().any(|(format, root)| {
            *format == attested.format && root.fingerprint().to_string() == attested.root
        })
    }

    /// What is wrong with the rules by themselves.
    pub(crate) fn faults(&self) -> Vec<SpecFault> {
        let mut faults = Vec::new();
        for (format, texts) in &self.roots {
            let path = format!("attestation.roots.{format}");
            if texts.len() > MAX_ROOTS {
                faults.push(SpecFault::new(&path, "more than 50 certificates"));
            }
            for (position, text) in texts.iter().enumerate() {
                if let Err(message) = read_root(text) {
                    faults.push(SpecFault::new(format!("{path}[{position}]"), message));
                }
            }
        }
        faults
    }
}

fn read_root(text: &str) -> Result<Certificate, String> {
    let list = pem::decode_all(pem::CERTIFICATE, text.as_bytes());
    let [der] = list.as_deref().unwrap_or_default() else {
        return Err("not one certificate in PEM".to_owned());
    };
    let root = Certificate::from_der(der).map_err(|error| error.to_string())?;
    match root.is_ca {
        true => Ok(root),
        false => Err("not the certificate of a CA".to_owned()),
    }
}

/// What is kept of an attestation that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestedKey {
    pub format: AttestationFormat,
    /// SHA-256 of the key's SubjectPublicKeyInfo, in hex.
    pub key: String,
    /// Fingerprint of the maker's root.
    pub root: String,
    /// Subject of the maker's root.
    pub maker: String,
    /// The names that the maker gave the device, as ACME writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
}

impl AttestedKey {
    /// What is kept.
    pub fn of(attested: &Attested) -> Self {
        let permanent = attested.permanent.iter().map(ToString::to_string);
        let modules = attested.modules.iter().map(ToString::to_string);
        Self {
            format: attested.format,
            key: digest_of(&attested.key),
            root: attested.root.to_string(),
            maker: attested.root_subject.clone(),
            devices: permanent.chain(modules).take(MAX_DEVICES).collect(),
        }
    }

    /// Whether that is the key.
    pub fn is_about(&self, key: &PublicKey) -> bool {
        self.key == digest_of(key)
    }

    /// In a line, for those who look for evidence.
    pub fn summary(&self) -> String {
        let devices = match self.devices.as_slice() {
            [] => String::new(),
            devices => format!(" of {}", devices.join(", ")),
        };
        format!("{} attestation{devices} under {}", self.format, self.maker)
    }
}

fn digest_of(key: &PublicKey) -> String {
    data_encoding::HEXLOWER.encode(&key.spki_sha256())
}

/// Octets as base64 in JSON.
pub(crate) mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(octets: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(octets))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

const MAX_ROOTS: usize = 50;
const MAX_DEVICES: usize = 16;
