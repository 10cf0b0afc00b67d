//! Approvals: people decide whether a request is signed.

use std::collections::BTreeMap;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::authorization::Identifier;
use super::enrollment::{EnrollmentStatus, Requester, Violation};

/// Who has to agree before a certificate of a profile is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// A request waits where any of these holds
    #[serde(default = "always")]
    pub when: Vec<ApprovalCondition>,
    /// One after the other; a person decides in one of them only
    #[schema(min_items = 1)]
    pub stages: Vec<ApprovalStage>,
    #[serde(default)]
    pub unchanged_renewals: UnchangedRenewals,
    /// From the request to its end, if nobody has decided by then
    #[serde(default = "five_days")]
    #[schema(minimum = 60, maximum = 7776000)]
    pub deadline_seconds: u64,
    /// How often those whose turn it is are told again; 0 for never
    #[serde(default = "a_day")]
    pub remind_every_seconds: u64,
    /// Who may decide as well, step by step, when those who were asked have not
    #[serde(default)]
    pub escalation: Vec<EscalationStep>,
}

/// Some people of whom so many have to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStage {
    /// How many different people
    #[schema(minimum = 1, maximum = 20)]
    pub approvals: u32,
    #[schema(min_items = 1)]
    pub approvers: Vec<Approver>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Approver {
    /// Whoever holds a role
    Role {
        #[schema(example = "approver")]
        role: String,
        #[serde(default)]
        scope: RoleScope,
    },
    /// One person or program
    Named {
        #[schema(example = "usr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
        principal: String,
    },
}

/// Where a role has to be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleScope {
    /// In the team that will own the certificate, or everywhere
    #[default]
    OwnerTeam,
    Everywhere,
}

/// What makes a request wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalCondition {
    Always,
    /// It names a wildcard
    Wildcard,
    /// It names something for which no certificate was ever issued here
    NewName,
    /// It names something for which another team has a certificate
    ForeignTeam,
    /// The certificate would be trusted by the public
    PublicCa,
    /// It would be valid for longer than so many seconds
    #[serde(rename = "validity_above_seconds")]
    ValidityAbove(u64),
}

/// Whether a renewal waits that differs in nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnchangedRenewals {
    #[default]
    Wait,
    /// Not, if the key is the same too
    SkipWithSameKey,
    Skip,
}

/// One step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// Since the request
    pub after_seconds: u64,
    #[schema(min_items = 1)]
    pub to: Vec<Approver>,
}

fn always() -> Vec<ApprovalCondition> {
    vec![ApprovalCondition::Always]
}

const fn five_days() -> u64 {
    5 * a_day()
}

const fn a_day() -> u64 {
    24 * 60 * 60
}

/// One decision that people have to take on one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    #[schema(example = "apr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    pub status: ApprovalStatus,
    pub enrollment: String,
    pub enrollment_status: EnrollmentStatus,
    pub requester: Requester,
    pub identifiers: Vec<Identifier>,
    pub profile: String,
    pub profile_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Why it waits
    pub reasons: Vec<String>,
    /// Whose turn it is
    pub waits_for: Vec<Approver>,
    /// How many more of them have to agree
    pub missing: u32,
    /// Of so many stages, counted from 1
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<u32>,
    pub stages: u32,
    /// Counts from 1; a change begins another, and what was decided before is void
    pub round: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Why it was denied or withdrawn
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the people and programs are called whose ids stand here
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub deadline_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The same with everything that is needed to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalDetails {
    #[serde(flatten)]
    pub approval: Approval,
    /// Whether you may decide now
    pub your_turn: bool,
    /// Why you may not
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_kind: Option<String>,
    /// SHA-256 of the public key
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spki_sha256: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub policy: PolicyResult,
    /// The last certificate of the same names
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_certificate: Option<LastCertificate>,
    pub escalation: Vec<EscalationState>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step_at: Option<Timestamp>,
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
    /// The profile was changed and asks nobody any more
    Waived,
}

impl ApprovalStatus {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Waived => "waived",
        }
    }
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    pub by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    pub verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub via: Via,
    pub stage: u32,
    /// Of an earlier round: it does not count any more
    #[serde(default)]
    pub is_void: bool,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Approve,
    Deny,
}

/// How a decision came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    Api,
    Link,
}

/// What the rules would decide now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum PolicyResult {
    Allowed {
        issuer: String,
        #[schema(value_type = String, format = DateTime)]
        not_before: Timestamp,
        #[schema(value_type = String, format = DateTime)]
        not_after: Timestamp,
    },
    Violations {
        violations: Vec<Violation>,
    },
    /// They cannot be asked now
    Unknown {
        reason: String,
    },
}

/// The last certificate of the same names, and what is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastCertificate {
    pub id: String,
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    pub differences: Vec<Difference>,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    pub what: String,
    pub before: String,
    pub now: String,
}

/// A step of the escalation and when it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalationState {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub to: Vec<Approver>,
    pub is_taken: bool,
}

/// Filters of the list of approvals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApprovalQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<ApprovalStatus>,
    /// Name of a profile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Id of an enrollment
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<String>,
    /// Only those that wait for you
    #[serde(default)]
    #[param(default = false)]
    pub mine: bool,
    /// Only those that nobody decides on any more
    #[serde(default)]
    #[param(default = false)]
    pub decided: bool,
    /// `newest` without it; a page's `next` goes on in the same order only
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<ApprovalSort>,
}

/// The order of the list of approvals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalSort {
    /// The newest first
    #[default]
    Newest,
    /// The next to end first
    Deadline,
    /// What changed last first
    Changed,
}

/// Words that go with a yes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "agreed with the web team")]
    pub reason: Option<String>,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// Shown to whoever asked
    #[schema(example = "the name belongs to another team", min_length = 1)]
    pub reason: String,
}

/// One decision on several approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideMany {
    #[schema(min_items = 1, max_items = 100)]
    pub approvals: Vec<String>,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of each of several approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecidedMany {
    pub results: Vec<DecidedOne>,
}

/// What became of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecidedOne {
    pub approval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ApprovalStatus>,
    /// Why the decision was not taken
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A one-time link to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApprovalLink {
    /// What it can say
    #[serde(default = "both")]
    #[schema(min_items = 1)]
    pub verdicts: Vec<Verdict>,
}

fn both() -> Vec<Verdict> {
    vec![Verdict::Approve, Verdict::Deny]
}

/// A one-time link that decides; shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalLink {
    pub url: String,
    /// Who decides by it
    pub approver: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for ApprovalLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApprovalLink")
            .field("approver", &self.approver)
            .finish_non_exhaustive()
    }
}

/// Somebody is away, and perhaps somebody else decides meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delegation {
    #[schema(example = "dlg_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub id: String,
    /// Who is away
    pub principal: String,
    /// Who decides meanwhile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
    pub reason: String,
    pub is_in_force: bool,
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    pub created_by: String,
    /// What the people and programs are called whose ids stand here
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// An absence to be noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDelegation {
    /// Who is away; yourself where it is left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Who decides meanwhile; nobody where it is left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "usr_06ek9q3v5c8m2k7t1r4x0z9w8y")]
    pub delegate: Option<String>,
    #[serde(default)]
    #[schema(example = "holidays")]
    pub reason: String,
    /// Now where it is left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// Filters of the list of delegations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DelegationQuery {
    /// Who is away
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Who decides meanwhile
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
    /// Only those that hold now
    #[serde(default)]
    #[param(default = false)]
    pub in_force: bool,
}

/// Why a request is withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelEnrollment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "not needed any more")]
    pub reason: Option<String>,
}
