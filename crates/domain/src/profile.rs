//! A profile: what may be issued under one name, for how long, and by whom.

mod extension;
mod faults;
mod history;
mod name_pattern;
pub mod preset;
mod renewal;
mod schedule;
mod subject;

use std::time::Duration;

use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, KeyKind};
use pki::lint;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acme::challenge::ChallengeKind;
use crate::approval::ApprovalRule;
use crate::attestation::AttestationRules;
use crate::id::{ProfileId, TeamId};
use crate::issuer::RouteCondition;
use crate::metadata::{Values, map_of_scalars};
pub use crate::policy::expression::Expression;
pub use crate::policy::names::NamePattern;
pub use extension::FixedExtension;
pub use faults::SpecFault;
pub use history::{Change, changes};
pub use name_pattern::{SanPattern, SanPatternError};
pub use renewal::{KeyEvidence, KeyEvidenceKind, RenewalRules};
pub use schedule::{NamedSchedule, ValiditySchedule, ValidityStep};
pub use subject::{AttributeRule, OtherAttributes, Presence, SubjectRules};

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
///
/// What a version of this program does not know yet has a default that changes nothing, so that
/// stored rules stay readable and mean what they meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// Shown to clients in the directory (`meta.profiles`).
    pub description: String,
    pub kind: CertificateKind,
    /// Inclusive lifetime in seconds; what a request may shorten and never lengthen.
    pub validity_seconds: u64,
    /// Caps the lifetime by the day of issuance.
    #[serde(default)]
    pub validity_schedule: Option<ValiditySchedule>,
    /// How far before issuance a certificate begins, for clients whose clocks are behind.
    #[serde(default = "default_backdate")]
    pub backdate_seconds: u64,
    pub key_algorithms: Vec<KeyAlgorithm>,
    /// Whether every certificate needs a key that is in no other; then a renewal does, too.
    #[serde(default)]
    pub new_key: bool,
    /// Evidence for the protection of the private key that is taken; where not empty, some is needed.
    #[serde(default)]
    pub key_evidence: Vec<KeyEvidenceKind>,
    pub names: NameRules,
    #[serde(default)]
    pub common_name: CommonName,
    /// The attributes of the subject; without rules it has the common name at most.
    #[serde(default)]
    pub subject: Option<SubjectRules>,
    pub key_usage: KeyUsage,
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Certificate policy OIDs, dotted.
    #[serde(default)]
    pub certificate_policies: Vec<String>,
    /// Extensions that every certificate carries, besides those it has anyway.
    #[serde(default)]
    pub extensions: Vec<FixedExtension>,
    #[serde(default)]
    pub subject_key_identifier: bool,
    #[serde(default)]
    pub revocation_pointers: RevocationPointers,
    /// Whether a CSR may ask for the TLS feature extension (RFC 7633).
    #[serde(default)]
    pub must_staple: bool,
    /// Whether every certificate has it, asked for or not.
    #[serde(default)]
    pub must_staple_always: bool,
    /// The ACME challenges that prove control well enough; empty for all that the directory offers.
    /// Where it is not empty, a binding of a trusted directory is no proof.
    #[serde(default)]
    pub challenges: Vec<ChallengeKind>,
    /// The makers whose word is taken for a device and its key; without rules, nobody's is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<AttestationRules>,
    /// When clients are told to renew (RFC 9773); without it, after two thirds of the lifetime.
    #[serde(default)]
    pub renewal: Option<RenewalRules>,
    /// What the members above cannot say; all must hold.
    #[serde(default)]
    pub expressions: Vec<Expression>,
    /// The issuers that may sign, with their share of the load.
    pub issuers: Vec<IssuerChoice>,
    /// Values of custom metadata for requests that get them from nowhere nearer.
    #[serde(default, deserialize_with = "map_of_scalars")]
    pub metadata: Values,
    /// Fields of custom metadata without which nothing is issued.
    #[serde(default)]
    pub required_metadata: Vec<String>,
    /// Who has to agree first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
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

    /// The key usage of a certificate for a key of that kind: the profile's, without what such a
    /// key cannot do (RFC 8813 section 3, RFC 9295 section 3).
    pub fn key_usage_of(&self, kind: &KeyKind) -> KeyUsage {
        let enciphers = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::DATA_ENCIPHERMENT;
        let agrees = KeyUsage::KEY_AGREEMENT | KeyUsage::ENCIPHER_ONLY | KeyUsage::DECIPHER_ONLY;
        match kind {
            KeyKind::Rsa { .. } => {
                let usage = self.key_usage.difference(agrees);
                // TLS 1.2 key exchange with RSA encrypts; with any other key there is nothing to encipher.
                match self.kind {
                    CertificateKind::TlsServer
                    | CertificateKind::TlsClient
                    | CertificateKind::Device
                        if usage.contains(KeyUsage::DIGITAL_SIGNATURE) =>
                    {
                        usage | KeyUsage::KEY_ENCIPHERMENT
                    }
                    CertificateKind::TlsServer
                    | CertificateKind::TlsClient
                    | CertificateKind::Device
                    | CertificateKind::Smime
                    | CertificateKind::CodeSigning => usage,
                }
            }
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => {
                self.key_usage.difference(enciphers)
            }
            KeyKind::Ed25519 => self.key_usage.difference(enciphers | agrees),
            KeyKind::Other(_) => self.key_usage,
        }
    }

    /// Whether an authorization by that challenge is good enough.
    pub fn accepts_challenge(&self, kind: ChallengeKind) -> bool {
        let is_listed = self.challenges.is_empty() || self.challenges.contains(&kind);
        match kind {
            ChallengeKind::DeviceAttest01 => {
                let rules = self.attestation.as_ref();
                is_listed && rules.is_some_and(AttestationRules::trusts_for_acme)
            }
            ChallengeKind::Http01
            | ChallengeKind::Dns01
            | ChallengeKind::TlsAlpn01
            | ChallengeKind::DnsAccount01
            | ChallengeKind::DnsPersist01
            | ChallengeKind::EmailReply00 => is_listed,
        }
    }

    /// Whether the certificates claim to meet the TLS Baseline Requirements.
    pub fn claims_public_tls(&self) -> bool {
        self.kind == CertificateKind::TlsServer
            && self
                .certificate_policies
                .iter()
                .any(|policy| lint::claims_public_tls(policy))
    }
}

