//! What a profile would decide on a request, and why.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::KeyEvidence;

/// A request that nobody makes yet: a CSR, or names, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainRequest {
    /// PKCS#10 in PEM; without one a key of a kind that the profile takes is assumed
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// The names asked for; without them those of the CSR
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["www.example.org", "192.0.2.7"]))]
    pub names: Vec<String>,
    /// A subject beside the CSR's, as in RFC 4514
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "CN=Jane Doe,O=Example")]
    pub subject: Option<String>,
    /// A lifetime that is shorter than the profile's
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_evidence: Option<KeyEvidence>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(example = json!({"cost_center": "4711"}))]
    pub metadata: BTreeMap<String, String>,
    /// The team that would own the certificate
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// A version other than the current one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What would be decided, rule by rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub profile: String,
    pub version: u32,
    pub verdict: Verdict,
    /// Every rule that was looked at, in order
    pub steps: Vec<Step>,
    /// Who would sign
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What would be signed, where nothing is against it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ExplainedCertificate>,
}

/// How a request would come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may be signed
    Approved,
    /// The request breaks rules
    Rejected,
    /// No issuer could sign it, whatever the request
    Unavailable,
}

/// One rule and how it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    #[schema(example = "names.wildcard")]
    pub rule: String,
    pub outcome: Outcome,
    /// What was looked at, with its values
    pub message: String,
    /// What would mend it, where it failed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The name it is about, where it is one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// The profile has no such rule, or the request nothing that it is about
    NotApplicable,
}

/// What a certificate would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedCertificate {
    pub subject: String,
    pub names: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    #[schema(example = "p-256")]
    pub key: String,
    pub key_usage: Vec<String>,
    pub extended_key_usage: Vec<String>,
    pub certificate_policies: Vec<String>,
    pub must_staple: bool,
    pub crl_urls: Vec<String>,
    pub ocsp_urls: Vec<String>,
    pub ca_issuer_urls: Vec<String>,
    pub extensions: Vec<ExplainedExtension>,
}

/// An extension of the profile's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedExtension {
    pub oid: String,
    pub critical: bool,
    /// DER in hexadecimal digits
    pub der: String,
}
