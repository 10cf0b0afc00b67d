//! Profiles that work at once.

use std::fmt;
use std::str::FromStr;

use super::*;

/// A profile to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    TlsServer,
    TlsServerPublic,
    TlsClient,
    Smime,
    CodeSigning,
    Device,
    ShortLived,
}

impl Preset {
    /// All presets, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::TlsServer,
        Self::TlsServerPublic,
        Self::TlsClient,
        Self::Smime,
        Self::CodeSigning,
        Self::Device,
        Self::ShortLived,
    ];

    /// Its name in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TlsServer => "tls-server",
            Self::TlsServerPublic => "tls-server-public",
            Self::TlsClient => "tls-client",
            Self::Smime => "smime",
            Self::CodeSigning => "code-signing",
            Self::Device => "device",
            Self::ShortLived => "short-lived",
        }
    }

    /// The rules, with everything signed by that issuer.
    pub fn spec(self, issuer: &str) -> ProfileSpec {
        match self {
            Self::TlsServer => tls_server(issuer),
            Self::TlsServerPublic => tls_server_public(issuer),
            Self::TlsClient => tls_client(issuer),
            Self::Smime => smime(issuer),
            Self::CodeSigning => code_signing(issuer),
            Self::Device => device(issuer),
            Self::ShortLived => short_lived(issuer),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no preset.
#[derive(Debug, thiserror::Error)]
#[error("there is no preset `{0}`; `certwright profile presets` lists them")]
pub struct ParsePresetError(String);

impl FromStr for Preset {
    type Err = ParsePresetError;

    fn from_str(text: &str) -> Result<Self, ParsePresetError> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.as_str() == text)
            .ok_or_else(|| ParsePresetError(text.chars().take(64).collect()))
    }
}

/// TLS servers inside an organisation, 90 days.
pub fn tls_server(issuer: &str) -> ProfileSpec {
    ProfileSpec {
        description: "TLS server certificates, 90 days".to_owned(),
        kind: CertificateKind::TlsServer,
        validity_seconds: 90 * DAY,
        validity_schedule: None,
        backdate_seconds: default_backdate(),
        key_algorithms: vec![
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
        ],
        new_key: false,
        key_evidence: Vec::new(),
        names: NameRules {
            dns: true,
            ip: true,
            email: false,
            uri: false,
            permanent_identifier: false,
            hardware_module: false,
            wildcards: true,
            min: 1,
            max: 100,
            limits: NameLimits::default(),
            allow: Vec::new(),
            deny: Vec::new(),
        },
        common_name: CommonName::FirstDnsName,
        subject: None,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
        // None of the CA/B Forum's: those would promise what a private CA does not keep.
        certificate_policies: Vec::new(),
        extensions: Vec::new(),
        subject_key_identifier: false,
        revocation_pointers: RevocationPointers::default(),
        must_staple: true,
        must_staple_always: false,
        challenges: Vec::new(),
        attestation: None,
        renewal: None,
        expressions: Vec::new(),
        issuers: vec![IssuerChoice::new(issuer.to_owned(), 1)],
        metadata: Values::new(),
        required_metadata: Vec::new(),
        approval: None,
    }
}

