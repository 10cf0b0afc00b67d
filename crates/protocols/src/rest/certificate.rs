//! Certificates of the inventory.

use std::collections::BTreeMap;

use pki::fingerprint::Fingerprint;
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::profile::KeyEvidence;

/// A certificate of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    #[schema(example = "crt_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub status: CertificateStatus,
    /// Subject alternative names
    pub names: Vec<String>,
    /// Distinguished name
    pub subject: String,
    /// Hexadecimal
    #[schema(value_type = String)]
    pub serial: Serial,
    /// SHA-256 of the DER, hexadecimal
    #[schema(value_type = String)]
    pub fingerprint: Fingerprint,
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// `p-256`, `rsa-2048`, …
    pub key_kind: String,
    /// Whether the key can be broken: too short, or of a kind or making that is known to be flawed
    #[serde(default, skip_serializing_if = "is_false")]
    pub weak_key: bool,
    /// Name of the configured issuer, where it is one of ours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Distinguished name of the issuer
    pub issuer_name: String,
    pub origin: CertificateOrigin,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_version: Option<u32>,
    /// ACME account it was issued to
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// ACME directory it was ordered in
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<String>,
    /// How its private key was shown to be protected, where that was asked for; not in lists
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_evidence: Option<KeyEvidence>,
    /// Certificate that this one took the place of
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Certificate that took the place of this one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// Name of the team that owns it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// When to renew it, where it was issued here and has no successor
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<RenewalWindow>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A certificate's status; expiry is judged by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    NotYetValid,
    Valid,
    Expired,
    Revoked,
}

/// How a certificate became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateOrigin {
    Issued,
    Discovered,
    Imported,
}

/// When and why a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revocation {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    #[schema(value_type = String, example = "keyCompromise")]
    pub reason: RevocationReason,
}

/// When a certificate should be renewed, as ACME clients are told too (RFC 9773).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RenewalWindow {
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub end: Timestamp,
    /// Whether the window has begun, by the server's clock
    pub due: bool,
}

/// Filters of the list of certificates; all that are given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CertificateQuery {
    /// Search terms, as in `expires<30d team:web billing=4711 "exact words"`; the manual has them all
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Exactly this name: `www.example.org`, `192.0.2.1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// This name and everything below it: `example.org`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Part of a name: `shop`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_contains: Option<String>,
    /// Serial number, hexadecimal
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub serial: Option<Serial>,
    /// SHA-256 of the DER, hexadecimal
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    pub fingerprint: Option<Fingerprint>,
    /// Name of a configured issuer
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Name of a profile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Name of a team
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Id of an ACME account
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<CertificateStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub origin: Option<CertificateOrigin>,
    /// Kind of the key: `p-256`, `rsa-2048`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_kind: Option<String>,
    /// Whether the key can be broken
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak_key: Option<bool>,
    /// Whether another certificate took its place
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<bool>,
    /// Whether a team owns it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<bool>,
    /// Valid, and ending within this time: `30d`; also `12h`, `2w`, `1y`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_within: Option<String>,
    /// Ends before this instant
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_before: Option<Timestamp>,
    /// Ends at this instant or later
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_after: Option<Timestamp>,
    /// Became known before this instant
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_before: Option<Timestamp>,
    /// Became known at this instant or later
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_after: Option<Timestamp>,
    /// The order, `-created` without it; a page's `next` goes on in the same order only
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<CertificateSort>,
    /// Values of custom metadata; in a query one parameter for each field,
    /// `metadata.cost_center=4711`
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "values"
    )]
    #[param(ignore)]
    pub metadata: BTreeMap<String, String>,
}

impl CertificateQuery {
    /// The parameters as they go over the wire.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let members = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(members)) => members,
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        let members = members.into_iter().filter(|(name, _)| name != "metadata");
        let plain = members.map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        let values = self.metadata.iter();
        let values = values.map(|(field, value)| (format!("metadata.{field}"), value.clone()));
        plain.chain(values).collect()
    }
}

/// Values as an object, or gathered into one parameter of a query, which is the object's text.
fn values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Object(BTreeMap<String, String>),
        Text(String),
    }
    match Form::deserialize(deserializer)? {
        Form::Object(values) => Ok(values),
        Form::Text(text) => serde_json::from_str(&text).map_err(serde::de::Error::custom),
    }
}

/// The order of a list of certificates; `-` is the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum CertificateSort {
    #[serde(rename = "created")]
    Created,
    #[serde(rename = "-created")]
    CreatedDescending,
    #[serde(rename = "not_after")]
    NotAfter,
    #[serde(rename = "-not_after")]
    NotAfterDescending,
    /// By domain: `example.org`, `a.example.org`, `example.net`
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDescending,
}

/// The form of a download; without it the `Accept` header decides, and without that it is `chain`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub format: Option<DownloadFormat>,
}

/// Forms in which a certificate is handed out. None holds a private key: the server has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DownloadFormat {
    /// The certificate alone, PEM
    Pem,
    /// The certificate alone, DER
    Der,
    /// The certificate and those above it, PEM
    Chain,
    /// Certificate and chain in a PKCS #12 file; the header `Certwright-Password` protects it
    P12,
}

impl DownloadFormat {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Pem, Self::Der, Self::Chain, Self::P12];

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pem => "application/x-pem-file",
            Self::Der => "application/pkix-cert",
            Self::Chain => "application/pem-certificate-chain",
            Self::P12 => "application/x-pkcs12",
        }
    }

    /// What file names of this form end with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pem | Self::Chain => "pem",
            Self::Der => "der",
            Self::P12 => "p12",
        }
    }
}

/// The header that carries the password of a PKCS #12 file; URLs are logged, headers are not.
pub const PASSWORD_HEADER: &str = "certwright-password";

/// A wish to revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// A CRLReason of RFC 5280 section 5.3.1; `keyCompromise` also blocks the key for ever
    #[schema(value_type = String, example = "superseded")]
    pub reason: RevocationReason,
}
