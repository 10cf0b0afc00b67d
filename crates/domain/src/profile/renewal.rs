//! When certificates of a profile should be renewed, and what protects the keys in them.

use serde::{Deserialize, Serialize};

use crate::attestation::AttestedKey;

/// The part of a certificate's life in which clients should renew it (RFC 9773).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalRules {
    /// Per cent of the lifetime after which the window opens.
    pub begin_percent: u8,
    /// Per cent of the lifetime after which it closes.
    pub end_percent: u8,
}

/// How a requester can show that a private key lies where it cannot be copied
/// (Code Signing Baseline Requirements section 6.2.7.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEvidenceKind {
    /// The device signed a statement about the key.
    Attestation,
    /// The CA handed the device out with the key in it.
    SuppliedDevice,
    /// A cloud key store or a signing service shows how the key is configured.
    CloudService,
    /// An auditor or a witness was there when the key was made.
    Witness,
}

impl KeyEvidenceKind {
    /// Its name in profiles and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attestation => "attestation",
            Self::SuppliedDevice => "supplied-device",
            Self::CloudService => "cloud-service",
            Self::Witness => "witness",
        }
    }
}

/// What a requester brings forward about the protection of a key. It is kept with the enrollment
/// for those who have to show it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEvidence {
    pub kind: KeyEvidenceKind,
    /// Where the evidence is found: a ticket, a report, the device's serial number.
    pub reference: String,
    /// The attestation, where it was one that was checked here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<AttestedKey>,
}

impl KeyEvidence {
    /// The evidence that an attestation which held is.
    pub fn of_attestation(attested: AttestedKey) -> Self {
        Self {
            kind: KeyEvidenceKind::Attestation,
            reference: attested.summary(),
            attested: Some(attested),
        }
    }
}
