//! ACME directories.

use domain::acme::directory::Directory;
use domain::id::{DirectoryId, TeamId};

use crate::codec::json;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, created_at, spec, updated_at, team_id"
    };
}

impl Tx<'_> {
    /// Adds a directory.
    pub async fn insert_directory(&mut self, directory: &Directory) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO acme_directories (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            directory.id.as_str(),
            &directory.name,
            directory.created_at,
            json(&directory.spec)?,
            directory.updated_at,
            directory.team_id.as_ref().map(TeamId::as_str),
        ];
        self.execute_one(sql, values).await
    }

    /// The directory with that id.
    pub async fn find_directory(
        &mut self,
        id: &DirectoryId,
    ) -> Result<Option<Directory>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_directories WHERE id = $1"
        );
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The directory with that name.
    pub async fn find_directory_by_name(
        &mut self,
        name: &str,
    ) -> Result<Option<Directory>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_directories WHERE name = $1"
        );
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All directories by name; there are few.
    pub async fn list_directories(&mut self) -> Result<Vec<Directory>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM acme_directories ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Writes name and rules, and answers whether the directory is there.
    pub async fn update_directory(&mut self, directory: &Directory) -> Result<bool, StoreError> {
        let sql = "UPDATE acme_directories SET name = $2, spec = $3, updated_at = $4 WHERE id = $1";
        let values = params![
            directory.id.as_str(),
            &directory.name,
            json(&directory.spec)?,
            directory.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }
}

fn read(row: &Row) -> Result<Directory, StoreError> {
    Ok(Directory {
        id: row.parse(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        spec: row.json(3)?,
        updated_at: row.get(4)?,
        team_id: row.parse_opt(5)?,
    })
}
