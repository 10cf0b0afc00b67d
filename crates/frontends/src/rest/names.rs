//! Names for the ids that nouns point at each other with, and ids for names.

use std::collections::HashMap;

use domain::access::{Rights, Visibility};
use domain::id::{DirectoryId, IssuerId, ProfileId, TeamId};
use domain::permission::Permission;
use domain::profile::RenewalRules;
use lifecycle::Lifecycle;

use super::failure::Failure;
use super::people::{self, People};

/// The names of issuers, profiles, directories and teams; there are few of each.
pub(crate) struct Names {
    issuers: HashMap<IssuerId, String>,
    profiles: HashMap<ProfileId, Owned>,
    renewals: HashMap<ProfileId, RenewalRules>,
    directories: HashMap<DirectoryId, Owned>,
    teams: HashMap<TeamId, String>,
    approvers: People,
}

/// The name of something, and whose it is.
struct Owned {
    name: String,
    team: Option<TeamId>,
}

impl Names {
    pub(crate) async fn load(lifecycle: &Lifecycle) -> Result<Self, Failure> {
        let issuers = lifecycle.list_issuers().await?;
        let profiles = lifecycle.profiles().await?;
        let directories = lifecycle.list_directories().await?;
        let teams = lifecycle.teams().await?;
        let rules = profiles
            .iter()
            .filter_map(|profile| profile.spec.approval.as_ref());
        let approvers = People::load(lifecycle, rules.flat_map(people::of_rule)).await?;
        let owned = |name, team| Owned { name, team };
        Ok(Self {
            issuers: issuers.into_iter().map(|i| (i.id, i.name)).collect(),
            renewals: profiles
                .iter()
                .filter_map(|profile| Some((profile.id.clone(), profile.spec.renewal?)))
                .collect(),
            profiles: profiles
                .into_iter()
                .map(|p| (p.id, owned(p.name, p.team_id)))
                .collect(),
            directories: directories
                .into_iter()
                .map(|d| (d.id, owned(d.name, d.team_id)))
                .collect(),
            teams: teams.into_iter().map(|t| (t.id, t.name)).collect(),
            approvers,
        })
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn issuer(&self, id: &IssuerId) -> String {
        let name = self.issuers.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn profile(&self, id: &ProfileId) -> String {
        let name = self.profiles.get(id).map(|owned| owned.name.clone());
        name.unwrap_or_else(|| id.to_string())
    }

    /// When certificates of the profile are to be renewed, where it says so.
    pub(crate) fn renewal_rules(&self, id: &ProfileId) -> Option<RenewalRules> {
        self.renewals.get(id).copied()
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn directory(&self, id: &DirectoryId) -> String {
        let name = self.directories.get(id).map(|owned| owned.name.clone());
        name.unwrap_or_else(|| id.to_string())
    }

    /// The name, or where there is none any more, the id.
    pub(crate) fn team(&self, id: &TeamId) -> String {
        let name = self.teams.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }

    /// Those whom the rules of profiles ask by name.
    pub(super) fn approvers(&self) -> &People {
        &self.approvers
    }

    pub(crate) fn issuer_id(&self, name: &str) -> Result<IssuerId, Failure> {
        let all = self.issuers.iter().map(|(id, name)| (id, name.as_str()));
        find(all, "issuer", name)
    }

    /// The profile of that name, if it is seen by those rights.
    pub(crate) fn profile_id(&self, name: &str, rights: &Rights) -> Result<ProfileId, Failure> {
        let visible = rights.visible(Permission::PolicyRead);
        find(seen(&self.profiles, &visible), "profile", name)
    }

    /// The directory of that name, if it is seen by those rights.
    pub(crate) fn directory_id(&self, name: &str, rights: &Rights) -> Result<DirectoryId, Failure> {
        let visible = rights.visible(Permission::AcmeRead);
        find(seen(&self.directories, &visible), "directory", name)
    }

    /// The team of that name, if the rights reach into it at all.
    pub(crate) fn team_id(&self, name: &str, rights: &Rights) -> Result<TeamId, Failure> {
        let mut roles = rights.roles().iter();
        let reaches = |id: &TeamId| roles.any(|held| held.scope.covers(Some(id)));
        let found = self.teams.iter().find(|(_, known)| *known == name);
        found
            .map(|(id, _)| id.clone())
            .filter(reaches)
            .ok_or_else(|| Failure::invalid(format!("there is no team `{}`", cut(name))))
    }
}

fn seen<'a, I>(
    names: &'a HashMap<I, Owned>,
    visible: &'a Visibility,
) -> impl Iterator<Item = (&'a I, &'a str)> + Clone {
    let seen = names
        .iter()
        .filter(|(_, owned)| visible.shows_shared(owned.team.as_ref()));
    seen.map(|(id, owned)| (id, owned.name.as_str()))
}

/// A filter that names nothing would find nothing, and hide that it is misspelt.
fn find<'a, I: Clone + 'a>(
    names: impl Iterator<Item = (&'a I, &'a str)> + Clone,
    kind: &str,
    wanted: &str,
) -> Result<I, Failure> {
    let found = names.clone().find(|(_, name)| *name == wanted);
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let mut known: Vec<&str> = names.map(|(_, name)| name).collect();
        known.sort_unstable();
        Failure::invalid(format!(
            "there is no {kind} `{}`; there are: {}",
            cut(wanted),
            known.join(", ")
        ))
    })
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
