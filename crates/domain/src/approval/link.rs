//! One-time links: a decision from a mailbox. A link is for one approval, one person, some verdicts.

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use super::{Approval, Verdict};
use crate::access::Principal;
use crate::id::ApprovalId;

/// A link as we keep it: by the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalLink {
    pub hash: Fingerprint,
    pub approval_id: ApprovalId,
    /// The round it was made in; another one shows something else.
    pub round: u32,
    /// Who decides by it.
    pub approver: Principal,
    /// What it can say.
    pub verdicts: Vec<Verdict>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// Why a link decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    #[error("this link is not known, or it was used, or its time is over")]
    Spent,
    #[error("the request has changed since this link was sent; another was sent with the change")]
    OtherRound,
    #[error("this link cannot say that")]
    OtherVerdict,
}

impl ApprovalLink {
    /// Whether the link opens `approval` at `now`.
    pub fn check(&self, approval: &Approval, now: Timestamp) -> Result<(), LinkRefusal> {
        if self.approval_id != approval.id || self.used_at.is_some() || now >= self.expires_at {
            Err(LinkRefusal::Spent)
        } else if self.round != approval.round {
            Err(LinkRefusal::OtherRound)
        } else {
            Ok(())
        }
    }

    /// Whether it may be used to say this.
    pub fn check_verdict(&self, verdict: Verdict) -> Result<(), LinkRefusal> {
        match self.verdicts.contains(&verdict) {
            true => Ok(()),
            false => Err(LinkRefusal::OtherVerdict),
        }
    }
}
