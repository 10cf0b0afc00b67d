//! Issuers: the configured CAs.

use std::collections::BTreeMap;
use std::fmt;

use pki::fingerprint::Fingerprint;
use pki::key::KeyAlgorithm;
use pki::serial::Serial;
use pki::time::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::remote_issuer::IssuerFinding;

/// A configured CA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Issuer {
    pub name: String,
    #[schema(example = "iss_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub state: IssuerState,
    /// What kind of CA it is; `embedded` is one whose key is here
    pub kind: String,
    /// Whether it is a root, which signs CA certificates and CRLs only
    pub is_root: bool,
    /// Its own certificate; absent while it waits for one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CaCertificate>,
    /// Its latest CRL
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl: Option<Crl>,
    /// Its OCSP responder, for a CA whose key is here
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsp: Option<Ocsp>,
    /// What its connector is told, for a CA elsewhere
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Which secrets there are, and since when; never what they are
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>, read_only)]
    pub secrets: BTreeMap<String, Timestamp>,
    /// How much it may sign; absent where nothing limits it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<IssuerLimits>,
    /// How it does, as the node that answers has seen it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<IssuerFigures>,
    /// How it was when it was last looked at
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<IssuerHealth>,
    /// How the last look through what it issued elsewhere went
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<IssuerSync>,
    /// Fields of custom metadata that it is told, and what it calls them
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata_fields: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Whether an issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerState {
    /// Has a key, and waits for its certificate from a CA elsewhere
    AwaitingCertificate,
    /// Signs what profiles route to it
    Active,
    /// Signs no certificates, but CRLs and OCSP answers for those it signed
    Retired,
}

/// How much an issuer may sign, in calendar time (UTC); what is left out is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 300)]
    pub per_hour: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u64>,
}

/// How an issuer does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IssuerFigures {
    /// `closed`: requests go to it; `open`: it failed too often and is left alone; `half-open`: the next
    /// request tries whether it is back
    #[schema(example = "closed")]
    pub breaker: String,
    /// Until then it is left alone
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub rests_until: Option<Timestamp>,
    pub failures_in_a_row: u32,
    /// Its part of all requests to issuers in the last hour, 0 to 1
    pub share: f64,
    /// Requests to it in the last hour
    pub asked: u64,
    pub answered: u64,
    /// Not reached, no answer, or none that makes sense
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_error_at: Option<Timestamp>,
    /// How much of its limits is used
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<IssuerUsage>,
}

/// How an issuer was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerHealth {
    pub healthy: bool,
    /// Since when it is so
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// What does not work, or not for long
    pub findings: Vec<IssuerFinding>,
    /// Where a CA elsewhere tells of revocations, as its newest certificates say, and how that was found
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<IssuerPublished>,
    /// What waits for a CA elsewhere
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<IssuerBacklog>,
}

/// An address at which a CA tells of revocations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerPublished {
    /// `crl` or `ocsp`
    #[schema(example = "crl")]
    pub kind: String,
    #[schema(example = "http://crl.example.org/issuing.crl")]
    pub url: String,
    /// The number of a CRL, where it has one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "4711")]
    pub number: Option<String>,
    /// Until when what is there may be relied on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fresh_until: Option<Timestamp>,
    /// What is wrong with it, and what to do; absent where it is in order
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Since when it is not reached
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub unreached_since: Option<Timestamp>,
}

/// Requests on their way to a CA, or lying there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerBacklog {
    /// Requests to which the CA has not answered yet
    pub unanswered: u64,
    /// Requests that the CA took and has not decided yet
    pub pending: u64,
    /// Since when the oldest of all waits
    #[schema(value_type = String, format = DateTime)]
    pub oldest: Timestamp,
}

/// How a look through what a CA elsewhere issued went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerSync {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Certificates in its list
    pub listed: u64,
    /// Of those, new here
    pub discovered: u64,
    /// Of those known here, revoked elsewhere
    pub revoked: u64,
    /// What could not be read
    pub unreadable: u64,
    /// Why it did not come to the end
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How much of a limit is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerUsage {
    /// `hour`, `day` or `month`
    #[schema(example = "hour")]
    pub period: String,
    pub used: u64,
    pub limit: u64,
    #[schema(value_type = String, format = DateTime)]
    pub resets_at: Timestamp,
}

/// What a CA's certificate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaCertificate {
    pub subject: String,
    pub issuer: String,
    #[schema(value_type = String)]
    pub serial: Serial,
    #[schema(value_type = String)]
    pub fingerprint: Fingerprint,
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    pub key_kind: String,
    /// It and those above it, PEM
    pub chain: String,
}

/// A published CRL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Crl {
    pub number: i64,
    #[schema(value_type = String, format = DateTime)]
    pub this_update: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub next_update: Timestamp,
    pub octets: u64,
}

/// An OCSP responder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ocsp {
    /// How long an answer may be relied on
    #[schema(example = 86400)]
    pub answers_live_seconds: u64,
    /// Until when the responder's certificate is valid, which is renewed by itself; absent before the
    /// first question
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub responder_not_after: Option<Timestamp>,
}

/// A CA that was made elsewhere, with its key.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportIssuer {
    /// In URLs and profiles: lower-case letters, digits and hyphens
    #[schema(example = "corporate")]
    pub name: String,
    /// Its certificate and those above it, PEM, in any order
    pub certificates: String,
    /// Its private key, PEM, not encrypted; sealed on arrival and never handed out
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String, format = Password, write_only)]
    pub key: SecretString,
}

impl fmt::Debug for ImportIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportIssuer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Only the client writes it, to the server.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    use secrecy::ExposeSecret;
    serializer.serialize_str(secret.expose_secret())
}

/// A CA that a CA elsewhere is to certify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestIssuer {
    #[schema(example = "issuing-2027")]
    pub name: String,
    /// Distinguished name as in RFC 4514
    #[schema(example = "CN=Example Issuing CA 2027,O=Example")]
    pub subject: String,
    /// `p-256`, `p-384`, `rsa-3072`, …
    #[schema(value_type = String, example = "p-256")]
    pub key_algorithm: KeyAlgorithm,
}

/// A request that waits for its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuerRequest {
    pub name: String,
    /// PKCS #10, PEM
    pub csr: String,
}

/// The certificate for an issuer that waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallCertificate {
    /// Its certificate and those above it, PEM, in any order
    pub certificates: String,
}

/// Into service or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetIssuerState {
    pub state: WantedState,
}

/// What an operator can make of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WantedState {
    Active,
    Retired,
}
