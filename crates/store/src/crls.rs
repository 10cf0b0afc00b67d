//! Published CRLs, and the floor that keeps their numbers from coming twice.

use domain::id::IssuerId;
use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

/// A published CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCrl {
    pub number: i64,
    pub this_update: Timestamp,
    pub next_update: Timestamp,
    pub der: Vec<u8>,
}

/// The name of the setting with the least number that was perhaps published.
const FLOOR: &str = "crl-number-floor";

impl Tx<'_> {
    /// Adds a CRL. A number that the issuer used before is a duplicate.
    pub async fn insert_crl(
        &mut self,
        issuer: &IssuerId,
        number: i64,
        this_update: Timestamp,
        next_update: Timestamp,
        der: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO crls (issuer_id, number, this_update_at, next_update_at, der) \
                   VALUES ($1, $2, $3, $4, $5)";
        self.execute_one(
            sql,
            params![issuer.as_str(), number, this_update, next_update, der],
        )
        .await
    }

    /// The CRL with the highest number.
    pub async fn find_latest_crl(
        &mut self,
        issuer: &IssuerId,
    ) -> Result<Option<StoredCrl>, StoreError> {
        let sql = "SELECT number, this_update_at, next_update_at, der FROM crls \
                   WHERE issuer_id = $1 ORDER BY number DESC LIMIT 1";
        let Some(row) = self.query_opt(sql, params![issuer.as_str()]).await? else {
            return Ok(None);
        };
        Ok(Some(StoredCrl {
            number: row.get(0)?,
            this_update: row.get(1)?,
            next_update: row.get(2)?,
            der: row.get(3)?,
        }))
    }

    /// The name of every issuer that has a CRL, and when its latest one ends.
    pub async fn list_crl_ends(&mut self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let sql = "SELECT issuers.name, crls.next_update_at FROM crls \
                   JOIN issuers ON issuers.id = crls.issuer_id \
                   WHERE crls.number = (SELECT max(later.number) FROM crls AS later \
                                        WHERE later.issuer_id = crls.issuer_id)";
        let rows = self.query(sql, params![]).await?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect()
    }

    /// Deletes the CRLs with lower numbers.
    pub async fn delete_crls_before(
        &mut self,
        issuer: &IssuerId,
        number: i64,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM crls WHERE issuer_id = $1 AND number < $2";
        self.execute(sql, params![issuer.as_str(), number]).await
    }

    /// The number above which the next CRL has to be, whatever CRLs are here; 0 if nothing was restored.
    pub async fn crl_number_floor(&mut self) -> Result<i64, StoreError> {
        let floor = self.find_setting(FLOOR).await?;
        floor.map_or(Ok(0), |text| {
            text.parse()
                .map_err(|_| StoreError::Statement(format!("setting {FLOOR} is no number")))
        })
    }

    pub(crate) async fn set_crl_number_floor(
        &mut self,
        floor: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.put_setting(FLOOR, &floor.to_string(), now).await
    }
}
