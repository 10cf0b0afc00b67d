//! Teams, and what they own.

use domain::id::TeamId;
use domain::team::Team;
use pki::time::Timestamp;

use crate::dialect::for_update;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, name, description, created_at, updated_at"
    };
}

/// The kinds of things a team can own, as they are called, and where each is kept.
const OWNED: [(&str, &str); 8] = [
    ("certificates", "certificates"),
    ("enrollments", "enrollments"),
    ("profiles", "profiles"),
    ("ACME directories", "acme_directories"),
    ("binding keys", "eab_keys"),
    ("ACME accounts", "acme_accounts"),
    ("EST labels or SCEP services", "entry_points"),
    ("enrollment passwords", "enrollment_passwords"),
];

impl Tx<'_> {
    /// Adds a team. A second one of that name is a duplicate.
    pub async fn insert_team(&mut self, team: &Team) -> Result<(), StoreError> {
        let sql = concat!(
            "INSERT INTO teams (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5)"
        );
        let values = params![
            team.id.as_str(),
            &team.name,
            &team.description,
            team.created_at,
            team.updated_at,
        ];
        self.execute_one(sql, values).await
    }

    /// The team with that id.
    pub async fn find_team(&mut self, id: &TeamId) -> Result<Option<Team>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM teams WHERE id = $1");
        let row = self.query_opt(sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The team with that name; the row stays as it is until the transaction ends.
    pub async fn find_team_for_update(&mut self, name: &str) -> Result<Option<Team>, StoreError> {
        let sql = for_update!(concat!(
            "SELECT ",
            columns!(),
            " FROM teams WHERE name = $1"
        ));
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The team with that name.
    pub async fn find_team_by_name(&mut self, name: &str) -> Result<Option<Team>, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM teams WHERE name = $1");
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// All teams by name; there are few.
    pub async fn list_teams(&mut self) -> Result<Vec<Team>, StoreError> {
        let (sql, values) =
            List::new(concat!("SELECT ", columns!(), " FROM teams")).limit("ORDER BY name", 10_000);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// Writes what can change of a team, and answers whether it is there.
    pub async fn update_team(&mut self, team: &Team) -> Result<bool, StoreError> {
        let sql = "UPDATE teams SET description = $2, updated_at = $3 WHERE id = $1";
        let values = params![team.id.as_str(), &team.description, team.updated_at];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Deletes a team that owns nothing, with the grants in it.
    pub async fn delete_team(&mut self, id: &TeamId) -> Result<(), StoreError> {
        let sql = "DELETE FROM role_grants WHERE team_id = $1";
        self.execute(sql, params![id.as_str()]).await?;
        // Searches that were shared with it are their owners' alone again.
        let sql = "UPDATE saved_searches SET team_id = NULL WHERE team_id = $1";
        self.execute(sql, params![id.as_str()]).await?;
        let sql = "DELETE FROM teams WHERE id = $1";
        self.execute_one(sql, params![id.as_str()]).await
    }

    /// What kinds of things the team owns any of.
    pub async fn owned_by_team(&mut self, id: &TeamId) -> Result<Vec<&'static str>, StoreError> {
        let mut owned = Vec::new();
        for (name, table) in OWNED {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE team_id = $1)");
            if self.query_one(&sql, params![id.as_str()]).await?.get(0)? {
                owned.push(name);
            }
        }
        Ok(owned)
    }

    /// Gives an object to a team, or to nobody, and answers whether it is there.
    pub async fn set_owner(
        &mut self,
        object: Owned<'_>,
        team: Option<&TeamId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let team = team.map(TeamId::as_str);
        let changed = match object {
            Owned::Certificate(id) => {
                self.uncount_certificate(id).await?;
                let sql = "UPDATE certificates SET team_id = $2 WHERE id = $1";
                let changed = self.execute(sql, params![id, team]).await?;
                self.recount_certificate(id).await?;
                changed
            }
            // All versions: the team owns the profile, not one state of it.
            Owned::Profile(id) => {
                let sql = "UPDATE profiles SET team_id = $2 WHERE id = $1";
                self.execute(sql, params![id, team]).await?
            }
            Owned::Directory(id) => {
                let sql = "UPDATE acme_accounts SET team_id = $2 WHERE directory_id = $1 \
                           AND (eab_key_id IS NULL OR eab_key_id NOT IN \
                           (SELECT id FROM eab_keys WHERE team_id IS NOT NULL))";
                self.execute(sql, params![id, team]).await?;
                let sql = "UPDATE acme_directories SET team_id = $2, updated_at = $3 WHERE id = $1";
                self.execute(sql, params![id, team, now]).await?
            }
            Owned::EabKey(id) => {
                let sql = "UPDATE acme_accounts SET team_id = COALESCE($2, \
                           (SELECT d.team_id FROM acme_directories d \
                           WHERE d.id = acme_accounts.directory_id)) WHERE eab_key_id = $1";
                self.execute(sql, params![id, team]).await?;
                let sql = "UPDATE eab_keys SET team_id = $2 WHERE id = $1";
                self.execute(sql, params![id, team]).await?
            }
        };
        Ok(changed > 0)
    }
}

/// What can be given from one team to another, by its id. ACME accounts go with their binding key,
/// or else with their directory.
#[derive(Clone, Copy, Debug)]
pub enum Owned<'a> {
    Certificate(&'a str),
    Profile(&'a str),
    Directory(&'a str),
    EabKey(&'a str),
}

fn read(row: &Row) -> Result<Team, StoreError> {
    Ok(Team {
        id: row.parse(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
    })
}
