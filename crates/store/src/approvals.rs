//! Approvals and what was decided in them.

mod cursor;

use domain::access::Visibility;
use domain::approval::{Approval, Decision};
use domain::id::{ApprovalId, EnrollmentId, ProfileId, TeamId};

pub use self::cursor::{ApprovalCursor, ApprovalSort, ParseApprovalCursorError};
use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which approvals to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct ApprovalFilter {
    pub visible: Visibility,
    /// A state's name, see [`domain::approval::ApprovalState::name`].
    pub status: Option<String>,
    pub profile: Option<ProfileId>,
    pub enrollment: Option<EnrollmentId>,
    /// Only those that nobody decides on any more.
    pub is_decided: bool,
    pub sort: ApprovalSort,
}

macro_rules! decision_columns {
    () => {
        "approval_id, number, round, stage, principal, on_behalf_of, person, verdict, reason, \
         address, via, decided_at"
    };
}

impl Tx<'_> {
    /// Adds an approval, without decisions.
    pub async fn insert_approval(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let sql = "INSERT INTO approvals (id, enrollment_id, profile_id, team_id, created_at, \
                   status, approval, deadline_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = params![
            approval.id.as_str(),
            approval.enrollment_id.as_str(),
            approval.profile_id.as_str(),
            approval.team_id.as_ref().map(TeamId::as_str),
            approval.created_at,
            approval.state.name(),
            json(approval)?,
            approval.deadline_at,
            approval.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The approval with that id, with its decisions.
    pub async fn find_approval(&mut self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        let sql = "SELECT approval FROM approvals WHERE id = $1";
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        self.with_decisions(row).await
    }

    /// As [`find_approval`](Self::find_approval); the row stays as it is until the transaction ends.
    pub async fn find_approval_for_update(
        &mut self,
        id: &ApprovalId,
    ) -> Result<Option<Approval>, StoreError> {
        let sql = for_update!("SELECT approval FROM approvals WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        self.with_decisions(row).await
    }

    /// The approval that an enrollment waits or waited for; the row stays as it is until the
    /// transaction ends.
    pub async fn find_approval_of_enrollment_for_update(
        &mut self,
        enrollment: &EnrollmentId,
    ) -> Result<Option<Approval>, StoreError> {
        let sql = for_update!("SELECT approval FROM approvals WHERE enrollment_id = $1");
        let row = self.query_opt(sql, params![enrollment.as_str()]).await?;
        self.with_decisions(row).await
    }

    /// Writes how an approval stands now. Decisions are added by themselves.
    pub async fn update_approval(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let sql = "UPDATE approvals SET status = $2, approval = $3, deadline_at = $4, \
                   updated_at = $5 WHERE id = $1";
        let values = params![
            approval.id.as_str(),
            approval.state.name(),
            json(approval)?,
            approval.deadline_at,
            approval.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// Puts a request that waits under another version of its profile.
    pub async fn set_enrollment_profile_version(
        &mut self,
        id: &EnrollmentId,
        version: u32,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE enrollments SET profile_version = $2 WHERE id = $1";
        self.execute_one(sql, params![id.as_str(), version]).await
    }

    /// Adds what somebody decided. A second decision of one person in one round is a duplicate.
    pub async fn insert_decision(
        &mut self,
        approval: &ApprovalId,
        number: u32,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO approval_decisions (",
            decision_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        let values = params![
            approval.as_str(),
            number,
            decision.round,
            decision.stage,
            decision.by.to_string(),
            decision.on_behalf_of.as_ref().map(ToString::to_string),
            decision.person.to_string(),
            word(&decision.verdict)?,
            decision.reason.as_deref(),
            decision.address.as_deref(),
            word(&decision.via)?,
            decision.at,
        ];
        self.execute_one(sql, values).await
    }

    /// Approvals that fit the filter, in its order.
    pub async fn list_approvals(
        &mut self,
        filter: &ApprovalFilter,
        after: Option<&ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let mut list = List::new("SELECT approval FROM approvals")
            .visible("team_id", &filter.visible)
            .and_if("status = ?", filter.status.as_deref())
            .and_if(
                "profile_id = ?",
                filter.profile.as_ref().map(ProfileId::as_str),
            )
            .and_if(
                "enrollment_id = ?",
                filter.enrollment.as_ref().map(EnrollmentId::as_str),
            )
            .and_if("status <> ?", filter.is_decided.then_some("pending"));
        if let Some(ApprovalCursor { id, at }) = after {
            let values = match at {
                None => vec![id.as_str().into()],
                Some(at) => vec![(*at).into(), (*at).into(), id.as_str().into()],
            };
            list = list.and_values(filter.sort.behind(), values);
        }
        let (sql, values) = list.limit(filter.sort.order(), limit);
        let rows = self.query(&sql, &values).await?;
        let mut approvals = Vec::with_capacity(rows.len());
        for row in rows {
            approvals.extend(self.with_decisions(Some(row)).await?);
        }
        Ok(approvals)
    }

    async fn with_decisions(&mut self, row: Option<Row>) -> Result<Option<Approval>, StoreError> {
        let Some(row) = row else {
            return Ok(None);
        };
        let mut approval: Approval = row.json(0)?;
        let sql = concat!(
            "SELECT ",
            decision_columns!(),
            " FROM approval_decisions WHERE approval_id = $1 ORDER BY number LIMIT 10000"
        );
        let rows = self.query(sql, params![approval.id.as_str()]).await?;
        approval.decisions = rows.iter().map(read_decision).collect::<Result<_, _>>()?;
        Ok(Some(approval))
    }
}

fn read_decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision {
        round: row.get(2)?,
        stage: row.get(3)?,
        by: row.parse(4)?,
        on_behalf_of: row.parse_opt(5)?,
        person: row.parse(6)?,
        verdict: row.word(7)?,
        reason: row.get(8)?,
        address: row.get(9)?,
        via: row.word(10)?,
        at: row.get(11)?,
    })
}
