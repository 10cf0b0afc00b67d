//! What connectors remember, sealed, by issuer and name.

use domain::id::IssuerId;
use pki::time::Timestamp;

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// The sealed text of that name.
    pub async fn find_connector_state(
        &mut self,
        issuer: &IssuerId,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT sealed FROM connector_state WHERE issuer_id = $1 AND name = $2";
        let row = self.query_opt(sql, params![issuer.as_str(), name]).await?;
        row.map(|row| row.get(0)).transpose()
    }

    /// Writes a sealed text, in the place of what was there.
    pub async fn put_connector_state(
        &mut self,
        issuer: &IssuerId,
        name: &str,
        sealed: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO connector_state (issuer_id, name, sealed, updated_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (issuer_id, name) \
                   DO UPDATE SET sealed = $3, updated_at = $4";
        self.execute_one(sql, params![issuer.as_str(), name, sealed, now])
            .await
    }

    /// Writes a sealed text unless there is one, and answers whether there was none.
    pub async fn insert_connector_state_if_absent(
        &mut self,
        issuer: &IssuerId,
        name: &str,
        sealed: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO connector_state (issuer_id, name, sealed, updated_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (issuer_id, name) DO NOTHING";
        let values = params![issuer.as_str(), name, sealed, now];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Forgets a text.
    pub async fn delete_connector_state(
        &mut self,
        issuer: &IssuerId,
        name: &str,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM connector_state WHERE issuer_id = $1 AND name = $2";
        self.execute(sql, params![issuer.as_str(), name])
            .await
            .map(drop)
    }
}
