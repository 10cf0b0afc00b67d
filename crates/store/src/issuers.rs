//! Configured CAs.

use domain::certificate::Chain;
use domain::id::IssuerId;
use domain::issuer::Issuer;

use crate::codec::{json, word};
use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, connector, created_at, state, metadata_fields, secrets, remote_chain, updated_at, limits"
    };
}

impl Tx<'_> {
    /// Adds an issuer.
    pub async fn insert_issuer(&mut self, issuer: &Issuer) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO issuers (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let values = params![
            issuer.id.as_str(),
            &issuer.name,
            json(&issuer.connector)?,
            issuer.created_at,
            word(&issuer.state)?,
            json(&issuer.metadata_fields)?,
            json(&issuer.secrets)?,
            pem(issuer),
            issuer.updated_at,
            json(&issuer.limits)?,
        ];
        self.execute_one(sql, values).await
    }

    /// The issuer with that id.
    pub async fn find_issuer(&mut self, id: &IssuerId) -> Result<Option<Issuer>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM issuers WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The issuer with that name.
    pub async fn find_issuer_by_name(&mut self, name: &str) -> Result<Option<Issuer>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM issuers WHERE name = $1");
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All issuers by name; there are few.
    pub async fn list_issuers(&mut self) -> Result<Vec<Issuer>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM issuers ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// The issuer with that id, which nobody else changes before this transaction ends.
    pub async fn find_issuer_for_update(
        &mut self,
        id: &IssuerId,
    ) -> Result<Option<Issuer>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM issuers WHERE id = $1"
        ));
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes everything but the id, and answers whether the issuer is there.
    pub async fn update_issuer(&mut self, issuer: &Issuer) -> Result<bool, StoreError> {
        let sql = "UPDATE issuers SET name = $2, connector = $3, state = $4, \
                   metadata_fields = $5, secrets = $6, remote_chain = $7, updated_at = $8, limits = $9 WHERE id = $1";
        let values = params![
            issuer.id.as_str(),
            &issuer.name,
            json(&issuer.connector)?,
            word(&issuer.state)?,
            json(&issuer.metadata_fields)?,
            json(&issuer.secrets)?,
            pem(issuer),
            issuer.updated_at,
            json(&issuer.limits)?,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }
}

fn read(row: &Row) -> Result<Issuer, StoreError> {
    Ok(Issuer {
        id: row.parse(0)?,
        name: row.get(1)?,
        connector: row.json(2)?,
        created_at: row.get(3)?,
        state: row.word(4)?,
        metadata_fields: row.json(5)?,
        secrets: row.json(6)?,
        remote_chain: chain(&row.get::<String>(7)?)?,
        updated_at: row.get(8)?,
        limits: row.json(9)?,
    })
}

fn pem(issuer: &Issuer) -> String {
    issuer.remote_chain.clone().into()
}

fn chain(pem: &str) -> Result<Chain, StoreError> {
    Chain::try_from(pem.to_owned()).map_err(|error| StoreError::Corrupt {
        cause: format!("the chain of an issuer: {error}"),
    })
}
