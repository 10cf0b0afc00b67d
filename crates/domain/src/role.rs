//! Roles that are always there: named sets of permissions.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::permission::Permission;

/// A named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Operates CAs, ACME and certificates, but gives nobody access and sets no policy.
    CaOperator,
    /// Says what may be issued, and issues nothing.
    PolicyAuthor,
    /// Decides on requests of others.
    Approver,
    /// Asks for certificates.
    Requester,
    /// May see everything and change nothing.
    Auditor,
}

impl Role {
    /// All roles, for help texts.
    pub const ALL: [Self; 6] = [
        Self::Administrator,
        Self::CaOperator,
        Self::PolicyAuthor,
        Self::Approver,
        Self::Requester,
        Self::Auditor,
    ];

    /// Whether the role holds the permission.
    pub fn grants(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Administrator => true,
            Self::Auditor => matches!(
                permission,
                P::CertificatesRead
                    | P::ApprovalsRead
                    | P::PolicyRead
                    | P::AcmeRead
                    | P::EnrollingRead
                    | P::IssuersRead
                    | P::AuditRead
                    | P::NotificationsRead
                    | P::AccessRead
            ),
            // Who operates the CA does not also say what it may issue, nor to whom it answers.
            Self::CaOperator => matches!(
                permission,
                P::CertificatesRead
                    | P::CertificatesRequest
                    | P::CertificatesRevoke
                    | P::CertificatesEdit
                    | P::CertificatesImport
                    | P::ApprovalsRead
                    | P::PolicyRead
                    | P::AcmeRead
                    | P::AcmeWrite
                    | P::EnrollingRead
                    | P::EnrollingWrite
                    | P::IssuersRead
                    | P::IssuersOperate
                    | P::AuditRead
                    | P::NotificationsRead
                    | P::NotificationsWrite
            ),
            Self::PolicyAuthor => matches!(
                permission,
                P::CertificatesRead
                    | P::ApprovalsRead
                    | P::PolicyRead
                    | P::PolicyWrite
                    | P::AcmeRead
                    | P::EnrollingRead
                    | P::IssuersRead
            ),
            Self::Approver => matches!(
                permission,
                P::CertificatesRead | P::ApprovalsRead | P::ApprovalsDecide | P::PolicyRead
            ),
            Self::Requester => matches!(
                permission,
                P::CertificatesRead
                    | P::CertificatesRequest
                    | P::CertificatesRevoke
                    | P::CertificatesEdit
                    | P::ApprovalsRead
                    | P::PolicyRead
                    | P::AcmeRead
                    | P::EnrollingRead
            ),
        }
    }

    /// Everything the role holds.
    pub fn permissions(self) -> BTreeSet<Permission> {
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| self.grants(*permission)).collect()
    }

    /// What the role is for, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::Administrator => "May do everything.",
            Self::CaOperator => {
                "Operates CAs, ACME and certificates, but gives nobody access and sets no policy."
            }
            Self::PolicyAuthor => "Says what may be issued, and issues nothing.",
            Self::Approver => "Decides on requests of others.",
            Self::Requester => "Asks for certificates.",
            Self::Auditor => "May see everything and change nothing.",
        }
    }

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::CaOperator => "ca-operator",
            Self::PolicyAuthor => "policy-author",
            Self::Approver => "approver",
            Self::Requester => "requester",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no role; there are administrator, ca-operator, policy-author, approver, requester and auditor"
)]
pub struct ParseRoleError(String);

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| ParseRoleError(text.chars().take(64).collect()))
    }
}
