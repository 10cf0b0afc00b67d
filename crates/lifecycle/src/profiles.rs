//! Profiles by name, remembered for a second.

use std::sync::Arc;
use std::time::Duration;

use domain::id::ProfileId;
use domain::profile::{Profile, ProfileSpec};
use moka::sync::Cache;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// Profiles by name. The short life is what carries a change to other nodes.
pub(crate) struct ProfileCache(Cache<String, Arc<Profile>>);

impl ProfileCache {
    pub(crate) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(1_000)
                .time_to_live(Duration::from_secs(1))
                .build(),
        )
    }

    pub(crate) fn forget(&self, name: &str) {
        self.0.invalidate(name);
    }
}

impl Lifecycle {
    /// The current version of a profile.
    pub async fn profile(&self, name: &str) -> Result<Option<Arc<Profile>>, StoreError> {
        if let Some(profile) = self.profiles.0.get(name) {
            return Ok(Some(profile));
        }
        let wanted = name.to_owned();
        let found = self
            .store
            .read("profile.find", |tx| {
                Box::pin(async move { tx.find_profile(&wanted).await })
            })
            .await?
            .map(Arc::new);
        if let Some(profile) = &found {
            self.profiles.0.insert(name.to_owned(), Arc::clone(profile));
        }
        Ok(found)
    }

    /// The current version of every profile.
    pub async fn profiles(&self) -> Result<Vec<Profile>, StoreError> {
        self.store
            .scan("profile.list", |tx| {
                Box::pin(async move { tx.list_profiles().await })
            })
            .await
    }

    /// Stores a profile: a new one, or a new version of the one with that name.
    pub async fn put_profile(
        &self,
        name: String,
        spec: ProfileSpec,
        caller: &Caller,
    ) -> Result<Profile, StoreError> {
        let now = self.now();
        let fresh = ProfileId::mint(now, &*self.random);
        let event = self.event(caller, "profile.changed", &name, json!({ "name": name }));
        let cached = name.clone();
        let profile = self
            .store
            .write("profile.put", move |tx| {
                Box::pin(async move {
                    let previous = tx.find_profile(&name).await?;
                    let profile = Profile {
                        id: previous.as_ref().map_or(fresh, |p| p.id.clone()),
                        name,
                        team_id: previous.as_ref().and_then(|p| p.team_id.clone()),
                        version: previous.map_or(1, |p| p.version + 1),
                        spec,
                        created_at: now,
                    };
                    tx.insert_profile(&profile).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, StoreError>(profile)
                })
            })
            .await?;
        self.profiles.0.invalidate(&cached);
        Ok(profile)
    }
}
