//! Entry points of EST and SCEP.

use domain::enrolling::{EntryPoint, EntryPointSpec, Protocol};
use domain::id::{EntryPointId, TeamId};

use crate::codec::{json, word};
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, protocol, name, spec, team_id, created_at, updated_at"
    };
}

impl Tx<'_> {
    /// Adds an entry point.
    pub async fn insert_entry_point(&mut self, point: &EntryPoint) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO entry_points (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
        );
        let values = params![
            point.id.as_str(),
            word(&point.spec.protocol())?,
            &point.name,
            spec(&point.spec)?,
            point.team_id.as_ref().map(TeamId::as_str),
            point.created_at,
            point.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The entry point with that id.
    pub async fn find_entry_point(
        &mut self,
        id: &EntryPointId,
    ) -> Result<Option<EntryPoint>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM entry_points WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The entry point of that protocol and name.
    pub async fn find_entry_point_by_name(
        &mut self,
        protocol: Protocol,
        name: &str,
    ) -> Result<Option<EntryPoint>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM entry_points WHERE protocol = $1 AND name = $2"
        );
        let row = self.query_opt(sql, params![word(&protocol)?, name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All entry points of a protocol by name; there are few.
    pub async fn list_entry_points(
        &mut self,
        protocol: Protocol,
    ) -> Result<Vec<EntryPoint>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM entry_points WHERE protocol = $1 ORDER BY name LIMIT 10000"
        );
        let rows = self.query(sql, params![word(&protocol)?]).await?;
        rows.iter().map(read).collect()
    }

    /// Writes the rules, and answers whether the entry point is there.
    pub async fn update_entry_point(&mut self, point: &EntryPoint) -> Result<bool, StoreError> {
        let sql = "UPDATE entry_points SET spec = $2, updated_at = $3 WHERE id = $1";
        let values = params![point.id.as_str(), spec(&point.spec)?, point.updated_at];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Removes an entry point with its passwords and what clients asked for there, and answers whether it
    /// was there.
    pub async fn delete_entry_point(&mut self, id: &EntryPointId) -> Result<bool, StoreError> {
        for sql in [
            "DELETE FROM enrollment_passwords WHERE entry_point_id = $1",
            "DELETE FROM client_requests WHERE entry_point_id = $1",
            "DELETE FROM ra_certificates WHERE entry_point_id = $1",
        ] {
            self.execute(sql, params![id.as_str()]).await?;
        }
        let sql = "DELETE FROM entry_points WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn spec(spec: &EntryPointSpec) -> Result<String, StoreError> {
    match spec {
        EntryPointSpec::Est(rules) => json(rules),
        EntryPointSpec::Scep(rules) => json(rules),
    }
}

fn read(row: &Row) -> Result<EntryPoint, StoreError> {
    Ok(EntryPoint {
        id: row.parse(0)?,
        name: row.get(2)?,
        spec: match row.word(1)? {
            Protocol::Est => EntryPointSpec::Est(row.json(3)?),
            Protocol::Scep => EntryPointSpec::Scep(row.json(3)?),
        },
        team_id: row.parse_opt(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}
