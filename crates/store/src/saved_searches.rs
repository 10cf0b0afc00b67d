//! Searches that people keep, for themselves or for a team.

use domain::access::Visibility;
use domain::id::{SavedSearchId, TeamId};
use domain::search::SavedSearch;

use crate::codec::json;
use crate::list::List;
use crate::{Row, StoreError, Tx, Value, params};

const COLUMNS: &str = "id, owner, team_id, name, created_at, search, updated_at";

impl Tx<'_> {
    /// Adds a search. A second one of its owner with the same name is a duplicate.
    pub async fn insert_saved_search(&mut self, search: &SavedSearch) -> Result<(), StoreError> {
        let sql =
            format!("INSERT INTO saved_searches ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
        let values = params![
            search.id.as_str(),
            search.owner.to_string(),
            search.team.as_ref().map(TeamId::as_str),
            &search.name,
            search.created_at,
            json(&search.parameters)?,
            search.updated_at,
        ];
        self.execute_one(&sql, values).await
    }

    /// Writes what can change, and answers whether the search is there.
    pub async fn update_saved_search(&mut self, search: &SavedSearch) -> Result<bool, StoreError> {
        let sql = "UPDATE saved_searches SET team_id = $2, name = $3, search = $4, updated_at = $5 \
                   WHERE id = $1";
        let values = params![
            search.id.as_str(),
            search.team.as_ref().map(TeamId::as_str),
            &search.name,
            json(&search.parameters)?,
            search.updated_at,
        ];
        Ok(self.execute(sql, values).await? == 1)
    }

    /// Forgets a search, and answers whether it was there.
    pub async fn delete_saved_search(&mut self, id: &SavedSearchId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM saved_searches WHERE id = $1";
        Ok(self.execute(sql, params![id.as_str()]).await? == 1)
    }

    /// The search with that id.
    pub async fn find_saved_search(
        &mut self,
        id: &SavedSearchId,
    ) -> Result<Option<SavedSearch>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM saved_searches WHERE id = $1");
        let row = self.query_opt(&sql, params![id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// How many searches somebody keeps.
    pub async fn count_saved_searches(&mut self, owner: &str) -> Result<u32, StoreError> {
        let sql = "SELECT count(*) FROM saved_searches WHERE owner = $1";
        self.query_one(sql, params![owner]).await?.get(0)
    }

    /// Own searches and those shared with teams that are seen, newest first.
    pub async fn list_saved_searches(
        &mut self,
        owner: Option<&str>,
        visible: &Visibility,
        after: Option<&SavedSearchId>,
        limit: u32,
    ) -> Result<Vec<SavedSearch>, StoreError> {
        // Whoever sees everything sees all that is shared; what somebody keeps alone, nobody else does.
        let mut values: Vec<Value<'_>> = vec![owner.unwrap_or_default().into()];
        let condition = match visible {
            Visibility::All => "(owner = ? OR team_id IS NOT NULL)".to_owned(),
            Visibility::Teams(teams) => {
                values.extend(teams.iter().map(|team| Value::from(team.as_str())));
                let places = vec!["?"; teams.len()].join(", ");
                match teams.is_empty() {
                    true => "owner = ?".to_owned(),
                    false => format!("(owner = ? OR team_id IN ({places}))"),
                }
            }
        };
        let (sql, values) = List::new(&format!("SELECT {COLUMNS} FROM saved_searches"))
            .and_values(&condition, values)
            .and_if("id < ?", after.map(SavedSearchId::as_str))
            .limit("ORDER BY id DESC", limit);
        self.query(&sql, &values).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<SavedSearch, StoreError> {
    Ok(SavedSearch {
        id: row.parse(0)?,
        owner: row.parse(1)?,
        team: row.parse_opt(2)?,
        name: row.get(3)?,
        created_at: row.get(4)?,
        parameters: row.json(5)?,
        updated_at: row.get(6)?,
    })
}
