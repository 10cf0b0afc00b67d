//! Every kind of job, its name, and the key under which there is one of it at most.

use domain::acme::challenge::ChallengeKind;
use domain::id::{
    ApprovalId, AuthorizationId, BulkId, CertificateId, EnrollmentId, EntryPointId, IssuerId,
    MigrationId,
};
use serde::{Deserialize, Serialize};

/// Every kind of job there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Job {
    /// Another probe for a challenge, or the first if its process died.
    ValidateChallenge {
        authorization: AuthorizationId,
        challenge: ChallengeKind,
    },
    /// The mail that a challenge for a mailbox begins with.
    SendEmailChallenge { authorization: AuthorizationId },
    /// A look at the mailbox that replies come to; comes back by itself.
    ReadMailbox,
    /// The next step of an enrollment.
    DriveEnrollment { enrollment: EnrollmentId },
    /// The next certificates of a bulk action.
    RunBulk { bulk: BulkId },
    /// What is due of an approval: a reminder, an escalation, its end.
    TickApproval { approval: ApprovalId },
    /// Another look at everything that waits, in one profile or in all.
    ReviewApprovals { profile: Option<String> },
    /// A new CRL; comes back by itself.
    RefreshCrl { issuer: IssuerId },
    /// A CA elsewhere learns of a revocation.
    TellRevocation { certificate: CertificateId },
    /// The next look at a migration from one issuer to another.
    RunIssuerMigration { migration: MigrationId },
    /// A look through what a CA elsewhere issued; comes back by itself.
    SyncIssuer { issuer: IssuerId },
    /// A CA elsewhere is asked when its certificates should be renewed; comes back by itself.
    AskRenewalAdvice { issuer: IssuerId },
    /// A look at every issuer; comes back by itself.
    WatchIssuers,
    /// Signs where the event chain stands; comes back by itself.
    SignCheckpoint,
    /// Deletes what expired long ago; comes back by itself.
    CleanUp,
    /// Looks for certificates that end without a successor; comes back by itself.
    WatchExpiry,
    /// Closes incidents that are over; comes back by itself.
    CloseIncidents,
    /// Revokes what was handed out over CMP and not confirmed.
    EndCmpTransaction {
        endpoint: EntryPointId,
        transaction: String,
    },
}

impl Job {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ValidateChallenge { .. } => "validate-challenge",
            Self::SendEmailChallenge { .. } => "send-email-challenge",
            Self::ReadMailbox => "read-mailbox",
            Self::DriveEnrollment { .. } => "drive-enrollment",
            Self::RunBulk { .. } => "run-bulk",
            Self::TickApproval { .. } => "tick-approval",
            Self::ReviewApprovals { .. } => "review-approvals",
            Self::RefreshCrl { .. } => "refresh-crl",
            Self::TellRevocation { .. } => "tell-revocation",
            Self::RunIssuerMigration { .. } => "run-issuer-migration",
            Self::SyncIssuer { .. } => "sync-issuer",
            Self::AskRenewalAdvice { .. } => "ask-renewal-advice",
            Self::WatchIssuers => "watch-issuers",
            Self::SignCheckpoint => "sign-checkpoint",
            Self::CleanUp => "clean-up",
            Self::WatchExpiry => "watch-expiry",
            Self::CloseIncidents => "close-incidents",
            Self::EndCmpTransaction { .. } => "end-cmp-transaction",
        }
    }

    /// Of jobs with the same key there is one at most.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::RunBulk { bulk } => Some(format!("bulk/{bulk}")),
            Self::ValidateChallenge { .. }
            | Self::DriveEnrollment { .. }
            | Self::ReviewApprovals { .. }
            | Self::EndCmpTransaction { .. } => None,
            Self::SendEmailChallenge { authorization } => Some(format!("mail/{authorization}")),
            Self::TickApproval { approval } => Some(format!("approval/{approval}")),
            Self::RefreshCrl { issuer } => Some(format!("crl/{issuer}")),
            Self::TellRevocation { certificate } => Some(format!("revocation/{certificate}")),
            Self::RunIssuerMigration { migration } => Some(format!("migration/{migration}")),
            Self::SyncIssuer { issuer } => Some(format!("sync/{issuer}")),
            Self::AskRenewalAdvice { issuer } => Some(format!("advice/{issuer}")),
            Self::SignCheckpoint
            | Self::CleanUp
            | Self::WatchExpiry
            | Self::WatchIssuers
            | Self::ReadMailbox
            | Self::CloseIncidents => Some(self.name().to_owned()),
        }
    }
}
