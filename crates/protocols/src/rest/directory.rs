//! ACME directories and their rules.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metadata::GivenValues;

/// An ACME entry point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Directory {
    pub name: String,
    #[schema(example = "dir_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What clients are given
    pub url: String,
    pub rules: DirectoryRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The rules of a directory; what a `PUT` leaves out gets its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DirectoryRules {
    /// Profiles that clients may ask for; the first is what they get unasked
    pub profiles: Vec<String>,
    /// Whether new accounts need an external account binding
    pub external_account_required: bool,
    /// The names an external account binding key allows take the place of challenges
    pub trusted: bool,
    /// Challenge types that are offered where they fit the identifier
    pub challenges: Vec<ChallengeType>,
    /// Whether `newAuthz` is offered
    pub pre_authorization: bool,
    /// URL of terms that a new account must agree to
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    pub caa: Caa,
    /// Our names in CAA and dns-persist-01 records
    pub caa_identities: Vec<String>,
    pub order_lifetime_seconds: u64,
    pub pending_authorization_lifetime_seconds: u64,
    /// How long a proof of control serves further orders; 0 asks for a new one each time
    pub authorization_reuse_seconds: u64,
    /// Values of custom metadata for orders that get them from nowhere nearer
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
    /// Misbehave like a CA that keeps its clients honest; never for production
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_mode: Option<TestMode>,
}

impl Default for DirectoryRules {
    fn default() -> Self {
        Self {
            profiles: vec!["default".to_owned()],
            external_account_required: false,
            trusted: false,
            challenges: ChallengeType::ALL.to_vec(),
            pre_authorization: true,
            terms_of_service: None,
            website: None,
            caa: Caa::Ignored,
            caa_identities: Vec::new(),
            order_lifetime_seconds: 7 * 24 * 60 * 60,
            pending_authorization_lifetime_seconds: 24 * 60 * 60,
            authorization_reuse_seconds: 0,
            metadata: GivenValues::new(),
            test_mode: None,
        }
    }
}

/// Challenge types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ChallengeType {
    #[serde(rename = "http-01")]
    Http01,
    #[serde(rename = "dns-01")]
    Dns01,
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    #[serde(rename = "dns-account-01")]
    DnsAccount01,
    #[serde(rename = "dns-persist-01")]
    DnsPersist01,
    /// For mailboxes, where mails are set up
    #[serde(rename = "email-reply-00")]
    EmailReply00,
    #[serde(rename = "device-attest-01")]
    DeviceAttest01,
}

impl ChallengeType {
    /// Every type, in the order they are offered.
    pub const ALL: [Self; 7] = [
        Self::Http01,
        Self::Dns01,
        Self::TlsAlpn01,
        Self::DnsAccount01,
        Self::DnsPersist01,
        Self::EmailReply00,
        Self::DeviceAttest01,
    ];
}

/// Whether CAA records are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Caa {
    Ignored,
    Enforced,
}

/// What a test directory does to its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestMode {
    /// Good nonces refused, in per cent
    #[schema(maximum = 100)]
    pub refuse_nonces_percent: u8,
    /// Valid authorizations used again, in per cent
    #[schema(maximum = 100)]
    pub reuse_authorizations_percent: u8,
    /// Longest wait before a validation
    pub validation_delay_millis: u64,
    /// Longest wait in `processing`
    pub issuance_delay_millis: u64,
    /// Any challenge response is taken for valid without a look
    pub skip_validation: bool,
}
