//! A profile: what may be issued under one name, for how long, and by whom.

use std::time::Duration;

use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, KeyKind};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ProfileId, TeamId};

/// One version of a profile. A change makes a new version; certificates know theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub id: ProfileId,
    /// What clients ask for by name: lower-case letters, digits and hyphens.
    pub name: String,
    pub version: u32,
    pub spec: ProfileSpec,
    /// The team that owns it; without one everybody shares it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// The rules of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// Shown to clients in the directory (`meta.profiles`).
    pub description: String,
    pub kind: CertificateKind,
    /// Inclusive lifetime in seconds; what a request may shorten and never lengthen.
    pub validity_seconds: u64,
    /// How far before issuance a certificate begins, for clients whose clocks are behind.
    #[serde(default = "default_backdate")]
    pub backdate_seconds: u64,
    pub key_algorithms: Vec<KeyAlgorithm>,
    pub names: NameRules,
    #[serde(default)]
    pub common_name: CommonName,
    pub key_usage: KeyUsage,
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Certificate policy OIDs, dotted.
    #[serde(default)]
    pub certificate_policies: Vec<String>,
    #[serde(default)]
    pub subject_key_identifier: bool,
    #[serde(default)]
    pub revocation_pointers: RevocationPointers,
    /// Whether a CSR may ask for the TLS feature extension (RFC 7633).
    #[serde(default)]
    pub must_staple: bool,
    /// The issuers that may sign, with their share of the load.
    pub issuers: Vec<IssuerChoice>,
}

impl ProfileSpec {
    /// The lifetime a certificate gets where the request asks for nothing else.
    pub fn validity(&self) -> Duration {
        Duration::from_secs(self.validity_seconds)
    }

    /// Whether a public key is of a kind this profile takes.
    pub fn allows_key(&self, kind: &KeyKind) -> bool {
        self.key_algorithms
            .iter()
            .any(|algorithm| match (algorithm, kind) {
                (KeyAlgorithm::Rsa2048, KeyKind::Rsa { bits }) => *bits == 2048,
                (KeyAlgorithm::Rsa3072, KeyKind::Rsa { bits }) => *bits == 3072,
                (KeyAlgorithm::Rsa4096, KeyKind::Rsa { bits }) => *bits == 4096,
                (KeyAlgorithm::EcP256, KeyKind::EcP256)
                | (KeyAlgorithm::EcP384, KeyKind::EcP384)
                | (KeyAlgorithm::Ed25519, KeyKind::Ed25519) => true,
                _ => false,
            })
    }
}

/// What a certificate is for; it decides which lint rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    TlsServer,
    TlsClient,
}

/// Which names a profile certifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameRules {
    pub dns: bool,
    pub ip: bool,
    pub wildcards: bool,
    pub max: usize,
    /// Where not empty, only these names: a name, `.suffix` for everything below it, or a network.
    #[serde(default)]
    pub allow: Vec<NamePattern>,
    /// Never these, even where `allow` has them.
    #[serde(default)]
    pub deny: Vec<NamePattern>,
}

pub use crate::policy::names::NamePattern;

/// Whether the subject carries a common name. It is always a copy of a name in the SAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommonName {
    /// An empty subject; what the Baseline Requirements recommend.
    #[default]
    Omitted,
    /// The first DNS name that fits into 64 characters.
    FirstDnsName,
}

/// Which pointers to revocation and issuer a certificate carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// An issuer of a profile and its share of the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerChoice {
    /// The issuer's name.
    pub issuer: String,
    /// Relative to the other weights; 0 takes the issuer out.
    pub weight: u32,
}

const fn default_backdate() -> u64 {
    60 * 60
}

/// Profiles that work at once.
pub mod preset {
    use super::*;

    /// TLS servers inside an organisation, 90 days.
    pub fn tls_server(issuer: &str) -> ProfileSpec {
        ProfileSpec {
            description: "TLS server certificates, 90 days".to_owned(),
            kind: CertificateKind::TlsServer,
            validity_seconds: 90 * DAY,
            backdate_seconds: default_backdate(),
            key_algorithms: vec![
                KeyAlgorithm::EcP256,
                KeyAlgorithm::EcP384,
                KeyAlgorithm::Ed25519,
                KeyAlgorithm::Rsa2048,
                KeyAlgorithm::Rsa3072,
                KeyAlgorithm::Rsa4096,
            ],
            names: NameRules {
                dns: true,
                ip: true,
                wildcards: true,
                max: 100,
                allow: Vec::new(),
                deny: Vec::new(),
            },
            common_name: CommonName::FirstDnsName,
            key_usage: KeyUsage::DIGITAL_SIGNATURE,
            extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
            // None of the CA/B Forum's: those would promise what a private CA does not keep.
            certificate_policies: Vec::new(),
            subject_key_identifier: false,
            revocation_pointers: RevocationPointers::default(),
            must_staple: true,
            issuers: vec![IssuerChoice {
                issuer: issuer.to_owned(),
                weight: 1,
            }],
        }
    }

    /// TLS servers that renew every few days and need no revocation, 6 days.
    pub fn short_lived(issuer: &str) -> ProfileSpec {
        ProfileSpec {
            description: "TLS server certificates, 6 days, no revocation pointers".to_owned(),
            validity_seconds: 6 * DAY + 16 * 60 * 60,
            common_name: CommonName::Omitted,
            must_staple: false,
            revocation_pointers: RevocationPointers {
                crl: false,
                ocsp: false,
                ca_issuers: true,
            },
            ..tls_server(issuer)
        }
    }

    /// TLS clients: machines that prove who they are to a server, 90 days.
    pub fn tls_client(issuer: &str) -> ProfileSpec {
        ProfileSpec {
            description: "TLS client certificates for machines, 90 days".to_owned(),
            kind: CertificateKind::TlsClient,
            extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
            subject_key_identifier: true,
            must_staple: false,
            ..tls_server(issuer)
        }
    }

    const DAY: u64 = 24 * 60 * 60;
}
