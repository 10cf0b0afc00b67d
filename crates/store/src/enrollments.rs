//! Enrollments: requests for certificates on their way through the pipeline.
//!
//! What was, or is to be, signed has columns of its own, so that it can be found by serial and is not
//! copied with every look at the state.

use domain::access::Visibility;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::{CertificateId, EnrollmentId, IssuerId, TeamId};
use domain::issuer::{Backlog, Prepared};
use pki::serial::Serial;
use pki::time::Timestamp;

use crate::codec::json;
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// Which enrollments to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct EnrollmentFilter {
    pub visible: Visibility,
    /// A state's name, see [`EnrollmentState::name`].
    pub status: Option<String>,
    /// Only what changed then or later.
    pub changed_since: Option<Timestamp>,
}

/// What was perhaps signed but never came into the inventory. It can be revoked by its serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    pub enrollment: EnrollmentId,
    pub issuer: IssuerId,
    pub serial: Serial,
    /// The to-be-signed octets.
    pub tbs: Vec<u8>,
}

macro_rules! columns {
    () => {
        "id, requester, profile_id, profile_version, identifiers, csr, not_before, not_after, \
         metadata, replaces, created_at, state, updated_at, tbs, team_id, subject, key_evidence, \
         metadata_sources"
    };
}

