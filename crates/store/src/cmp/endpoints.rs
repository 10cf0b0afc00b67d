//! CMP endpoints.

use domain::cmp::CmpEndpoint;
use domain::id::{EntryPointId, TeamId};

use crate::codec::json;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, created_at, spec, updated_at, team_id"
    };
}

impl Tx<'_> {
    /// Adds an endpoint.
    pub async fn insert_cmp_endpoint(&mut self, endpoint: &CmpEndpoint) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO cmp_endpoints (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            endpoint.id.as_str(),
            &endpoint.name,
            endpoint.created_at,
            json(&endpoint.spec)?,
            endpoint.updated_at,
            endpoint.team_id.as_ref().map(TeamId::as_str),
        ];
        self.execute_one(sql, values).await
    }

    /// The endpoint with that name.
    pub async fn find_cmp_endpoint_by_name(
        &mut self,
        name: &str,
    ) -> Result<Option<CmpEndpoint>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM cmp_endpoints WHERE name = $1");
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The endpoint with that id.
    pub async fn find_cmp_endpoint(
        &mut self,
        id: &EntryPointId,
    ) -> Result<Option<CmpEndpoint>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM cmp_endpoints WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All endpoints by name; there are few.
    pub async fn list_cmp_endpoints(&mut self) -> Result<Vec<CmpEndpoint>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cmp_endpoints ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Writes the rules, and answers whether the endpoint is there.
    pub async fn update_cmp_endpoint(
        &mut self,
        endpoint: &CmpEndpoint,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE cmp_endpoints SET spec = $2, updated_at = $3 WHERE id = $1";
        let values = params![
            endpoint.id.as_str(),
            json(&endpoint.spec)?,
            endpoint.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Deletes an endpoint with its secrets, and answers whether it was there.
    pub async fn delete_cmp_endpoint(&mut self, id: &EntryPointId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM cmp_secrets WHERE endpoint_id = $1";
        self.execute(sql, params![id.as_str()]).await?;
        let sql = "DELETE FROM cmp_endpoints WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<CmpEndpoint, StoreError> {
    Ok(CmpEndpoint {
        id: row.parse(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        spec: row.json(3)?,
        updated_at: row.get(4)?,
        team_id: row.parse_opt(5)?,
    })
}
