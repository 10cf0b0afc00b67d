//! Teams: made, described, deleted once they own nothing.

use domain::id::TeamId;
use domain::permission::Permission;
use domain::team::Team;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::AccessError;
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::operator::{Expected, version_after};

impl Lifecycle {
    /// Every team, by name.
    pub async fn teams(&self) -> Result<Vec<Team>, StoreError> {
        self.store
            .read("team.list", |tx| {
                Box::pin(async move { tx.list_teams().await })
            })
            .await
    }

    /// The team of that name.
    pub async fn team(&self, name: &str) -> Result<Option<Team>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("team.find", |tx| {
                Box::pin(async move { tx.find_team_by_name(&name).await })
            })
            .await
    }

    /// Makes a team, or changes what is said about the one of that name, if it is as expected.
    /// Making one takes the right to administer access everywhere.
    pub async fn put_team(
        &self,
        name: String,
        description: String,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Team, AccessError> {
        if !is_slug(&name) {
            return Err(AccessError::BadName(name.chars().take(80).collect()));
        }
        let now = self.now();
        let fresh = Team {
            id: TeamId::mint(now, &*self.random),
            name,
            description,
            created_at: now,
            updated_at: now,
        };
        let mut event = self.event(caller, "team.created", fresh.id.as_str(), json!({}));
        let rights = caller.rights.clone();
        self.store
            .write("team.put", move |tx| {
                Box::pin(async move {
                    let known = tx.find_team_for_update(&fresh.name).await?;
                    if !expected.agrees(known.as_ref().map(|team| &team.updated_at)) {
                        return Err(AccessError::Changed);
                    }
                    require(&rights, known.as_ref().map(|team| &team.id))?;
                    let team = match known {
                        None => {
                            tx.insert_team(&fresh).await?;
                            event.data = json!({ "after": shown(&fresh) });
                            fresh
                        }
                        Some(known) => {
                            let team = changed(&known, fresh);
                            tx.update_team(&team).await?;
                            event.name = "team.changed".to_owned();
                            team.id.as_str().clone_into(&mut event.object);
                            event.data = json!({ "before": shown(&known), "after": shown(&team) });
                            team
                        }
                    };
                    tx.insert_event(&event).await?;
                    Ok(team)
                })
            })
            .await
    }

    /// Deletes a team that owns nothing any more, and the grants that were made in it.
    pub async fn delete_team(&self, name: &str, caller: &Caller) -> Result<(), AccessError> {
        let mut event = self.event(caller, "team.deleted", name, json!({}));
        let (name, rights) = (name.to_owned(), caller.rights.clone());
        self.store
            .write("team.delete", move |tx| {
                Box::pin(async move {
                    let team = tx.find_team_for_update(&name).await?;
                    let team = team.ok_or(AccessError::NoSuchTeam(name))?;
                    require(&rights, None)?;
                    let owned = tx.owned_by_team(&team.id).await?;
                    if !owned.is_empty() {
                        return Err(AccessError::TeamOwns(owned));
                    }
                    tx.delete_team(&team.id).await?;
                    team.id.as_str().clone_into(&mut event.object);
                    event.data = json!({ "before": shown(&team) });
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(())
    }
}

fn require(rights: &domain::access::Rights, team: Option<&TeamId>) -> Result<(), AccessError> {
    match rights.allows(Permission::AccessAdminister, team) {
        true => Ok(()),
        false => Err(AccessError::Forbidden(Permission::AccessAdminister)),
    }
}

fn changed(known: &Team, fresh: Team) -> Team {
    Team {
        id: known.id.clone(),
        created_at: known.created_at,
        updated_at: version_after(known.updated_at, fresh.updated_at),
        ..fresh
    }
}

fn shown(team: &Team) -> serde_json::Value {
    json!({ "name": team.name, "description": team.description })
}