impl Tx<'_> {
    /// Adds an enrollment.
    pub async fn insert_enrollment(&mut self, enrollment: &Enrollment) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO enrollments (",
            columns!(),
            ", status, issuer_id, serial, waits_at, waits_since) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
             $18, $19, $20, $21, $22, $23)"
        );
        let prepared = prepared(&enrollment.state);
        let waits = waits(enrollment);
        let values = params![
            enrollment.id.as_str(),
            json(&enrollment.requester)?,
            enrollment.profile_id.as_str(),
            enrollment.profile_version,
            json(&enrollment.identifiers)?,
            &enrollment.csr_der,
            enrollment.not_before,
            enrollment.not_after,
            json(&enrollment.metadata)?,
            enrollment.replaces.as_ref().map(CertificateId::as_str),
            enrollment.created_at,
            json(&enrollment.state)?,
            enrollment.updated_at,
            prepared.map(|(_, prepared)| &prepared.tbs),
            enrollment.team_id.as_ref().map(TeamId::as_str),
            enrollment.subject.as_ref().map(ToString::to_string),
            enrollment.key_evidence.as_ref().map(json).transpose()?,
            json(&enrollment.metadata_sources)?,
            enrollment.state.name(),
            prepared.map(|(issuer, _)| issuer.as_str()),
            prepared.map(|(_, prepared)| prepared.serial.to_string()),
            waits.map(|(issuer, _)| issuer.as_str()),
            waits.map(|(_, since)| since),
        ];
        self.execute_one(sql, values).await
    }

    /// The enrollment with that id.
    pub async fn find_enrollment(
        &mut self,
        id: &EnrollmentId,
    ) -> Result<Option<Enrollment>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM enrollments WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_enrollment`](Self::find_enrollment); the row stays as it is until the transaction
    /// ends.
    pub async fn find_enrollment_for_update(
        &mut self,
        id: &EnrollmentId,
    ) -> Result<Option<Enrollment>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM enrollments WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Puts an enrollment under another version of its profile.
    pub async fn follow_profile(
        &mut self,
        id: &EnrollmentId,
        version: u32,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE enrollments SET profile_version = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), version]).await? == 1)
    }

    /// Writes the state, and answers whether the enrollment is there.
    ///
    /// A serial that was once set is never cleared: whatever becomes of the enrollment, it says what
    /// may have been signed. A serial that another enrollment of the issuer has is a duplicate.
    pub async fn update_enrollment(&mut self, enrollment: &Enrollment) -> Result<bool, StoreError> {
        let sql = "UPDATE enrollments SET status = $2, state = $3, updated_at = $4, \
                   issuer_id = COALESCE($5, issuer_id), serial = COALESCE($6, serial), \
                   tbs = COALESCE($7, tbs), waits_at = $8, waits_since = $9 WHERE id = $1";
        let prepared = prepared(&enrollment.state);
        let waits = waits(enrollment);
        let values = params![
            enrollment.id.as_str(),
            enrollment.state.name(),
            json(&enrollment.state)?,
            enrollment.updated_at,
            prepared.map(|(issuer, _)| issuer.as_str()),
            prepared.map(|(_, prepared)| prepared.serial.to_string()),
            prepared.map(|(_, prepared)| &prepared.tbs),
            waits.map(|(issuer, _)| issuer.as_str()),
            waits.map(|(_, since)| since),
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// The enrollment under way that is to replace a certificate.
    pub async fn find_enrollment_replacing(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Option<EnrollmentId>, StoreError> {
        let sql = "SELECT id FROM enrollments WHERE replaces = $1 \
                   AND status NOT IN ('rejected', 'issued', 'failed', 'cancelled', 'denied', \
                   'expired') ORDER BY id LIMIT 1";
        let row = self.query_opt(sql, params![certificate.as_str()]).await?;
        row.as_ref().map(|row| row.parse(0)).transpose()
    }

    /// Enrollments that fit the filter, newest first.
    pub async fn list_enrollments(
        &mut self,
        filter: &EnrollmentFilter,
        after: Option<&EnrollmentId>,
        limit: u32,
    ) -> Result<Vec<Enrollment>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM enrollments"))
            .visible("team_id", &filter.visible)
            .and_if("status = ?", filter.status.as_deref())
            .and_if("updated_at >= ?", filter.changed_since)
            .and_if("id < ?", after.map(EnrollmentId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// How many requests of those failed then or later.
    pub async fn count_failed_enrollments(
        &mut self,
        visible: &Visibility,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        // The state is written out: an index holds those that failed, and no others.
        let (sql, values) = List::new("SELECT count(*) FROM enrollments")
            .and("status = 'failed'")
            .and_if("updated_at >= ?", Some(since))
            .visible("team_id", visible)
            .limit("", 1);
        let row = self.query_opt(&sql, &values).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// What waits for a CA elsewhere.
    pub async fn issuer_backlog(&mut self, issuer: &IssuerId) -> Result<Backlog, StoreError> {
        let sql = "SELECT status, count(*), min(waits_since) FROM enrollments \
                   WHERE waits_at = $1 GROUP BY status";
        let mut backlog = Backlog::default();
        for row in &self.query(sql, params![issuer.as_str()]).await? {
            let (status, count, oldest): (String, u64, Timestamp) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            match status.as_str() {
                "signing" => {
                    backlog.unanswered = count;
                    backlog.unanswered_since = Some(oldest);
                }
                _ => {
                    backlog.pending = count;
                    backlog.pending_since = Some(oldest);
                }
            }
        }
        Ok(backlog)
    }

    /// What was prepared for signing by enrollments that then failed or were cancelled, newest first.
    pub async fn list_orphans(
        &mut self,
        after: Option<&EnrollmentId>,
        limit: u32,
    ) -> Result<Vec<Orphan>, StoreError> {
        let (sql, values) = List::new("SELECT id, issuer_id, serial, tbs FROM enrollments")
            .and("status IN ('failed', 'cancelled')")
            .and("serial IS NOT NULL")
            .and_if("id < ?", after.map(EnrollmentId::as_str))
            .limit("ORDER BY id DESC", limit);
        let rows = self.query(&sql, &values).await?;
        rows.iter().map(read_orphan).collect()
    }
}

/// Which CA elsewhere it waits for, and since when. A CA whose key we hold is not waited for.
fn waits(enrollment: &Enrollment) -> Option<(&IssuerId, Timestamp)> {
    match &enrollment.state {
        EnrollmentState::Signing {
            issuer,
            prepared: None,
            decided_at,
            ..
        }
        | EnrollmentState::AwaitingIssuer {
            issuer, decided_at, ..
        } => Some((issuer, decided_at.unwrap_or(enrollment.created_at))),
        EnrollmentState::Signing { .. }
        | EnrollmentState::Rejected { .. }
        | EnrollmentState::AwaitingApproval { .. }
        | EnrollmentState::Approved { .. }
        | EnrollmentState::Issued { .. }
        | EnrollmentState::Failed { .. }
        | EnrollmentState::Cancelled { .. }
        | EnrollmentState::Denied { .. }
        | EnrollmentState::Expired { .. } => None,
    }
}

/// What is fixed before a CA whose key we hold signs.
fn prepared(state: &EnrollmentState) -> Option<(&IssuerId, &Prepared)> {
    match state {
        EnrollmentState::Signing {
            issuer, prepared, ..
        } => prepared.as_ref().map(|prepared| (issuer, prepared)),
        EnrollmentState::Rejected { .. }
        | EnrollmentState::AwaitingApproval { .. }
        | EnrollmentState::Approved { .. }
        | EnrollmentState::AwaitingIssuer { .. }
        | EnrollmentState::Issued { .. }
        | EnrollmentState::Failed { .. }
        | EnrollmentState::Cancelled { .. }
        | EnrollmentState::Denied { .. }
        | EnrollmentState::Expired { .. } => None,
    }
}

fn read(row: &Row) -> Result<Enrollment, StoreError> {
    let mut state = row.json(11)?;
    if let EnrollmentState::Signing {
        prepared: Some(prepared),
        ..
    } = &mut state
    {
        prepared.tbs = row.get(13)?;
    }
    Ok(Enrollment {
        id: row.parse(0)?,
        requester: row.json(1)?,
        profile_id: row.parse(2)?,
        profile_version: row.get(3)?,
        identifiers: row.json(4)?,
        subject: row.parse_opt(15)?,
        key_evidence: row.json_opt(16)?,
        csr_der: row.get(5)?,
        not_before: row.get(6)?,
        not_after: row.get(7)?,
        metadata: row.json(8)?,
        metadata_sources: row.json(17)?,
        replaces: row.parse_opt(9)?,
        created_at: row.get(10)?,
        state,
        updated_at: row.get(12)?,
        team_id: row.parse_opt(14)?,
    })
}

fn read_orphan(row: &Row) -> Result<Orphan, StoreError> {
    Ok(Orphan {
        enrollment: row.parse(0)?,
        issuer: row.parse(1)?,
        serial: row.parse(2)?,
        tbs: row.get(3)?,
    })
}
