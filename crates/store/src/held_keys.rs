//! Private keys made for requesters, until they are fetched.

use domain::held_key::HeldKey;
use domain::id::EnrollmentId;
use pki::time::Timestamp;

use crate::codec::word;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "enrollment_id, owner, algorithm, sealed_key, created_at, expires_at"
    };
}

impl Tx<'_> {
    /// Keeps a key.
    pub async fn insert_held_key(&mut self, key: &HeldKey) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO held_keys (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            key.enrollment.as_str(),
            &key.owner,
            word(&key.algorithm)?,
            &key.sealed,
            key.created_at,
            key.expires_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The key of an enrollment, if it is still here.
    pub async fn find_held_key(
        &mut self,
        enrollment: &EnrollmentId,
    ) -> Result<Option<HeldKey>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM held_keys WHERE enrollment_id = $1"
        );
        let row = self.query_opt(sql, params![enrollment.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Destroys a key, and answers whether it was there: of two who fetch it, one gets it.
    pub async fn delete_held_key(&mut self, enrollment: &EnrollmentId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM held_keys WHERE enrollment_id = $1";
        Ok(self.execute(sql, params![enrollment.as_str()]).await? == 1)
    }

    /// Keys whose time is over at `now`, or whose enrollment ended: issued before `issued_before`, or
    /// without a certificate.
    pub async fn list_overdue_held_keys(
        &mut self,
        now: Timestamp,
        issued_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<EnrollmentId>, StoreError> {
        let sql = "SELECT enrollment_id FROM held_keys \
                   LEFT JOIN enrollments ON enrollments.id = held_keys.enrollment_id \
                   WHERE held_keys.expires_at <= $1 OR enrollments.id IS NULL \
                   OR (status = 'issued' AND updated_at <= $2) \
                   OR status IN ('rejected', 'failed', 'cancelled', 'denied', 'expired') \
                   ORDER BY enrollment_id LIMIT $3";
        let rows = self.query(sql, params![now, issued_before, limit]).await?;
        rows.iter().map(|row| row.parse(0)).collect()
    }
}

fn read(row: &Row) -> Result<HeldKey, StoreError> {
    Ok(HeldKey {
        enrollment: row.parse(0)?,
        owner: row.get(1)?,
        algorithm: row.word(2)?,
        sealed: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}
