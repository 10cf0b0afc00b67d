//! The rights of a principal: looked up with each request, remembered for a second.

use domain::access::{Principal, Rights};
use domain::id::TeamId;
use domain::permission::Permission;
use store::StoreError;

use crate::Lifecycle;
use crate::remembered::Remembered;
use crate::users::roles_of;

/// Rights by principal.
pub(crate) type RightsCache = Remembered<Principal, Rights>;

/// Why a request has no team to belong to.
#[derive(Debug, thiserror::Error)]
pub enum TeamChoiceError {
    #[error("there is no team `{0}` in which you may do this")]
    Unknown(String),
    #[error("you may do this in several teams ({}); name the one it is for", .0.join(", "))]
    Several(Vec<String>),
    #[error("this needs the permission `{0}`, which you do not hold in any team")]
    Forbidden(Permission),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// What a principal may do now: nothing once its credential opens nothing any more.
    pub async fn rights_of(&self, principal: &Principal) -> Result<Rights, StoreError> {
        if let Some(rights) = self.rights.get(principal) {
            return Ok(rights);
        }
        let before = self.rights.before();
        let (wanted, now) = (principal.clone(), self.now());
        let held = self
            .store
            .read("rights.of", |tx| {
                Box::pin(async move {
                    match &wanted {
                        Principal::User(id) => match tx.find_user(id).await? {
                            Some(user) if user.may_act() => roles_of(tx, &user).await,
                            Some(_) | None => Ok(Vec::new()),
                        },
                        Principal::Token(id) => {
                            let token = tx.find_token(id).await?;
                            if !token.is_some_and(|token| token.is_usable(now)) {
                                return Ok(Vec::new());
                            }
                            let grants = tx.list_grants_of(&[wanted]).await?;
                            tx.held_roles(&grants).await
                        }
                    }
                })
            })
            .await?;
        let rights = Rights::of(held);
        self.rights.keep(before, principal.clone(), rights.clone());
        Ok(rights)
    }

    /// The team that something new belongs to: the one that is named, or the only one in which
    /// the caller may make it. Who may make it everywhere need not name one.
    pub async fn choose_team(
        &self,
        rights: &Rights,
        permission: Permission,
        named: Option<&str>,
    ) -> Result<Option<TeamId>, TeamChoiceError> {
        let teams = self.teams().await?;
        let mut open = teams
            .into_iter()
            .filter(|team| rights.allows(permission, Some(&team.id)));
        if let Some(name) = named {
            return match open.find(|team| team.name == name) {
                Some(team) => Ok(Some(team.id)),
                None => Err(TeamChoiceError::Unknown(name.chars().take(80).collect())),
            };
        }
        if rights.allows(permission, None) {
            return Ok(None);
        }
        match (open.next(), open.next()) {
            (None, _) => Err(TeamChoiceError::Forbidden(permission)),
            (Some(only), None) => Ok(Some(only.id)),
            (Some(first), Some(second)) => {
                let names = [first, second]
                    .into_iter()
                    .chain(open)
                    .map(|team| team.name);
                Err(TeamChoiceError::Several(names.collect()))
            }
        }
    }
}
