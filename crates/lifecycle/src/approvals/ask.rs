//! Ask: a request that its profile's rule makes wait is put before people. Nothing is prepared.

use domain::approval::{Approval, Round, digest_of};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::event::Event;
use domain::id::ApprovalId;
use domain::profile::Profile;
use pki::certificate::CertificateContent;
use pki::time::Timestamp;
use store::jobs::JobRow;
use store::{StoreError, Tx};

use super::facts::Request;
use crate::Lifecycle;
use crate::actor::Caller;
use crate::issuers::ConnectedIssuer;
use crate::jobs::Job;

/// An enrollment that waits for people, not stored yet.
#[derive(Debug)]
pub struct Waiting {
    pub(crate) enrollment: Enrollment,
    approval: Approval,
    profile: String,
}

/// What is stored of it in one transaction.
pub(crate) struct WaitingRows {
    enrollment: Enrollment,
    approval: Approval,
    event: Event,
    job: JobRow,
}

impl Waiting {
    /// What the request stands on ends then: nobody is asked for longer.
    pub(crate) fn not_after(mut self, latest: Timestamp) -> Self {
        self.approval.deadline_at = self.approval.deadline_at.min(latest);
        self.approval.latest = Some(latest);
        self.enrollment.state = waiting_state(&self.approval);
        self
    }
}

impl Lifecycle {
    /// Asks people where the profile's rule wants that; `None` where nobody has to be asked.
    pub(crate) async fn ask(
        &self,
        enrollment: &Enrollment,
        profile: &Profile,
        content: &CertificateContent,
        issuer: &ConnectedIssuer,
        now: Timestamp,
    ) -> Result<Option<Waiting>, StoreError> {
        let Some(rule) = &profile.spec.approval else {
            return Ok(None);
        };
        let request = Request {
            enrollment,
            profile,
            content,
            issuer: &issuer.issuer,
        };
        let reasons = rule.reasons(&self.approval_facts(&request, now).await?);
        if reasons.is_empty() {
            return Ok(None);
        }
        let round = Round {
            profile_version: profile.version,
            rule: rule.clone(),
            reasons,
            digest: digest_of(enrollment),
            latest: None,
        };
        let (requester, behind) = self.who_stands_behind(&enrollment.requester).await?;
        let approval = Approval::new(
            ApprovalId::mint(now, &*self.random),
            enrollment,
            (requester, behind),
            round,
            now,
        );
        let mut enrollment = enrollment.clone();
        enrollment.state = waiting_state(&approval);
        Ok(Some(Waiting {
            enrollment,
            approval,
            profile: profile.name.clone(),
        }))
    }

    /// The rows of a request that waits, with the event that tells people of it.
    pub(crate) fn rows_of_waiting(&self, waiting: Waiting, caller: &Caller) -> WaitingRows {
        let Waiting {
            enrollment,
            approval,
            profile,
        } = waiting;
        let event = self.awaiting_event(&approval, &enrollment, &profile, caller);
        WaitingRows {
            job: self.tick_job(&approval),
            event,
            enrollment,
            approval,
        }
    }

    /// The job that looks after an approval, at the time when something is due.
    pub(crate) fn tick_job(&self, approval: &Approval) -> JobRow {
        let job = Job::TickApproval {
            approval: approval.id.clone(),
        };
        self.new_job(&job, approval.next_due().unwrap_or_else(|| self.now()))
    }
}

/// Stores a request that waits: enrollment, approval, event and the job that looks after it.
pub(crate) async fn insert_waiting(tx: &mut Tx<'_>, rows: &WaitingRows) -> Result<(), StoreError> {
    tx.insert_enrollment(&rows.enrollment).await?;
    tx.insert_approval(&rows.approval).await?;
    tx.insert_event(&rows.event).await?;
    tx.enqueue(&rows.job).await.map(drop)
}

/// The state of an enrollment that waits for this approval.
pub(super) fn waiting_state(approval: &Approval) -> EnrollmentState {
    EnrollmentState::AwaitingApproval {
        approval: approval.id.clone(),
        since: approval.asked_at,
        deadline: approval.deadline_at,
    }
}
