//! Enrollment passwords, kept by their hashes.

use domain::access::Visibility;
use domain::enrolling::EnrollmentPassword;
use domain::id::{EnrollmentPasswordId, EntryPointId, TeamId};
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::codec::json;
use crate::list::List;
use crate::terms::read_terms;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, entry_point_id, hash, username, allowed_names, max_uses, uses, metadata, expires_at, \
         revoked_at, last_used_at, team_id, created_at"
    };
}

impl Tx<'_> {
    /// Adds a password.
    pub async fn insert_enrollment_password(
        &mut self,
        password: &EnrollmentPassword,
    ) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO enrollment_passwords (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        );
        let terms = &password.terms;
        let values = params![
            password.id.as_str(),
            &password.name,
            password.entry_point.as_str(),
            password.hash.to_string(),
            password.username.as_deref(),
            json(&terms.allowed_names)?,
            terms.max_uses,
            terms.uses,
            json(&terms.metadata)?,
            terms.expires_at,
            terms.revoked_at,
            terms.last_used_at,
            terms.team_id.as_ref().map(TeamId::as_str),
            terms.created_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The password with that id, revoked and expired ones included.
    pub async fn find_enrollment_password(
        &mut self,
        id: &EnrollmentPasswordId,
    ) -> Result<Option<EnrollmentPassword>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM enrollment_passwords WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The password that a client presents, revoked and expired ones included.
    pub async fn find_enrollment_password_by_hash(
        &mut self,
        hash: &Fingerprint,
    ) -> Result<Option<EnrollmentPassword>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM enrollment_passwords WHERE hash = $1"
        );
        let row = self.query_opt(sql, params![hash.to_string()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The passwords of the teams that are seen, newest first; with `point`, of that entry point only.
    pub async fn list_enrollment_passwords(
        &mut self,
        visible: &Visibility,
        point: Option<&EntryPointId>,
        after: Option<&EnrollmentPasswordId>,
        limit: u32,
    ) -> Result<Vec<EnrollmentPassword>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM enrollment_passwords"))
            .visible("team_id", visible)
            .and_if("entry_point_id = ?", point.map(EntryPointId::as_str))
            .and_if("id < ?", after.map(EnrollmentPasswordId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Counts an enrollment, and answers whether the password had one left.
    pub async fn use_enrollment_password(
        &mut self,
        id: &EnrollmentPasswordId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE enrollment_passwords SET uses = uses + 1, last_used_at = $2 \
                   WHERE id = $1 AND revoked_at IS NULL AND (max_uses IS NULL OR uses < max_uses)";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Revokes a password, and answers whether it was in force until now.
    pub async fn revoke_enrollment_password(
        &mut self,
        id: &EnrollmentPasswordId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE enrollment_passwords SET revoked_at = $2 \
                   WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }
}

fn read(row: &Row) -> Result<EnrollmentPassword, StoreError> {
    Ok(EnrollmentPassword {
        id: row.parse(0)?,
        name: row.get(1)?,
        entry_point: row.parse(2)?,
        hash: row.parse(3)?,
        username: row.get(4)?,
        terms: read_terms(row, 5)?,
    })
}
