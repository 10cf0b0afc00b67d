//! Certificates as the inventory knows them, however we learned of them.

use std::collections::BTreeMap;
use std::time::Duration;

use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, CertificateId, DirectoryId, EnrollmentId, IssuerId, ProfileId, TeamId};

/// A certificate in the inventory.
#[derive(Clone, Debug)]
pub struct InventoryCertificate {
    pub id: CertificateId,
    pub fingerprint: Fingerprint,
    pub serial: Serial,
    /// The configured issuer, where we know it as one.
    pub issuer_id: Option<IssuerId>,
    /// The issuer's distinguished name as text.
    pub issuer_name: String,
    pub subject: String,
    /// Subject alternative names as text: `host.example.org`, `192.0.2.1`, `a@example.org`.
    pub names: Vec<String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// `p-256`, `rsa-2048`, …
    pub key_kind: String,
    /// Whether the key can be broken, as [`pki::key::weak`] sees it.
    pub is_weak: bool,
    pub spki_sha256: [u8; 32],
    /// The authority key identifier, which together with the serial is an ARI CertID (RFC 9773).
    pub authority_key_identifier: Vec<u8>,
    pub der: Vec<u8>,
    pub chain_id: Option<ChainId>,
    pub origin: Origin,
    pub enrollment_id: Option<EnrollmentId>,
    pub profile_id: Option<ProfileId>,
    pub profile_version: Option<u32>,
    pub account_id: Option<AccountId>,
    pub directory_id: Option<DirectoryId>,
    pub replaces: Option<CertificateId>,
    pub replaced_by: Option<CertificateId>,
    pub metadata: BTreeMap<String, String>,
    pub revocation: Option<Revocation>,
    /// The team that owns it.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

impl InventoryCertificate {
    /// What the certificate's status is at `now`.
    pub fn status(&self, now: Timestamp) -> CertificateStatus {
        if self.revocation.is_some() {
            CertificateStatus::Revoked
        } else if now > self.not_after {
            CertificateStatus::Expired
        } else if now < self.not_before {
            CertificateStatus::NotYetValid
        } else {
            CertificateStatus::Valid
        }
    }
}

/// How we learned of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Issued,
    Discovered,
    Imported,
}

/// A certificate's status; derived, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    NotYetValid,
    Valid,
    Expired,
    Revoked,
}

/// What figures of the inventory are shown by: certificates that are alike in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    pub issuer: Option<IssuerId>,
    pub profile: Option<ProfileId>,
    pub team: Option<TeamId>,
    pub key_kind: String,
    pub is_weak: bool,
    pub origin: Origin,
    pub is_revoked: bool,
}

/// How many certificates there are, by what they are at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub total: u64,
    pub valid: u64,
    pub not_yet_valid: u64,
    pub expired: u64,
    pub revoked: u64,
    /// Valid, and ending within so many days.
    pub expiring_7_days: u64,
    pub expiring_30_days: u64,
    pub expiring_90_days: u64,
}

impl Figures {
    /// What ends before the first bound is over; what ends before one of the others is expiring.
    pub fn bounds(now: Timestamp) -> [Timestamp; 4] {
        let in_days = |days: u64| now + Duration::from_secs(days * 24 * 3600);
        [now, in_days(7), in_days(30), in_days(90)]
    }
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.valid += other.valid;
        self.not_yet_valid += other.not_yet_valid;
        self.expired += other.expired;
        self.revoked += other.revoked;
        self.expiring_7_days += other.expiring_7_days;
        self.expiring_30_days += other.expiring_30_days;
        self.expiring_90_days += other.expiring_90_days;
    }
}

/// When and why a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub at: Timestamp,
    pub reason: RevocationReason,
}

/// Certificates in order, each certified by the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Chain(Vec<Vec<u8>>);

impl Chain {
    /// From DER, leaf first. The caller has checked that each certifies the one before.
    pub fn new(certificates: Vec<Vec<u8>>) -> Self {
        Self(certificates)
    }

    /// DER of each certificate, leaf first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The first certificate and the rest.
    pub fn split_first(&self) -> Option<(&Vec<u8>, &[Vec<u8>])> {
        self.0.split_first()
    }

    /// The first certificate, parsed.
    pub fn leaf(&self) -> Option<Result<Certificate, pki::certificate::CertificateError>> {
        self.0.first().map(|der| Certificate::from_der(der))
    }

    /// This chain below another certificate.
    pub fn with_leaf(&self, leaf: Vec<u8>) -> Self {
        let mut certificates = Vec::with_capacity(self.0.len() + 1);
        certificates.push(leaf);
        certificates.extend(self.0.iter().cloned());
        Self(certificates)
    }

    /// PEM, one block after the other.
    pub fn to_pem(&self) -> String {
        pki::pem::encode_chain(&self.0)
    }

    /// What a chain of issuers is stored under.
    pub fn id(&self) -> ChainId {
        ChainId(Fingerprint::of(&self.0.concat()))
    }
}

impl From<Chain> for String {
    fn from(chain: Chain) -> Self {
        chain.to_pem()
    }
}

impl TryFrom<String> for Chain {
    type Error = pki::pem::PemError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        pki::pem::decode_all(pki::pem::CERTIFICATE, text.as_bytes()).map(Self)
    }
}

/// Names a chain of issuers by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainId(pub Fingerprint);
