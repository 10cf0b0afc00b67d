//! Searches that people keep, for themselves or for a team.

use std::collections::BTreeMap;

use domain::access::{Principal, Visibility};
use domain::id::{SavedSearchId, TeamId};
use domain::permission::Permission;
use domain::search::SavedSearch;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// Why a search is not kept or changed.
#[derive(Debug, thiserror::Error)]
pub enum SavedSearchError {
    #[error("searches are kept by users and tokens; sign in as one")]
    NoOwner,
    #[error("there is no saved search {0} that you may change")]
    Unknown(SavedSearchId),
    #[error("a name of 1 to 100 characters is needed")]
    Name,
    #[error("you keep a search of this name already; change that one, or choose another name")]
    NameTaken,
    #[error("you keep {MOST} searches, which is the most; delete some")]
    TooMany,
    #[error("a search is shared with a team whose certificates you see yourself")]
    ForeignTeam,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person decides about a search.
#[derive(Clone, Debug)]
pub struct SearchSpec {
    pub name: String,
    pub team: Option<TeamId>,
    /// Parameters of the list of certificates.
    pub parameters: BTreeMap<String, String>,
}

const MOST: u32 = 200;

impl Lifecycle {
    /// Keeps a search.
    pub async fn create_saved_search(
        &self,
        spec: SearchSpec,
        caller: &Caller,
    ) -> Result<SavedSearch, SavedSearchError> {
        check(&spec, caller)?;
        let now = self.now();
        let search = SavedSearch {
            id: SavedSearchId::mint(now, &*self.random),
            owner: Principal::of(&caller.actor).ok_or(SavedSearchError::NoOwner)?,
            team: spec.team,
            name: spec.name,
            parameters: spec.parameters,
            created_at: now,
            updated_at: now,
        };
        let event = self.event(
            caller,
            "saved_search.created",
            search.id.as_str(),
            json!({ "after": told(&search) }),
        );
        let stored = search.clone();
        let written = self
            .store
            .write("saved_search.create", move |tx| {
                Box::pin(async move {
                    if tx.count_saved_searches(stored.owner.as_str()).await? >= MOST {
                        return Err(SavedSearchError::TooMany);
                    }
                    tx.insert_saved_search(&stored).await?;
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await;
        written.map_err(name_taken)?;
        Ok(search)
    }

    /// Changes an own search.
    pub async fn replace_saved_search(
        &self,
        id: &SavedSearchId,
        spec: SearchSpec,
        caller: &Caller,
    ) -> Result<SavedSearch, SavedSearchError> {
        check(&spec, caller)?;
        let before = self.own_search(id, caller).await?;
        let mut search = before.clone();
        search.team = spec.team;
        search.name = spec.name;
        search.parameters = spec.parameters;
        search.updated_at = self.now();
        let event = self.event(
            caller,
            "saved_search.changed",
            search.id.as_str(),
            json!({ "before": told(&before), "after": told(&search) }),
        );
        let stored = search.clone();
        let written = self
            .store
            .write("saved_search.replace", move |tx| {
                Box::pin(async move {
                    if !tx.update_saved_search(&stored).await? {
                        return Err(SavedSearchError::Unknown(stored.id));
                    }
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await;
        written.map_err(name_taken)?;
        Ok(search)
    }

    /// Forgets an own search.
    pub async fn delete_saved_search(
        &self,
        id: &SavedSearchId,
        caller: &Caller,
    ) -> Result<(), SavedSearchError> {
        let search = self.own_search(id, caller).await?;
        let event = self.event(
            caller,
            "saved_search.deleted",
            search.id.as_str(),
            json!({ "before": told(&search) }),
        );
        self.store
            .write("saved_search.delete", move |tx| {
                Box::pin(async move {
                    if !tx.delete_saved_search(&search.id).await? {
                        return Err(SavedSearchError::Unknown(search.id));
                    }
                    Ok(tx.insert_event(&event).await?)
                })
            })
            .await
    }

    /// A search that the caller keeps or that is shared with it.
    pub async fn saved_search(
        &self,
        id: &SavedSearchId,
        caller: &Caller,
    ) -> Result<Option<SavedSearch>, StoreError> {
        let wanted = id.clone();
        let found = self
            .store
            .read("saved_search.find", |tx| {
                Box::pin(async move { tx.find_saved_search(&wanted).await })
            })
            .await?;
        let owner = Principal::of(&caller.actor);
        let visible = caller.rights.visible(Permission::CertificatesRead);
        Ok(found.filter(|search| {
            let is_shared = search.team.is_some() && visible.shows(search.team.as_ref());
            is_shared || Some(&search.owner) == owner.as_ref()
        }))
    }

    /// Searches that the caller keeps or that are shared with it, newest first.
    pub async fn list_saved_searches(
        &self,
        caller: &Caller,
        after: Option<SavedSearchId>,
        limit: u32,
    ) -> Result<Vec<SavedSearch>, StoreError> {
        let owner = Principal::of(&caller.actor);
        let visible: Visibility = caller.rights.visible(Permission::CertificatesRead);
        self.store
            .scan("saved_search.list", move |tx| {
                Box::pin(async move {
                    let owner = owner.as_ref().map(Principal::as_str);
                    tx.list_saved_searches(owner, &visible, after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    async fn own_search(
        &self,
        id: &SavedSearchId,
        caller: &Caller,
    ) -> Result<SavedSearch, SavedSearchError> {
        let found = self.saved_search(id, caller).await?;
        let owner = Principal::of(&caller.actor);
        found
            .filter(|search| Some(&search.owner) == owner.as_ref())
            .ok_or_else(|| SavedSearchError::Unknown(id.clone()))
    }
}

fn check(spec: &SearchSpec, caller: &Caller) -> Result<(), SavedSearchError> {
    if !(1..=100).contains(&spec.name.trim().chars().count()) {
        return Err(SavedSearchError::Name);
    }
    let sees = |team: &TeamId| {
        caller
            .rights
            .allows(Permission::CertificatesRead, Some(team))
    };
    match spec.team.as_ref().is_none_or(sees) {
        true => Ok(()),
        false => Err(SavedSearchError::ForeignTeam),
    }
}

fn name_taken(error: SavedSearchError) -> SavedSearchError {
    match error {
        SavedSearchError::Store(error) if error.is_duplicate() => SavedSearchError::NameTaken,
        error => error,
    }
}

fn told(search: &SavedSearch) -> serde_json::Value {
    json!({ "name": search.name, "team": search.team, "search": search.parameters })
}
