//! Profiles: what may be issued.

mod attestation;
mod explain;
mod names;
mod subject;

use std::collections::BTreeMap;

use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::KeyAlgorithm;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::approval::ApprovalRule;
use super::directory::ChallengeType;
use super::metadata::GivenValues;
pub use attestation::{AttestationRules, AttestedKey};
pub use explain::{
    ExplainRequest, ExplainedCertificate, ExplainedExtension, Explanation, Outcome, Step, Verdict,
};
pub use names::{NameLimits, NameRules};
pub use subject::{AttributeRule, OtherAttributes, Presence, SubjectRules};

/// One version of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    pub name: String,
    #[schema(example = "prf_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub version: u32,
    pub rules: ProfileRules,
    /// Name of the team that owns it; everybody shares it without one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What the people and programs are called whose ids stand here
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, String>,
    /// When this version was made
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// What a profile allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRules {
    /// Shown to ACME clients in the directory
    pub description: String,
    pub kind: CertificateKind,
    /// Lifetime of a certificate; requests may shorten it
    #[schema(minimum = 60)]
    pub validity_seconds: u64,
    /// Caps the lifetime by the day of issuance
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_schedule: Option<ValiditySchedule>,
    /// How far before its issuance a certificate begins
    #[serde(default = "an_hour")]
    pub backdate_seconds: u64,
    #[schema(value_type = Vec<String>, example = json!(["p-256", "rsa-2048"]))]
    pub key_algorithms: Vec<KeyAlgorithm>,
    /// Whether every certificate needs a key that is in no other; then a renewal does, too
    #[serde(default)]
    pub new_key: bool,
    /// Evidence for the protection of the private key that is taken; where not empty, some is needed
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_evidence: Vec<KeyEvidenceKind>,
    pub names: NameRules,
    #[serde(default)]
    pub common_name: CommonName,
    /// The attributes of the subject; without rules it has the common name at most
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRules>,
    #[schema(value_type = Vec<String>, example = json!(["digitalSignature"]))]
    pub key_usage: KeyUsage,
    #[schema(value_type = Vec<String>, example = json!(["serverAuth"]))]
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Object identifiers, dotted
    #[serde(default)]
    pub certificate_policies: Vec<String>,
    /// Extensions that every certificate carries, besides those it has anyway
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<FixedExtension>,
    #[serde(default)]
    pub subject_key_identifier: bool,
    #[serde(default)]
    pub revocation_pointers: RevocationPointers,
    /// Whether a CSR may ask for the TLS feature extension (RFC 7633)
    #[serde(default)]
    pub must_staple: bool,
    /// Whether every certificate has it, asked for or not
    #[serde(default)]
    pub must_staple_always: bool,
    /// ACME challenges that prove control well enough; empty for all that the directory offers
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<ChallengeType>,
    /// The makers whose word is taken for a device and its key; without it, nobody's is
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<AttestationRules>,
    /// When clients are told to renew; without it, after two thirds of the lifetime
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<RenewalRules>,
    /// Conditions in the Common Expression Language; all must hold
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<Expression>,
    /// The issuers that sign, with their share of the load
    pub issuers: Vec<IssuerChoice>,
    /// Values of custom metadata for requests that get them from nowhere nearer
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: GivenValues,
    /// Fields of custom metadata without which nothing is issued
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_metadata: Vec<String>,
    /// Who has to agree before anything is signed; nobody where it is left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
}

const fn an_hour() -> u64 {
    60 * 60
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    TlsServer,
    TlsClient,
    Smime,
    CodeSigning,
    Device,
}

/// A schedule that is known by name, or the steps of an own one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ValiditySchedule {
    Named(NamedSchedule),
    Steps(Vec<ValidityStep>),
}

/// Schedules of the CA/Browser Forum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedSchedule {
    /// TLS: 200 days, 100 from 2027-03-15, 47 from 2029-03-15
    #[serde(rename = "sc-081v3")]
    Sc081v3,
    /// Code signing: 460 days
    CodeSigning,
    /// S/MIME: 825 days
    Smime,
}

/// From this day on, this many days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidityStep {
    #[schema(format = Date, example = "2027-01-01")]
    pub from: String,
    #[schema(minimum = 1)]
    pub days: u32,
}

/// How a private key is shown to be out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEvidenceKind {
    /// The device signed a statement about the key
    Attestation,
    /// The CA handed the device out with the key in it
    SuppliedDevice,
    /// A cloud key store or a signing service shows how the key is configured
    CloudService,
    /// An auditor or a witness was there when the key was made
    Witness,
}

/// Evidence for the protection of one private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEvidence {
    pub kind: KeyEvidenceKind,
    /// Where it is found
    #[schema(example = "attestation report 4711")]
    pub reference: String,
    /// The attestation, where it was one that was checked here; not for requests
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub attested: Option<AttestedKey>,
}

/// The part of the lifetime in which clients should renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewalRules {
    #[schema(minimum = 1, maximum = 99)]
    pub begin_percent: u8,
    #[schema(minimum = 2, maximum = 99)]
    pub end_percent: u8,
}

/// An extension with its value in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedExtension {
    #[schema(example = "1.3.6.1.4.1.99999.1")]
    pub oid: String,
    #[serde(default)]
    pub critical: bool,
    /// `DER:<hex>`, `UTF8:`, `IA5:`, `PRINTABLE:`, `INTEGER:`, `BOOLEAN:`, `OID:` or `NULL`
    #[schema(example = "UTF8:production")]
    pub value: String,
}

/// A condition that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    #[schema(example = "validity_days <= 30 || key.bits >= 3072")]
    pub expression: String,
    /// What a requester is told where it does not hold
    #[schema(example = "longer than 30 days needs an RSA key of 3072 bits")]
    pub message: String,
}

/// A profile to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preset {
    #[schema(example = "tls-server-public")]
    pub name: String,
    pub rules: ProfileRules,
}

/// For whom presets are made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PresetQuery {
    /// The issuer that signs; without it, the first that is active
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// What is different between two versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    pub before: u32,
    pub after: u32,
    pub changes: Vec<Change>,
}

/// One member whose value is another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    #[schema(example = "names.allow[2]")]
    pub path: String,
    /// What it was; absent where it was not there
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What it is; absent where it is no longer there
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
}

/// Which versions are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// The earlier version; without it, the one before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
}

/// Whether the subject carries a common name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommonName {
    #[default]
    Omitted,
    FirstDnsName,
}

/// Which pointers to revocation and issuer a certificate carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// An issuer and its share of the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerChoice {
    pub issuer: String,
    /// Relative to the other weights; 0 takes the issuer out
    pub weight: u32,
    /// The order of preference: a higher tier signs only where no issuer of a lower one can
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tier: u32,
    /// Which requests it signs; all, where there is no condition
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<RouteCondition>,
}

/// What a request has to be like for an issuer to sign it; what is left out asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RouteCondition {
    /// Each name of the request is in one of these sets, written as in `names.allow`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([".intern.example.org", "10.0.0.0/8"]))]
    pub names: Vec<String>,
    /// The certificate will be of one of these teams
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Each of these fields of custom metadata has one of the values
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Vec<String>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
