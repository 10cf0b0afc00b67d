//! Asking for certificates: enroll, renew, re-key, and the key that was made on the server.

use std::collections::BTreeMap;
use std::fmt;

use pki::key::KeyAlgorithm;
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::authorization::Identifier;
use super::profile::KeyEvidence;

/// A request for a certificate: with a CSR, or with a key that is made on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "profile": "default",
    "key": { "algorithm": "p-256" },
    "identifiers": [{ "type": "dns", "value": "www.example.org" }],
}))]
pub struct Enroll {
    /// Name of the profile
    #[schema(example = "default")]
    pub profile: String,
    /// Name of the team that it is for; may be left out by who can ask in one team only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub team: Option<String>,
    /// PKCS #10, PEM or the base64 of its DER; or else `key`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// A key that is made on the server and handed out once; or else `csr`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ServerKey>,
    /// Distinguished name as in RFC 4514; without it a CSR's own. What of it may be certified, the
    /// profile says
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "CN=www.example.org,O=Example")]
    pub subject: Option<String>,
    /// How the private key is protected, for profiles that ask
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_evidence: Option<KeyEvidence>,
    /// What the maker of the device or module that the key is in says of it: certificates in PEM, or an
    /// attestation object (`tpm`, `step`, `apple`) in base64. It takes the place of `key_evidence`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 131072)]
    pub attestation: Option<String>,
    /// Names; with a CSR they may be left out, and are the CSR's
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_before: Option<Timestamp>,
    /// Or else `validity_seconds`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_after: Option<Timestamp>,
    /// Lifetime; the profile's where nothing is said
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 315619200, example = 604800)]
    pub validity_seconds: Option<u64>,
    /// Values of metadata fields by their names
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Id of the certificate that this one takes the place of
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub replaces: Option<String>,
}

/// A key to be made on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerKey {
    /// `p-256`, `p-384`, `ed25519`, `rsa-2048`, `rsa-3072` or `rsa-4096`
    #[schema(value_type = String, example = "p-256")]
    pub algorithm: KeyAlgorithm,
}

/// A request for a certificate in place of another. With neither `csr` nor `key` it is for the same
/// key; to re-key, one of them is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "validity_seconds": 604800 }))]
pub struct Renew {
    /// PKCS #10, PEM or the base64 of its DER, for the same names
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// A key that is made on the server and handed out once
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ServerKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_before: Option<Timestamp>,
    /// Or else `validity_seconds`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_after: Option<Timestamp>,
    /// Lifetime; the profile's where nothing is said
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 315619200)]
    pub validity_seconds: Option<u64>,
    /// How another key is protected, for profiles that ask
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_evidence: Option<KeyEvidence>,
    /// What the maker of the device or module that the key is in says of it: certificates in PEM, or an
    /// attestation object (`tpm`, `step`, `apple`) in base64. It takes the place of `key_evidence`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 131072)]
    pub attestation: Option<String>,
    /// Values that change; the others are inherited
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A wish to withdraw a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelEnrollment {
    /// For the audit trail
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "asked for the wrong name")]
    pub reason: Option<String>,
}

/// A wish for the key that was made on the server. It is granted once.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchKey {
    pub format: KeyFormat,
    /// Protects a PKCS #12 file, which needs one
    #[serde(
        default,
        serialize_with = "exposed",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = Password, write_only, min_length = 1)]
    pub password: Option<SecretString>,
}

impl fmt::Debug for FetchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchKey")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Only the client writes it, to the server.
fn exposed<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

/// Forms in which a key is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyFormat {
    /// The key alone, PEM, not encrypted but by TLS
    Pkcs8,
    /// Key, certificate and chain in one file, under a password
    Pkcs12,
}

impl KeyFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pkcs8 => "application/x-pem-file",
            Self::Pkcs12 => "application/x-pkcs12",
        }
    }
}
