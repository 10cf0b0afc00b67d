//! Roles that operators make.

use domain::access::CustomRole;
use domain::id::RoleId;

use crate::codec::json;
use crate::dialect::for_update;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, description, permissions, created_at, updated_at"
    };
}

impl Tx<'_> {
    /// Adds a role. A second one of that name is a duplicate.
    pub async fn insert_custom_role(&mut self, role: &CustomRole) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO custom_roles (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6)"
        );
        let values = params![
            role.id.as_str(),
            &role.name,
            &role.description,
            json(&role.permissions)?,
            role.created_at,
            role.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The role with that name; the row stays as it is until the transaction ends.
    pub async fn find_custom_role_for_update(
        &mut self,
        name: &str,
    ) -> Result<Option<CustomRole>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM custom_roles WHERE name = $1"
        ));
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All roles that operators made, by name; there are few.
    pub async fn list_custom_roles(&mut self) -> Result<Vec<CustomRole>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM custom_roles ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }

    /// Writes what can change of a role, and answers whether it is there.
    pub async fn update_custom_role(&mut self, role: &CustomRole) -> Result<bool, StoreError> {
        let sql = "UPDATE custom_roles SET description = $2, permissions = $3, updated_at = $4 \
                   WHERE id = $1";
        let values = params![
            role.id.as_str(),
            &role.description,
            json(&role.permissions)?,
            role.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Deletes a role, and answers whether it was there.
    pub async fn delete_custom_role(&mut self, id: &RoleId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM custom_roles WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }
}

fn read(row: &Row) -> Result<CustomRole, StoreError> {
    Ok(CustomRole {
        id: row.parse(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        permissions: row.json(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
