//! Keys that are never certified again, by the SHA-256 of their SubjectPublicKeyInfo.

use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;

use crate::codec::hex;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

/// A key that is never certified again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedKey {
    pub spki_sha256: [u8; 32],
    pub reason: String,
    pub blocked_at: Timestamp,
}

impl Tx<'_> {
    /// Blocks a key, and answers whether it was not blocked yet; the first reason stays.
    pub async fn block_key(
        &mut self,
        spki_sha256: &[u8; 32],
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO blocked_keys (spki_sha256, reason, blocked_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (spki_sha256) DO NOTHING";
        let values = params![hex(spki_sha256), reason, now];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Lets a key in again, and answers whether it was blocked.
    pub async fn unblock_key(&mut self, spki_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let sql = "DELETE FROM blocked_keys WHERE spki_sha256 = $1";
        Ok(self.execute(sql, params![hex(spki_sha256)]).await? == 1)
    }

    /// When and why a key was blocked.
    pub async fn find_blocked_key(
        &mut self,
        spki_sha256: &[u8; 32],
    ) -> Result<Option<BlockedKey>, StoreError> {
        let sql = "SELECT spki_sha256, reason, blocked_at FROM blocked_keys WHERE spki_sha256 = $1";
        let row = self.query_opt(sql, params![hex(spki_sha256)]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Whether a key is blocked.
    pub async fn is_key_blocked(&mut self, spki_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM blocked_keys WHERE spki_sha256 = $1)";
        self.query_one(sql, params![hex(spki_sha256)]).await?.get(0)
    }

    /// All blocked keys in the order of their hashes.
    pub async fn list_blocked_keys(
        &mut self,
        after: Option<&[u8; 32]>,
        limit: u32,
    ) -> Result<Vec<BlockedKey>, StoreError> {
        let (sql, values) = List::new("SELECT spki_sha256, reason, blocked_at FROM blocked_keys")
            .and_if("spki_sha256 > ?", after.map(|hash| hex(hash)))
            .limit("ORDER BY spki_sha256", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<BlockedKey, StoreError> {
    let hash: Fingerprint = row.parse(0)?;
    Ok(BlockedKey {
        spki_sha256: hash.0,
        reason: row.get(1)?,
        blocked_at: row.get(2)?,
    })
}
