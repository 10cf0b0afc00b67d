//! Entry points of EST and SCEP, and their rules.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metadata::GivenValues;

/// An EST label: where clients of RFC 7030 come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EstLabel {
    /// In its URL; the label `default` is also what clients reach without one
    #[schema(example = "printers")]
    pub name: String,
    #[schema(example = "ept_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What clients are given
    #[schema(example = "https://ca.example.org/.well-known/est/printers")]
    pub url: String,
    pub rules: EstRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The rules of an EST label; what a `PUT` leaves out gets its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EstRules {
    /// The profile of everything that is enrolled here
    pub profile: String,
    /// Whether enrollment passwords are taken (HTTP Basic)
    pub passwords: bool,
    /// What a TLS client certificate opens beside its own renewal
    pub certificates: CertificateUse,
    pub channel_binding: ChannelBinding,
    /// Whether keys are made here for clients that ask for it (`serverkeygen`)
    pub server_keys: bool,
    /// Values of custom metadata for enrollments that get them from nowhere nearer
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
}

impl Default for EstRules {
    fn default() -> Self {
        Self {
            profile: "default".to_owned(),
            passwords: true,
            certificates: CertificateUse::SameNames,
            channel_binding: ChannelBinding::WhenPresent,
            server_keys: false,
            metadata: GivenValues::new(),
        }
    }
}

/// What the certificate that a client holds already opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateUse {
    Off,
    /// Another certificate for the names that it has
    SameNames,
    /// Every name that the profile allows
    AnyNames,
}

/// Whether a CSR has to be tied to its TLS connection by the challenge password (RFC 7030 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelBinding {
    Off,
    /// What is there has to be right
    WhenPresent,
    Required,
}

/// A SCEP service: where clients of RFC 8894 come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScepService {
    /// In its URL
    #[schema(example = "phones")]
    pub name: String,
    #[schema(example = "ept_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// What clients are given
    #[schema(example = "http://ca.example.org/scep/phones")]
    pub url: String,
    pub rules: ScepRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The rules of a SCEP service; what a `PUT` leaves out gets its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScepRules {
    /// The profile of everything that is enrolled here
    pub profile: String,
    /// Whether a certificate of this server may renew itself (RenewalReq)
    pub renewal: bool,
    /// Whether messages encrypted with 3DES are read; nothing is ever written with it
    pub old_ciphers: bool,
    /// Certificates of trusted registration authorities, each in PEM: they ask for the keys of others
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// Values of custom metadata for enrollments that get them from nowhere nearer
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
}

impl Default for ScepRules {
    fn default() -> Self {
        Self {
            profile: "default".to_owned(),
            renewal: true,
            old_ciphers: false,
            authorities: Vec::new(),
            metadata: GivenValues::new(),
        }
    }
}
