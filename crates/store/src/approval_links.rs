//! One-time links of approvals, kept by their hashes.

use domain::approval::ApprovalLink;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::codec::json;
use crate::{Row, StoreError, Tx, params};

impl Tx<'_> {
    /// Adds a link.
    pub async fn insert_approval_link(&mut self, link: &ApprovalLink) -> Result<(), StoreError> {
        let sql = "INSERT INTO approval_links (hash, approval_id, round, approver, verdicts, \
                   expires_at, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = params![
            link.hash.to_string(),
            link.approval_id.as_str(),
            link.round,
            link.approver.to_string(),
            json(&link.verdicts)?,
            link.expires_at,
            link.created_at,
            link.used_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The link behind a secret, used and expired ones included.
    pub async fn find_approval_link(
        &mut self,
        hash: &Fingerprint,
    ) -> Result<Option<ApprovalLink>, StoreError> {
        let sql = "SELECT hash, approval_id, round, approver, verdicts, expires_at, created_at, \
                   used_at FROM approval_links WHERE hash = $1";
        let row = self.query_opt(sql, params![hash.to_string()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Uses a link up. Of any number of tries exactly one is told `true`.
    pub async fn spend_approval_link(
        &mut self,
        hash: &Fingerprint,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE approval_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
        Ok(self.execute(sql, params![hash.to_string(), now]).await? == 1)
    }

    /// Deletes links whose time was over before `before`.
    pub async fn delete_expired_approval_links(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM approval_links WHERE hash IN (SELECT hash FROM approval_links \
                   WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
        self.execute(sql, params![before, limit]).await
    }
}

fn read(row: &Row) -> Result<ApprovalLink, StoreError> {
    Ok(ApprovalLink {
        hash: row.parse(0)?,
        approval_id: row.parse(1)?,
        round: row.get(2)?,
        approver: row.parse(3)?,
        verdicts: row.json(4)?,
        expires_at: row.get(5)?,
        created_at: row.get(6)?,
        used_at: row.get(7)?,
    })
}
