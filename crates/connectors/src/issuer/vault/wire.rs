//! What the engine and the server around it answer.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Most answers have what matters under `data`.
#[derive(Deserialize)]
pub(super) struct Enveloped<T> {
    pub(super) data: T,
}

/// Every refusal has texts.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct SignedData {
    pub(super) certificate: String,
    /// One certificate, or a list of one.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) issuing_ca: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) ca_chain: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct IssuerData {
    pub(super) certificate: String,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) ca_chain: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Revoked {
    #[serde(default, rename = "revocation_time")]
    _revocation_time: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Keys {
    #[serde(default)]
    pub(super) keys: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct StoredCertificate {
    pub(super) certificate: String,
    /// Seconds since 1970; 0 where it is not revoked.
    #[serde(default)]
    pub(super) revocation_time: i64,
}

#[derive(Deserialize)]
pub(super) struct Login {
    pub(super) auth: Auth,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) client_token: secrecy::SecretString,
    /// Seconds; 0 for a token without an end.
    pub(super) lease_duration: u64,
}

#[derive(Deserialize)]
pub(super) struct TokenData {
    /// Seconds; 0 for a token without an end.
    #[serde(default)]
    pub(super) ttl: u64,
    #[serde(default)]
    pub(super) renewable: bool,
}

#[derive(Deserialize)]
pub(super) struct Health {
    #[serde(default)]
    pub(super) initialized: bool,
    #[serde(default)]
    pub(super) sealed: bool,
    #[serde(default)]
    pub(super) version: String,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
        None(()),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(text) if text.is_empty() => Vec::new(),
        Either::One(text) => vec![text],
        Either::Many(texts) => texts,
        Either::None(()) => Vec::new(),
    })
}
