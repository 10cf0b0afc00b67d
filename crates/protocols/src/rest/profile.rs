//! Profiles: what may be issued.

use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::KeyAlgorithm;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The current version of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    pub name: String,
    #[schema(example = "prf_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub version: u32,
    pub rules: ProfileRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// When this version was made
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// What a profile allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRules {
    /// Shown to ACME clients in the directory
    pub description: String,
    pub kind: CertificateKind,
    /// Lifetime of a certificate; requests may shorten it
    #[schema(minimum = 60)]
    pub validity_seconds: u64,
    /// How far before its issuance a certificate begins
    #[serde(default = "an_hour")]
    pub backdate_seconds: u64,
    #[schema(value_type = Vec<String>, example = json!(["p-256", "rsa-2048"]))]
    pub key_algorithms: Vec<KeyAlgorithm>,
    pub names: NameRules,
    #[serde(default)]
    pub common_name: CommonName,
    #[schema(value_type = Vec<String>, example = json!(["digitalSignature"]))]
    pub key_usage: KeyUsage,
    #[schema(value_type = Vec<String>, example = json!(["serverAuth"]))]
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Object identifiers, dotted
    #[serde(default)]
    pub certificate_policies: Vec<String>,
    #[serde(default)]
    pub subject_key_identifier: bool,
    #[serde(default)]
    pub revocation_pointers: RevocationPointers,
    /// Whether a CSR may ask for the TLS feature extension (RFC 7633)
    #[serde(default)]
    pub must_staple: bool,
    /// The issuers that sign, with their share of the load
    pub issuers: Vec<IssuerChoice>,
}

const fn an_hour() -> u64 {
    60 * 60
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    TlsServer,
    TlsClient,
}

/// Which names are certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameRules {
    pub dns: bool,
    pub ip: bool,
    pub wildcards: bool,
    #[schema(minimum = 1)]
    pub max: usize,
    /// Where not empty, only these: a name, `.suffix` for everything below it, or a network
    #[serde(default)]
    pub allow: Vec<String>,
    /// Never these, even where `allow` has them
    #[serde(default)]
    pub deny: Vec<String>,
}

/// Whether the subject carries a common name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommonName {
    #[default]
    Omitted,
    FirstDnsName,
}

/// Which pointers to revocation and issuer a certificate carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationPointers {
    pub crl: bool,
    pub ocsp: bool,
    pub ca_issuers: bool,
}

impl Default for RevocationPointers {
    fn default() -> Self {
        Self {
            crl: true,
            ocsp: true,
            ca_issuers: true,
        }
    }
}

/// An issuer and its share of the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerChoice {
    pub issuer: String,
    /// Relative to the other weights; 0 takes the issuer out
    pub weight: u32,
}
