//! Shared secrets of CMP, sealed.

use domain::access::Visibility;
use domain::cmp::CmpSecret;
use domain::id::{CmpSecretId, EntryPointId, TeamId};
use pki::time::Timestamp;

use crate::codec::json;
use crate::list::List;
use crate::terms::read_terms;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, endpoint_id, reference, name, sealed_secret, allowed_names, max_uses, uses, metadata, \
         expires_at, revoked_at, last_used_at, team_id, created_at"
    };
}

impl Tx<'_> {
    /// Adds a secret.
    pub async fn insert_cmp_secret(&mut self, secret: &CmpSecret) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO cmp_secrets (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        );
        let terms = &secret.terms;
        let values = params![
            secret.id.as_str(),
            secret.endpoint.as_str(),
            &secret.reference,
            &secret.name,
            &secret.sealed_secret,
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

    /// The secret with that id, revoked and expired ones included.
    pub async fn find_cmp_secret(
        &mut self,
        id: &CmpSecretId,
    ) -> Result<Option<CmpSecret>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM cmp_secrets WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The secret of an endpoint with that reference, revoked and expired ones included.
    pub async fn find_cmp_secret_by_reference(
        &mut self,
        endpoint: &EntryPointId,
        reference: &str,
    ) -> Result<Option<CmpSecret>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cmp_secrets WHERE endpoint_id = $1 AND reference = $2"
        );
        let row = self
            .query_opt(sql, params![endpoint.as_str(), reference])
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The secrets of the teams that are seen, newest first; of one endpoint or of all.
    pub async fn list_cmp_secrets(
        &mut self,
        endpoint: Option<&EntryPointId>,
        visible: &Visibility,
        after: Option<&CmpSecretId>,
        limit: u32,
    ) -> Result<Vec<CmpSecret>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM cmp_secrets"))
            .visible("team_id", visible)
            .and_if("endpoint_id = ?", endpoint.map(EntryPointId::as_str))
            .and_if("id < ?", after.map(CmpSecretId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Counts one use, if the secret has one left and is in force, and answers whether it was.
    pub async fn use_cmp_secret(
        &mut self,
        id: &CmpSecretId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE cmp_secrets SET uses = uses + 1, last_used_at = $2 \
                   WHERE id = $1 AND revoked_at IS NULL AND (max_uses IS NULL OR uses < max_uses)";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }

    /// Revokes a secret, and answers whether it was in force until now.
    pub async fn revoke_cmp_secret(
        &mut self,
        id: &CmpSecretId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE cmp_secrets SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        Ok(self.execute(sql, params![id.as_str(), now]).await? == 1)
    }
}

fn read(row: &Row) -> Result<CmpSecret, StoreError> {
    Ok(CmpSecret {
        id: row.parse(0)?,
        endpoint: row.parse(1)?,
        reference: row.get(2)?,
        name: row.get(3)?,
        sealed_secret: row.get(4)?,
        terms: read_terms(row, 5)?,
    })
}
