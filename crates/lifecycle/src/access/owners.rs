//! Ownership goes from one team to another, by those who may change the object in both.

use domain::access::Rights;
use domain::id::{CertificateId, EabKeyId, TeamId};
use domain::permission::Permission;
use serde_json::json;
use store::teams::Owned;
use store::{StoreError, Tx};

use super::AccessError;
use crate::Lifecycle;
use crate::actor::Caller;

/// What can be given to another team.
#[derive(Clone, Debug)]
pub enum Ownable {
    Certificate(CertificateId),
    Profile(String),
    Directory(String),
    EabKey(EabKeyId),
}

/// An object as it was found: its id, and whose it is.
struct Found {
    id: String,
    owner: Option<TeamId>,
}

impl Ownable {
    /// What changing its owner takes.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Certificate(_) => Permission::CertificatesEdit,
            Self::Profile(_) => Permission::PolicyWrite,
            Self::Directory(_) | Self::EabKey(_) => Permission::AcmeWrite,
        }
    }

    fn event_name(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate.transferred",
            Self::Profile(_) => "profile.transferred",
            Self::Directory(_) => "directory.transferred",
            Self::EabKey(_) => "eab_key.transferred",
        }
    }

    /// Whether everybody shares it where no team owns it.
    fn is_shared(&self) -> bool {
        match self {
            Self::Profile(_) | Self::Directory(_) => true,
            Self::Certificate(_) | Self::EabKey(_) => false,
        }
    }

    async fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Found>, StoreError> {
        let found = match self {
            Self::Certificate(id) => tx
                .find_certificate_for_update(id)
                .await?
                .map(|found| (found.id.to_string(), found.team_id)),
            Self::Profile(name) => tx
                .find_profile(name)
                .await?
                .map(|found| (found.id.to_string(), found.team_id)),
            Self::Directory(name) => tx
                .find_directory_by_name(name)
                .await?
                .map(|found| (found.id.to_string(), found.team_id)),
            Self::EabKey(id) => tx
                .find_eab_key_for_update(id)
                .await?
                .map(|found| (found.id.to_string(), found.team_id)),
        };
        Ok(found.map(|(id, owner)| Found { id, owner }))
    }

    fn as_owned<'a>(&self, id: &'a str) -> Owned<'a> {
        match self {
            Self::Certificate(_) => Owned::Certificate(id),
            Self::Profile(_) => Owned::Profile(id),
            Self::Directory(_) => Owned::Directory(id),
            Self::EabKey(_) => Owned::EabKey(id),
        }
    }
}

impl Lifecycle {
    /// Gives an object to the team of that name, or to nobody. Takes the permission to change it
    /// in the team that has it and in the one that gets it.
    pub async fn transfer(
        &self,
        object: Ownable,
        team: Option<String>,
        caller: &Caller,
    ) -> Result<(), AccessError> {
        let now = self.now();
        let mut event = self.event(caller, object.event_name(), "", json!({}));
        let (rights, moved) = (caller.rights.clone(), object.clone());
        self.store
            .write("owner.transfer", move |tx| {
                Box::pin(async move {
                    let found = moved.find(tx).await?.ok_or(AccessError::Unknown)?;
                    require_change(&rights, &moved, found.owner.as_ref())?;
                    let target = target(tx, &rights, moved.permission(), team.as_deref()).await?;
                    let before = name_of(tx, found.owner.as_ref()).await?;
                    event.object.clone_from(&found.id);
                    event.data = json!({ "before": { "team": before }, "after": { "team": team } });
                    tx.set_owner(moved.as_owned(&found.id), target.as_ref(), now)
                        .await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, AccessError>(())
                })
            })
            .await?;
        self.forget_owned(&object);
        Ok(())
    }

    fn forget_owned(&self, object: &Ownable) {
        match object {
            Ownable::Certificate(_) => {}
            Ownable::Profile(name) => self.profiles.forget(name),
            Ownable::Directory(name) => {
                self.directories.forget(name);
                self.accounts.forget_all();
            }
            Ownable::EabKey(_) => self.accounts.forget_all(),
        }
    }
}

/// What is not seen is not there; what is seen is not always one's to give.
fn require_change(
    rights: &Rights,
    object: &Ownable,
    owner: Option<&TeamId>,
) -> Result<(), AccessError> {
    let needed = object.permission();
    if rights.allows(needed, owner) {
        return Ok(());
    }
    let visible = rights.visible(needed.sight());
    let is_seen = match object.is_shared() {
        true => visible.shows_shared(owner),
        false => visible.shows(owner),
    };
    match is_seen {
        true => Err(AccessError::Forbidden(needed)),
        false => Err(AccessError::Unknown),
    }
}

async fn target(
    tx: &mut Tx<'_>,
    rights: &Rights,
    needed: Permission,
    team: Option<&str>,
) -> Result<Option<TeamId>, AccessError> {
    let Some(name) = team else {
        return match rights.allows(needed, None) {
            true => Ok(None),
            false => Err(AccessError::Forbidden(needed)),
        };
    };
    let team = tx.find_team_by_name(name).await?;
    match team.filter(|team| rights.allows(needed, Some(&team.id))) {
        Some(team) => Ok(Some(team.id)),
        None => Err(AccessError::NoSuchTeam(name.chars().take(80).collect())),
    }
}

async fn name_of(tx: &mut Tx<'_>, team: Option<&TeamId>) -> Result<Option<String>, StoreError> {
    match team {
        None => Ok(None),
        Some(id) => Ok(tx.find_team(id).await?.map(|team| team.name)),
    }
}
