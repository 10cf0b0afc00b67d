//! An enrollment: one request for one certificate on its way through the pipeline.

use std::collections::BTreeMap;
use std::time::Duration;

use pki::name::DistinguishedName;
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::enrolling::ClientProof;
use crate::id::{
    AccountId, ApprovalId, CertificateId, DirectoryId, EnrollmentId, EntryPointId, IssuerId,
    OrderId, ProfileId, TeamId, TokenId, UserId,
};
use crate::identifier::Identifier;
use crate::issuer::Prepared;
use crate::metadata::Source;
use crate::policy::Violation;
use crate::profile::KeyEvidence;

/// One request for one certificate, from whatever protocol.
#[derive(Clone, Debug)]
pub struct Enrollment {
    pub id: EnrollmentId,
    pub requester: Requester,
    pub profile_id: ProfileId,
    pub profile_version: u32,
    /// The names for the subject alternative name.
    pub identifiers: Vec<Identifier>,
    /// The subject that was asked for beside the CSR.
    pub subject: Option<DistinguishedName>,
    /// What was brought forward about the protection of the key.
    pub key_evidence: Option<KeyEvidence>,
    pub csr_der: Vec<u8>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// Name and value of custom metadata, carried into the inventory.
    pub metadata: BTreeMap<String, String>,
    /// Where each of these values came from.
    pub metadata_sources: BTreeMap<String, Source>,
    /// The certificate this one renews.
    pub replaces: Option<CertificateId>,
    pub state: EnrollmentState,
    /// The team that the certificate will be of.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who asks for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Requester {
    AcmeAccount {
        account: AccountId,
        directory: DirectoryId,
        order: OrderId,
    },
    /// A person, by dashboard, REST or CLI.
    User { user: UserId },
    /// A program, by REST or CLI.
    Token { token: TokenId },
    /// A client of a protocol without accounts, by where it came in and how it showed who it is.
    Client {
        entry_point: EntryPointId,
        proof: ClientProof,
    },
    /// This program itself, for its own TLS certificate.
    System,
}

impl Requester {
    /// Whether a program asked, which will renew what it got.
    pub fn is_program(&self) -> bool {
        match self {
            Self::AcmeAccount { .. } | Self::Token { .. } | Self::Client { .. } => true,
            // Of people, and of what somebody asked for at the console, nobody knows.
            Self::User { .. } | Self::System => false,
        }
    }
}

/// Where an enrollment stands. Each variant carries what exists in that state and only that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum EnrollmentState {
    /// The rules were broken; nothing was signed.
    Rejected { violations: Vec<Violation> },
    /// People have to agree first; nothing is prepared yet.
    AwaitingApproval {
        approval: ApprovalId,
        since: Timestamp,
        /// Ends then if nobody has decided.
        deadline: Timestamp,
    },
    /// Decided, waits for an issuer to be fit.
    Approved {
        attempts: u32,
        #[serde(default)]
        last_error: Option<String>,
        /// When it is tried next, after a try that came to nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// Durable before the issuer is asked: a crash from here on finds what was to be signed.
    Signing {
        issuer: IssuerId,
        prepared: Option<Prepared>,
        attempts: u32,
        /// Why the last attempt came to nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_error: Option<String>,
        /// When the issuer is asked next, after an attempt that came to nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// When the content was decided, where people were asked first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decided_at: Option<Timestamp>,
    },
    /// The issuer took it and has not answered yet.
    AwaitingIssuer {
        issuer: IssuerId,
        handle: String,
        poll_at: Timestamp,
        /// What the last look met with, where it brought no answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_error: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decided_at: Option<Timestamp>,
    },
    /// In the inventory.
    Issued { certificate: CertificateId },
    /// Gave up; the requester may try anew.
    Failed { reason: String },
    /// Withdrawn by the requester or an operator.
    Cancelled { reason: String },
    /// Somebody who was asked said no.
    Denied { reason: String },
    /// Nobody who was asked decided in time.
    Expired { reason: String },
}

/// What something that waits met with last, and when it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setback<'a> {
    pub last_error: Option<&'a str>,
    pub next_at: Option<Timestamp>,
}

impl EnrollmentState {
    /// Decided, and not tried yet.
    pub fn approved() -> Self {
        Self::Approved {
            attempts: 0,
            last_error: None,
            retry_at: None,
        }
    }

