//! External account binding keys (RFC 8555 section 7.3.4).

use domain::access::Visibility;
use domain::acme::eab::EabKey;
use domain::id::{DirectoryId, EabKeyId, TeamId};
use pki::time::Timestamp;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, sealed_hmac, directory_id, allowed_names, usage, expires_at, created_at, uses, \
         last_used_at, revoked_at, team_id, metadata"
    };
}

impl Tx<'_> {
    /// Adds a key.
    pub async fn insert_eab_key(&mut self, key: &EabKey) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO eab_keys (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        );
        let values = params![
            key.id.as_str(),
            &key.name,
            &key.sealed_hmac,
            key.directory_id.as_ref().map(DirectoryId::as_str),
            json(&key.allowed_names)?,
            word(&key.usage)?,
            key.expires_at,
            key.created_at,
            key.uses,
            key.last_used_at,
            key.revoked_at,
            key.team_id.as_ref().map(TeamId::as_str),
            json(&key.metadata)?,
        ];
        self.execute_one(sql, values).await
    }

    /// The key with that id, revoked and expired ones included.
    pub async fn find_eab_key(&mut self, id: &EabKeyId) -> Result<Option<EabKey>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM eab_keys WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// As [`find_eab_key`](Self::find_eab_key); the row stays as it is until the transaction ends.
    pub async fn find_eab_key_for_update(
        &mut self,
        id: &EabKeyId,
    ) -> Result<Option<EabKey>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM eab_keys WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The keys of the teams that are seen, newest first.
    pub async fn list_eab_keys(
        &mut self,
        visible: &Visibility,
        after: Option<&EabKeyId>,
        limit: u32,
    ) -> Result<Vec<EabKey>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM eab_keys"))
            .visible("team_id", visible)
            .and_if("id < ?", after.map(EabKeyId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Counts an account that was bound by the key, and answers whether the key is there.
    pub async fn note_eab_key_use(
        &mut self,
        id: &EabKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE eab_keys SET uses = uses + 1, last_used_at = $2 WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Revokes a key, and answers whether it was in force until now.
    pub async fn revoke_eab_key(
        &mut self,
        id: &EabKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE eab_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }
}

fn read(row: &Row) -> Result<EabKey, StoreError> {
    Ok(EabKey {
        id: row.parse(0)?,
        name: row.get(1)?,
        sealed_hmac: row.get(2)?,
        directory_id: row.parse_opt(3)?,
        allowed_names: row.json(4)?,
        usage: row.word(5)?,
        expires_at: row.get(6)?,
        created_at: row.get(7)?,
        uses: row.get(8)?,
        last_used_at: row.get(9)?,
        revoked_at: row.get(10)?,
        team_id: row.parse_opt(11)?,
        metadata: row.json(12)?,
    })
}