/// TLS servers that anybody trusts: what the TLS Baseline Requirements demand of a
/// domain-validated certificate, as long as its day allows.
pub fn tls_server_public(issuer: &str) -> ProfileSpec {
    ProfileSpec {
        description: "TLS server certificates by the CA/B Forum's Baseline Requirements".to_owned(),
        validity_seconds: 200 * DAY,
        validity_schedule: Some(ValiditySchedule::Named(NamedSchedule::Sc081v3)),
        // The Baseline Requirements know no Ed25519.
        key_algorithms: vec![
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
        ],
        common_name: CommonName::Omitted,
        certificate_policies: vec![DOMAIN_VALIDATED.to_owned()],
        ..tls_server(issuer)
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

/// Mail of one person or mailbox, signed and encrypted, a year.
pub fn smime(issuer: &str) -> ProfileSpec {
    ProfileSpec {
        description: "S/MIME certificates for mailboxes, 365 days".to_owned(),
        kind: CertificateKind::Smime,
        validity_seconds: 365 * DAY,
        validity_schedule: Some(ValiditySchedule::Named(NamedSchedule::Smime)),
        names: NameRules {
            dns: false,
            ip: false,
            email: true,
            wildcards: false,
            max: 10,
            ..tls_server(issuer).names
        },
        common_name: CommonName::Omitted,
        subject: Some(SubjectRules {
            attributes: vec![
                attribute("serialNumber", Presence::Optional),
                attribute("CN", Presence::Optional),
            ],
            others: OtherAttributes::Dropped,
        }),
        // What a key cannot do is left out when it is certified.
        key_usage: KeyUsage::DIGITAL_SIGNATURE
            | KeyUsage::KEY_ENCIPHERMENT
            | KeyUsage::KEY_AGREEMENT,
        extended_key_usage: vec![ExtendedKeyUsage::EmailProtection],
        subject_key_identifier: true,
        must_staple: false,
        ..tls_server(issuer)
    }
}

/// Software of one organisation, whose key lies in hardware, up to the 460 days of the Code Signing
/// Baseline Requirements.
pub fn code_signing(issuer: &str) -> ProfileSpec {
    ProfileSpec {
        description: "Code signing certificates, 460 days, keys in hardware".to_owned(),
        kind: CertificateKind::CodeSigning,
        validity_seconds: 460 * DAY,
        validity_schedule: Some(ValiditySchedule::Named(NamedSchedule::CodeSigning)),
        key_algorithms: vec![
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
        ],
        key_evidence: vec![
            KeyEvidenceKind::Attestation,
            KeyEvidenceKind::SuppliedDevice,
            KeyEvidenceKind::CloudService,
            KeyEvidenceKind::Witness,
        ],
        names: NameRules {
            dns: false,
            ip: false,
            wildcards: false,
            permanent_identifier: true,
            hardware_module: true,
            min: 0,
            max: 1,
            ..tls_server(issuer).names
        },
        // Over ACME, a security key proves itself by its serial number, which is nobody else's business.
        attestation: Some(AttestationRules {
            withhold_names: true,
            ..AttestationRules::default()
        }),
        common_name: CommonName::Omitted,
        subject: Some(SubjectRules {
            attributes: vec![
                attribute("C", Presence::Required),
                attribute("ST", Presence::Optional),
                attribute("L", Presence::Required),
                attribute("O", Presence::Required),
                attribute("CN", Presence::Required),
            ],
            others: OtherAttributes::Dropped,
        }),
        extended_key_usage: vec![ExtendedKeyUsage::CodeSigning],
        subject_key_identifier: true,
        must_staple: false,
        ..tls_server(issuer)
    }
}

/// Devices and machines that prove who they are on a network, by serial number or name, a year.
pub fn device(issuer: &str) -> ProfileSpec {
    ProfileSpec {
        description: "Certificates for devices, 365 days".to_owned(),
        kind: CertificateKind::Device,
        validity_seconds: 365 * DAY,
        names: NameRules {
            uri: true,
            permanent_identifier: true,
            hardware_module: true,
            wildcards: false,
            min: 0,
            max: 10,
            ..tls_server(issuer).names
        },
        common_name: CommonName::Omitted,
        subject: Some(SubjectRules {
            attributes: vec![
                attribute("O", Presence::Optional),
                attribute("OU", Presence::Optional),
                attribute("serialNumber", Presence::Optional),
                attribute("CN", Presence::Required),
            ],
            others: OtherAttributes::Dropped,
        }),
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        subject_key_identifier: true,
        must_staple: false,
        ..tls_server(issuer)
    }
}

fn attribute(name: &str, presence: Presence) -> AttributeRule {
    AttributeRule {
        attribute: name.to_owned(),
        presence,
        value: None,
        pattern: None,
    }
}

const DAY: u64 = 24 * 60 * 60;
/// TLS BR section 7.1.6.1.
const DOMAIN_VALIDATED: &str = "2.23.140.1.2.1";
