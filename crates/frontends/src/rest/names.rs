//! Names for the ids that nouns point at each other with, and ids for names.

use std::collections::HashMap;

use domain::id::{DirectoryId, IssuerId, ProfileId};
use lifecycle::Lifecycle;

use super::failure::Failure;

/// The names of issuers, profiles and directories; there are few of each.
pub(crate) struct Names {
    issuers: HashMap<IssuerId, String>,
    profiles: HashMap<ProfileId, String>,
    directories: HashMap<DirectoryId, String>,
}

impl Names {
    pub(crate) async fn load(lifecycle: &Lifecycle) -> Result<Self, Failure> {
        let issuers = lifecycle.list_issuers().await?;
        let profiles = lifecycle.profiles().await?;
        let directories = lifecycle.list_directories().await?;
        Ok(Self {
            issuers: issuers.into_iter().map(|i| (i.id, i.name)).collect(),
            profiles: profiles.into_iter().map(|p| (p.id, p.name)).collect(),
            directories: directories.into_iter().map(|d| (d.id, d.name)).collect(),
        })
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn issuer(&self, id: &IssuerId) -> String {
        let name = self.issuers.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn profile(&self, id: &ProfileId) -> String {
        let name = self.profiles.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn directory(&self, id: &DirectoryId) -> String {
        let name = self.directories.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn issuer_id(&self, name: &str) -> Result<IssuerId, Failure> {
        find(&self.issuers, "issuer", name)
    }

    pub(crate) fn profile_id(&self, name: &str) -> Result<ProfileId, Failure> {
        find(&self.profiles, "profile", name)
    }

    pub(crate) fn directory_id(&self, name: &str) -> Result<DirectoryId, Failure> {
        find(&self.directories, "directory", name)
    }
}

/// A filter that names nothing would find nothing, and hide that it is misspelt.
fn find<I: Clone>(names: &HashMap<I, String>, kind: &str, wanted: &str) -> Result<I, Failure> {
    let found = names.iter().find(|(_, name)| *name == wanted);
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let mut known: Vec<&str> = names.values().map(String::as_str).collect();
        known.sort_unstable();
        Failure::invalid(format!(
            "there is no {kind} `{}`; there are: {}",
            wanted.chars().take(80).collect::<String>(),
            known.join(", ")
        ))
    })
}
