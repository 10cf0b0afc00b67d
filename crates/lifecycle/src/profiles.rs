//! Profiles by name, remembered for a second, and by version, which never changes.

use std::sync::Arc;

use domain::access::Rights;
use domain::id::ProfileId;
use domain::permission::Permission;
use domain::profile::{Profile, ProfileSpec};
use moka::sync::Cache;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;
use crate::remembered::Remembered;

/// Profiles by name, whose short life is what carries a change to other nodes, and versions, which
/// keep the expressions that were compiled for them.
pub(crate) struct ProfileCache {
    current: Remembered<String, Arc<Profile>>,
    versions: Cache<(ProfileId, u32), Arc<Profile>>,
}

impl ProfileCache {
    pub(crate) fn new() -> Self {
        Self {
            current: Remembered::for_a_second(1_000),
            versions: Cache::builder().max_capacity(1_000).build(),
        }
    }

    /// The one value of that version in this process; only its owner may be another than before.
    fn share(&self, profile: Profile) -> Arc<Profile> {
        let key = (profile.id.clone(), profile.version);
        if let Some(known) = self.versions.get(&key)
            && known.team_id == profile.team_id
        {
            return known;
        }
        let profile = Arc::new(profile);
        self.versions.insert(key, Arc::clone(&profile));
        profile
    }

    pub(crate) fn forget(&self, name: &str) {
        self.current.forget(name);
    }
}

impl Lifecycle {
    /// The current version of a profile.
    pub async fn profile(&self, name: &str) -> Result<Option<Arc<Profile>>, StoreError> {
        let read = self.store.read("profile.find", |tx| {
            let wanted = name.to_owned();
            Box::pin(async move { tx.find_profile(&wanted).await })
        });
        let found = async { Ok(read.await?.map(|profile| self.profiles.share(profile))) };
        self.profiles.current.get_or_read(name, found).await
    }

    /// The same where its team is seen: a profile of a team that is not is as good as none.
    pub(crate) async fn visible_profile(
        &self,
        name: &str,
        rights: &Rights,
    ) -> Result<Option<Arc<Profile>>, StoreError> {
        let visible = rights.visible(Permission::PolicyRead);
        let profile = self.profile(name).await?;
        Ok(profile.filter(|profile| visible.shows_shared(profile.team_id.as_ref())))
    }

    /// One version of a profile, current or not.
    pub async fn profile_version(
        &self,
        id: &ProfileId,
        version: u32,
    ) -> Result<Option<Arc<Profile>>, StoreError> {
        if let Some(profile) = self.profiles.versions.get(&(id.clone(), version)) {
            return Ok(Some(profile));
        }
        let wanted = id.clone();
        let found = self
            .store
            .read("profile.version", |tx| {
                Box::pin(async move { tx.find_profile_version(&wanted, version).await })
            })
            .await?;
        Ok(found.map(|profile| self.profiles.share(profile)))
    }

    /// The versions of a profile, newest first.
    pub async fn profile_versions(
        &self,
        id: &ProfileId,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreError> {
        let id = id.clone();
        self.store
            .scan("profile.versions", move |tx| {
                Box::pin(async move { tx.list_profile_versions(&id, before, limit).await })
            })
            .await
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
        let data = json!({ "name": name, "after": spec });
        let mut event = self.event(caller, "profile.changed", &name, data);
        let cached = name.clone();
        let profile = self
            .store
            .write("profile.put", move |tx| {
                Box::pin(async move {
                    let previous = tx.find_profile(&name).await?;
                    event.note("before", previous.as_ref().map(|previous| &previous.spec));
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
        self.profiles.forget(&cached);
        Ok(profile)
    }
}