    /// The same after a try that came to nothing, with the next one at that time.
    #[must_use]
    pub fn after_setback(mut self, error: String, next_at: Timestamp) -> Self {
        match &mut self {
            Self::Approved {
                attempts,
                last_error,
                retry_at,
            }
            | Self::Signing {
                attempts,
                last_error,
                retry_at,
                ..
            } => {
                *attempts += 1;
                *last_error = Some(error);
                *retry_at = Some(next_at);
            }
            Self::AwaitingIssuer {
                poll_at,
                last_error,
                ..
            } => {
                *poll_at = next_at;
                *last_error = Some(error);
            }
            Self::Rejected { .. }
            | Self::AwaitingApproval { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => {}
        }
        self
    }

    /// What it met with last and when it goes on by itself, where it waits for an issuer.
    pub fn setback(&self) -> Setback<'_> {
        match self {
            Self::Approved {
                last_error,
                retry_at,
                ..
            }
            | Self::Signing {
                last_error,
                retry_at,
                ..
            } => Setback {
                last_error: last_error.as_deref(),
                next_at: *retry_at,
            },
            Self::AwaitingIssuer {
                last_error,
                poll_at,
                ..
            } => Setback {
                last_error: last_error.as_deref(),
                next_at: Some(*poll_at),
            },
            Self::Rejected { .. }
            | Self::AwaitingApproval { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => Setback::default(),
        }
    }

    /// How often an issuer was tried in vain, as far as that is counted.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Approved { attempts, .. } | Self::Signing { attempts, .. } => *attempts,
            Self::Rejected { .. }
            | Self::AwaitingApproval { .. }
            | Self::AwaitingIssuer { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => 0,
        }
    }

    /// What whoever asked is told while it waits, in whatever protocol. What an issuer answered is for
    /// those who may read enrollments; a client learns that it is tried again, and when.
    pub fn told(&self) -> Option<String> {
        let Setback {
            last_error,
            next_at,
        } = self.setback();
        let then = next_at.map_or_else(String::new, |at| format!(" at {at}"));
        match self {
            Self::AwaitingApproval { deadline, .. } => Some(format!(
                "people have to agree to it first, until {deadline}"
            )),
            Self::Approved { .. } | Self::Signing { .. } if last_error.is_some() => Some(format!(
                "the issuing CA could not sign it so far; it is tried again{then}"
            )),
            Self::Approved { .. } | Self::Signing { .. } => {
                Some("it is about to be signed".to_owned())
            }
            Self::AwaitingIssuer { .. } if last_error.is_some() => Some(format!(
                "the issuing CA has taken the request and cannot be asked about it now; it is asked again{then}"
            )),
            Self::AwaitingIssuer { .. } => Some(format!(
                "the issuing CA has taken the request and has not answered yet; it is asked again{then}"
            )),
            Self::Rejected { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => None,
        }
    }

    /// The state's name in the store, the API and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::AwaitingApproval { .. } => "awaiting-approval",
            Self::Approved { .. } => "approved",
            Self::Signing { .. } => "signing",
            Self::AwaitingIssuer { .. } => "awaiting-issuer",
            Self::Issued { .. } => "issued",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
            Self::Denied { .. } => "denied",
            Self::Expired { .. } => "expired",
        }
    }

    /// Whether nothing will change any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Rejected { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => true,
            Self::AwaitingApproval { .. }
            | Self::Approved { .. }
            | Self::Signing { .. }
            | Self::AwaitingIssuer { .. } => false,
        }
    }

    /// When the content was decided, where that is later than the request.
    pub fn decided_at(&self) -> Option<Timestamp> {
        match self {
            Self::Signing { decided_at, .. } | Self::AwaitingIssuer { decided_at, .. } => {
                *decided_at
            }
            Self::Rejected { .. }
            | Self::AwaitingApproval { .. }
            | Self::Approved { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => None,
        }
    }

    /// How long whoever waits for the end of it should stay away, in whatever protocol: machines
    /// answer in seconds; people who did not within minutes take hours.
    pub fn retry_after(&self, now: Timestamp) -> Duration {
        match self {
            Self::AwaitingApproval {
                since, deadline, ..
            } => {
                let left = deadline.since(now).max(SHORTLY);
                (now.since(*since) / 10).clamp(SHORTLY, AN_HOUR).min(left)
            }
            Self::Approved { .. } | Self::Signing { .. } | Self::AwaitingIssuer { .. } => self
                .setback()
                .next_at
                .map_or(SHORTLY, |at| at.since(now).clamp(SHORTLY, AN_HOUR)),
            Self::Rejected { .. }
            | Self::Issued { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. }
            | Self::Denied { .. }
            | Self::Expired { .. } => SHORTLY,
        }
    }
}

const SHORTLY: Duration = Duration::from_secs(3);
const AN_HOUR: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_people_comes_back_less_and_less_often_and_not_after_the_end() {
        let since = Timestamp::from_seconds(1_800_000_000);
        let state = EnrollmentState::AwaitingApproval {
            approval: "apr_00000000000000000000000001".parse().unwrap(),
            since,
            deadline: since + Duration::from_secs(86_400),
        };
        for (waited, seconds) in [
            (0, 3),
            (60, 6),
            (300, 30),
            (3600, 360),
            (50_000, 3600),
            (86_000, 400),
            (90_000, 3),
        ] {
            let now = since + Duration::from_secs(waited);
            assert_eq!(state.retry_after(now).as_secs(), seconds, "after {waited}");
        }
    }
}
