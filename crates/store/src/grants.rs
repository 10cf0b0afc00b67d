//! Who holds which role where.

use std::collections::HashMap;

use domain::access::{CustomRole, Grant, HeldRole, Principal, RoleRef, Scope, Visibility};
use domain::id::{GrantId, TeamId};
use domain::role::Role;
use pki::time::Timestamp;

use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, Value, params};

/// Which grants to list; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    pub visible: Visibility,
    pub principal: Option<Principal>,
    pub role: Option<RoleRef>,
    pub team: Option<TeamId>,
}

macro_rules! columns {
    () => {
        "id, principal, role, team_id, created_at"
    };
}

impl Tx<'_> {
    /// Adds a grant. The same one a second time is a duplicate.
    pub async fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO role_grants (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5)"
        );
        let values = params![
            grant.id.as_str(),
            grant.principal.as_str(),
            grant.role.as_str(),
            grant.scope.team().map(TeamId::as_str),
            grant.created_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The grant with that id.
    pub async fn find_grant(&mut self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM role_grants WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Takes a grant away, and answers whether it was there.
    pub async fn delete_grant(&mut self, id: &GrantId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM role_grants WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }

    /// Takes all grants of a principal away.
    pub async fn delete_grants_of(&mut self, principal: &Principal) -> Result<u64, StoreError> {
        let sql = "DELETE FROM role_grants WHERE principal = $1";
        self.execute(sql, params![principal.as_str()]).await
    }

    /// Grants that fit the filter, newest first.
    pub async fn list_grants(
        &mut self,
        filter: &GrantFilter,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM role_grants"))
            .visible("team_id", &filter.visible)
            .and_if(
                "principal = ?",
                filter.principal.as_ref().map(Principal::as_str),
            )
            .and_if("role = ?", filter.role.as_ref().map(RoleRef::as_str))
            .and_if("team_id = ?", filter.team.as_ref().map(TeamId::as_str))
            .and_if("id < ?", after.map(GrantId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// The grants of each of these principals, oldest first.
    pub async fn list_grants_of(
        &mut self,
        principals: &[Principal],
    ) -> Result<Vec<Grant>, StoreError> {
        let places = crate::list::placeholders(principals.len());
        let sql = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM role_grants WHERE principal IN ({}) ORDER BY id LIMIT 100000"
            ),
            places
        );
        let values: Vec<Value<'_>> = principals.iter().map(|p| p.as_str().into()).collect();
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// The roles that grants give, with what each allows. A role that is gone allows nothing.
    pub async fn held_roles(&mut self, grants: &[Grant]) -> Result<Vec<HeldRole>, StoreError> {
        let is_custom = |grant: &Grant| matches!(grant.role, RoleRef::Custom(_));
        let custom: HashMap<_, CustomRole> = match grants.iter().any(is_custom) {
            true => {
                let roles = self.list_custom_roles().await?;
                roles.into_iter().map(|r| (r.id.clone(), r)).collect()
            }
            false => HashMap::new(),
        };
        let held = grants.iter().filter_map(|grant| match &grant.role {
            RoleRef::BuiltIn(role) => Some(HeldRole::built_in(*role, grant.scope.clone())),
            RoleRef::Custom(id) => custom.get(id).map(|role| HeldRole {
                role: grant.role.clone(),
                name: role.name.clone(),
                permissions: role.permissions.clone(),
                scope: grant.scope.clone(),
            }),
        });
        Ok(held.collect())
    }

    /// How many grants give a role.
    pub async fn count_grants_of_role(&mut self, role: &RoleRef) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM role_grants WHERE role = $1";
        let row = self.query_one(sql, params![role.as_str()]).await?;
        row.get(0)
    }

    /// Keeps others from removing an administrator until the transaction ends: of two that are
    /// left, both would go.
    pub async fn lock_administrators(&mut self) -> Result<(), StoreError> {
        let sql = for_update!(
            "SELECT id FROM role_grants WHERE role = $1 AND team_id IS NULL ORDER BY id"
        );
        let values = params![Role::Administrator.as_str()];
        self.query(sql, values).await.map(drop)
    }

    /// Whether somebody is an administrator everywhere, with a credential that opens something.
    /// Asked behind a change, in its transaction.
    pub async fn has_administrator(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM role_grants g \
                   LEFT JOIN api_tokens t ON t.id = g.principal \
                   LEFT JOIN users u ON u.id = g.principal \
                   WHERE g.role = $1 AND g.team_id IS NULL AND (u.state = 'active' OR \
                   (t.id IS NOT NULL AND t.revoked_at IS NULL AND \
                   (t.expires_at IS NULL OR t.expires_at > $2))))";
        let values = params![Role::Administrator.as_str(), now];
        self.query_one(sql, values).await?.get(0)
    }
}

fn read(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.parse(0)?,
        principal: row.parse(1)?,
        role: row.parse(2)?,
        scope: Scope::of(row.parse_opt(3)?),
        created_at: row.get(4)?,
    })
}
