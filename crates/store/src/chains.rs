//! Chains of issuers, each stored once.

use domain::certificate::{Chain, ChainId};

use crate::{StoreError, Tx, params};

impl Tx<'_> {
    /// Stores a chain unless it is there, and answers what it is stored under.
    pub async fn put_chain(&mut self, chain: &Chain) -> Result<ChainId, StoreError> {
        let id = chain.id();
        let sql = "INSERT INTO chains (id, pem) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
        self.execute(sql, params![id.0.to_string(), chain.to_pem()])
            .await?;
        Ok(id)
    }

    /// The chain stored under that id.
    pub async fn find_chain(&mut self, id: &ChainId) -> Result<Option<Chain>, StoreError> {
        let sql = "SELECT pem FROM chains WHERE id = $1";
        let Some(row) = self.query_opt(sql, params![id.0.to_string()]).await? else {
            return Ok(None);
        };
        let chain = Chain::try_from(row.get::<String>(0)?);
        chain.map(Some).map_err(|error| row.unreadable(0, &error))
    }
}
