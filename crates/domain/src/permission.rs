//! What a caller may be allowed to do, one by one. Roles are sets of these.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)*) => {
        /// One thing that a role may allow. Every route of the REST API asks for one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Permission {
            /// All there are, in the order in which they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in roles, the API and error texts: `certificates:revoke`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it allows, in a sentence.
            pub fn description(self) -> &'static str {
                let text = match self {
                    $(Self::$variant => concat!($($doc),+),)*
                };
                text.trim_start()
            }
        }
    };
}

permissions! {
    /// See certificates, enrollments, requests and their figures.
    CertificatesRead = "certificates:read";
    /// Ask for certificates: enroll, renew, re-key.
    CertificatesRequest = "certificates:request";
    /// Revoke certificates.
    CertificatesRevoke = "certificates:revoke";
    /// Change metadata and owner of certificates.
    CertificatesEdit = "certificates:edit";
    /// Bring certificates that others issued into the inventory.
    CertificatesImport = "certificates:import";
    /// See who waits for whose approval.
    ApprovalsRead = "approvals:read";
    /// Approve and deny; whose turn it is, the approval's rule says.
    ApprovalsDecide = "approvals:decide";
    /// See profiles, metadata fields, and what they would decide.
    PolicyRead = "policy:read";
    /// Change profiles, metadata fields and approval rules.
    PolicyWrite = "policy:write";
    /// See ACME directories, accounts, orders and binding keys.
    AcmeRead = "acme:read";
    /// Change ACME directories, accounts, orders and binding keys.
    AcmeWrite = "acme:write";
    /// See EST labels, SCEP services and enrollment passwords.
    EnrollingRead = "enrolling:read";
    /// Change EST labels and SCEP services, make and revoke enrollment passwords.
    EnrollingWrite = "enrolling:write";
    /// See issuers and their state.
    IssuersRead = "issuers:read";
    /// Enable and disable issuers, have CRLs made.
    IssuersOperate = "issuers:operate";
    /// Decide which CAs there are: what everybody trusts.
    IssuersAdminister = "issuers:administer";
    /// See the audit trail and export it.
    AuditRead = "audit:read";
    /// See notification channels, rules, deliveries.
    NotificationsRead = "notifications:read";
    /// Change notification channels, rules and templates, send again what failed.
    NotificationsWrite = "notifications:write";
    /// See teams, users and roles.
    AccessRead = "access:read";
    /// Change teams, users, roles and tokens.
    AccessAdminister = "access:administer";
}

impl Permission {
    /// What shows the things that this one is about: who may not see them is told that they are
    /// not there.
    pub fn sight(self) -> Self {
        match self {
            Self::CertificatesRead
            | Self::CertificatesRequest
            | Self::CertificatesRevoke
            | Self::CertificatesEdit
            | Self::CertificatesImport => Self::CertificatesRead,
            Self::ApprovalsRead | Self::ApprovalsDecide => Self::ApprovalsRead,
            Self::PolicyRead | Self::PolicyWrite => Self::PolicyRead,
            Self::AcmeRead | Self::AcmeWrite => Self::AcmeRead,
            Self::EnrollingRead | Self::EnrollingWrite => Self::EnrollingRead,
            Self::IssuersRead | Self::IssuersOperate | Self::IssuersAdminister => Self::IssuersRead,
            Self::AuditRead => Self::AuditRead,
            Self::NotificationsRead | Self::NotificationsWrite => Self::NotificationsRead,
            Self::AccessRead | Self::AccessAdminister => Self::AccessRead,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no permission.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no permission; `certwright role permissions` lists them")]
pub struct ParsePermissionError(String);

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| ParsePermissionError(text.chars().take(64).collect()))
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
