//! Profiles in all their versions; one version of each is current.

use domain::id::{ProfileId, TeamId};
use domain::profile::Profile;

use crate::codec::json;
use crate::list::List;
use crate::{Row, StoreError, Tx, params};

macro_rules! columns {
    () => {
        "id, version, name, spec, created_at, team_id"
    };
}

impl Tx<'_> {
    /// Adds a version, which becomes the current one.
    pub async fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreError> {
        let retire = "UPDATE profiles SET is_current = 0 WHERE id = $1 AND is_current = 1";
        self.execute(retire, params![profile.id.as_str()]).await?;
        let sql = concat!(
            "INSERT INTO profiles (",
            columns!(),
            ", is_current) VALUES ($1, $2, $3, $4, $5, $6, 1)"
        );
        let values = params![
            profile.id.as_str(),
            profile.version,
            &profile.name,
            json(&profile.spec)?,
            profile.created_at,
            profile.team_id.as_ref().map(TeamId::as_str),
        ];
        self.execute_one(sql, values).await
    }

    /// The current version of the profile with that name.
    pub async fn find_profile(&mut self, name: &str) -> Result<Option<Profile>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE name = $1 AND is_current = 1"
        );
        let row = self.query_opt(sql, params![name]).await?;
        row.as_ref().map(read).transpose()
    }

    /// One version of a profile, current or not.
    pub async fn find_profile_version(
        &mut self,
        id: &ProfileId,
        version: u32,
    ) -> Result<Option<Profile>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE id = $1 AND version = $2"
        );
        let row = self.query_opt(sql, params![id.as_str(), version]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The versions of a profile, newest first.
    pub async fn list_profile_versions(
        &mut self,
        id: &ProfileId,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreError> {
        let (sql, values) = List::new(concat!("SELECT ", columns!(), " FROM profiles"))
            .and_if("id = ?", Some(id.as_str()))
            .and_if("version < ?", before)
            .limit("ORDER BY version DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }

    /// The current version of every profile by name; there are few.
    pub async fn list_profiles(&mut self) -> Result<Vec<Profile>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE is_current = 1 ORDER BY name LIMIT 10000"
        );
        self.query(sql, params![]).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Profile, StoreError> {
    Ok(Profile {
        id: row.parse(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        spec: row.json(3)?,
        created_at: row.get(4)?,
        team_id: row.parse_opt(5)?,
    })
}
