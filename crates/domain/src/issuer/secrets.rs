//! What a connector proves itself with: sealed in the store, opened where it is used, never shown.

use std::collections::BTreeMap;
use std::fmt;

use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::connector::ConnectError;
use crate::id::IssuerId;
use crate::keystore::Sealer;

/// A secret that a kind of issuer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretRule {
    pub name: &'static str,
    /// Whether there is no working without it, whatever the settings.
    pub required: bool,
    pub summary: &'static str,
}

/// A secret as it is stored. What is sealed opens for this issuer and this name only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    pub sealed: String,
    pub set_at: Timestamp,
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret(set at {})", self.set_at)
    }
}

/// Where a secret is sealed for.
pub fn seal_context(issuer: &IssuerId, name: &str) -> String {
    format!("issuers/{issuer}/{name}")
}

/// The secrets of an issuer, open.
#[derive(Clone, Default)]
pub struct IssuerSecrets(BTreeMap<String, SecretString>);

impl IssuerSecrets {
    /// Secrets by name.
    pub fn new(secrets: BTreeMap<String, SecretString>) -> Self {
        Self(secrets)
    }

    /// Opens what is sealed for an issuer.
    pub fn open(
        issuer: &IssuerId,
        sealed: &BTreeMap<String, SealedSecret>,
        sealer: &dyn Sealer,
    ) -> Result<Self, ConnectError> {
        let mut open = BTreeMap::new();
        for (name, secret) in sealed {
            let octets = sealer.open(&seal_context(issuer, name), &secret.sealed)?;
            let text = std::str::from_utf8(&octets)
                .map_err(|_| ConnectError::Settings(format!("the secret `{name}` is no text")))?;
            open.insert(name.clone(), SecretString::from(text));
        }
        Ok(Self(open))
    }

    /// The secret of that name, where there is one.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// The secret of that name, without which a connector cannot work.
    pub fn require(&self, name: &str) -> Result<&SecretString, ConnectError> {
        self.get(name).ok_or_else(|| {
            ConnectError::Settings(format!(
                "the secret `{name}` is missing; set it with `certwright issuer update NAME --secret {name}=@FILE`"
            ))
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Takes others in the place of those with the same names.
    pub fn replace(&mut self, others: BTreeMap<String, SecretString>) {
        self.0.extend(others);
    }

    /// Whether a secret has any text.
    pub fn is_blank(secret: &SecretString) -> bool {
        secret.expose_secret().is_empty()
    }
}

impl fmt::Debug for IssuerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why secrets cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsFault {
    #[error("an issuer of the kind `{kind}` takes no secret `{name}`; it takes {known}")]
    Unknown {
        kind: &'static str,
        name: String,
        known: String,
    },
    #[error("the secret `{0}` is empty")]
    Empty(String),
    #[error("the secret `{0}` is needed")]
    Missing(&'static str),
    #[error(
        "a secret's name may have lower-case letters, digits and `_`, 1 to 63; `{0}` has others"
    )]
    Name(String),
}

impl super::ConnectorKind {
    /// What is wrong with newly given secrets, and which are missing beside those kept.
    pub fn secret_faults(
        self,
        given: &BTreeMap<String, SecretString>,
        kept: impl Fn(&str) -> bool,
    ) -> Vec<SecretsFault> {
        let rules = self.secrets();
        let mut faults = Vec::new();
        for (name, secret) in given {
            let is_known = rules.iter().any(|rule| rule.name == name);
            if !is_known && !self.takes_any_secret() {
                faults.push(SecretsFault::Unknown {
                    kind: self.name(),
                    name: name.chars().take(64).collect(),
                    known: names(rules),
                });
            } else if !is_name(name) {
                faults.push(SecretsFault::Name(name.chars().take(64).collect()));
            } else if IssuerSecrets::is_blank(secret) {
                faults.push(SecretsFault::Empty(name.clone()));
            }
        }
        let missing = rules
            .iter()
            .filter(|rule| rule.required && !given.contains_key(rule.name) && !kept(rule.name));
        faults.extend(missing.map(|rule| SecretsFault::Missing(rule.name)));
        faults
    }
}

fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn names(rules: &[SecretRule]) -> String {
    match rules {
        [] => "none".to_owned(),
        rules => rules
            .iter()
            .map(|rule| format!("`{}`", rule.name))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