/// What a certificate is for; it decides which lint rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    TlsServer,
    TlsClient,
    /// Mail that is signed or encrypted (RFC 8551).
    Smime,
    CodeSigning,
    /// A device or machine, for whatever its profile says.
    Device,
}

impl CertificateKind {
    /// What the linter takes such certificates for.
    pub fn linted_as(self) -> lint::CertificateKind {
        match self {
            Self::TlsServer => lint::CertificateKind::TlsServer,
            Self::TlsClient => lint::CertificateKind::TlsClient,
            Self::Smime => lint::CertificateKind::Email,
            Self::CodeSigning => lint::CertificateKind::CodeSigning,
            Self::Device => lint::CertificateKind::Device,
        }
    }
}

/// Which names a profile certifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameRules {
    pub dns: bool,
    pub ip: bool,
    #[serde(default)]
    pub email: bool,
    #[serde(default)]
    pub uri: bool,
    #[serde(default)]
    pub permanent_identifier: bool,
    #[serde(default)]
    pub hardware_module: bool,
    pub wildcards: bool,
    /// 0 where the subject says it all.
    #[serde(default = "one")]
    pub min: usize,
    pub max: usize,
    /// At most so many of one type, within `max`.
    #[serde(default)]
    pub limits: NameLimits,
    /// Where not empty, only these.
    #[serde(default)]
    pub allow: Vec<SanPattern>,
    /// Never these, even where `allow` has them.
    #[serde(default)]
    pub deny: Vec<SanPattern>,
}

/// How many names of each type there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NameLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<usize>,
}

impl NameLimits {
    /// The limit of each type of identifier.
    pub fn each(self) -> [(&'static str, Option<usize>); 4] {
        [
            ("dns", self.dns),
            ("ip", self.ip),
            ("email", self.email),
            ("uri", self.uri),
        ]
    }
}

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
    /// The order of preference: a higher tier signs only where no issuer of a lower one can.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tier: u32,
    /// Which requests it signs; all, where there is no condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<RouteCondition>,
}

impl IssuerChoice {
    /// An issuer for every request, of the first tier.
    pub fn new(issuer: impl Into<String>, weight: u32) -> Self {
        Self {
            issuer: issuer.into(),
            weight,
            tier: 0,
            when: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

const fn default_backdate() -> u64 {
    60 * 60
}

const fn one() -> usize {
    1
}

#[cfg(test)]
mod tests;
