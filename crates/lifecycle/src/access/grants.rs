//! Grants: who holds which role where, given and taken by those who hold as much themselves.

use domain::access::granting::{check_grant, check_not_oneself};
use domain::access::{Grant, Principal, Rights, RoleRef, Scope};
use domain::id::GrantId;
use domain::permission::Permission;
use domain::role::Role;
use domain::user::UserState;
use pki::time::Timestamp;
use serde_json::json;
use store::grants::GrantFilter;
use store::{StoreError, Tx};

use super::AccessError;
use super::roles::{AnyRole, all_roles};
use crate::Lifecycle;
use crate::actor::Caller;

/// A role to be held somewhere, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    pub role: String,
    /// Everywhere without one.
    pub team: Option<String>,
}

/// A grant that was checked against the rights of whoever gives it.
pub(crate) struct CheckedGrant {
    pub(crate) role: RoleRef,
    pub(crate) scope: Scope,
}

impl CheckedGrant {
    /// The grant that it makes for a principal.
    pub(crate) fn into_grant(self, id: GrantId, principal: Principal, now: Timestamp) -> Grant {
        Grant {
            id,
            principal,
            role: self.role,
            scope: self.scope,
            created_at: now,
        }
    }
}

impl Lifecycle {
    /// Grants that fit the filter and that the caller sees, newest first.
    pub async fn list_grants(
        &self,
        mut filter: GrantFilter,
        rights: &Rights,
        after: Option<GrantId>,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        filter.visible = rights.visible(Permission::AccessRead);
        self.store
            .scan("grant.list", move |tx| {
                Box::pin(async move { tx.list_grants(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// Gives a role to a principal.
    pub async fn grant_role(
        &self,
        principal: Principal,
        wanted: NewGrant,
        caller: &Caller,
    ) -> Result<Grant, AccessError> {
        check_not_oneself(caller.principal().as_ref(), &principal)?;
        let now = self.now();
        let id = GrantId::mint(now, &*self.random);
        let data = json!({ "principal": principal, "role": wanted.role, "team": wanted.team });
        let event = self.event(caller, "role.granted", principal.as_str(), data);
        let rights = caller.rights.clone();
        let granted = self
            .store
            .write("grant.create", move |tx| {
                Box::pin(async move {
                    require_principal(tx, &principal).await?;
                    let checked = check(tx, &rights, &wanted).await?;
                    let grant = Grant {
                        id,
                        principal,
                        role: checked.role,
                        scope: checked.scope,
                        created_at: now,
                    };
                    if is_held(tx, &grant).await? {
                        return Err(AccessError::AlreadyGranted);
                    }
                    tx.insert_grant(&grant).await?;
                    tx.insert_event(&event).await?;
                    Ok(grant)
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(granted)
    }

    /// Takes a role away again. The last administrator stays.
    pub async fn withdraw_role(&self, id: &GrantId, caller: &Caller) -> Result<(), AccessError> {
        let now = self.now();
        let mut event = self.event(caller, "role.withdrawn", id.as_str(), json!({}));
        let (id, rights) = (id.clone(), caller.rights.clone());
        self.store
            .write("grant.delete", move |tx| {
                Box::pin(async move {
                    tx.lock_administrators().await?;
                    let grant = tx.find_grant(&id).await?;
                    let grant = grant
                        .filter(|grant| sees(&rights, grant))
                        .ok_or(AccessError::NoSuchGrant(id))?;
                    let held = tx.held_roles(std::slice::from_ref(&grant)).await?;
                    for held in &held {
                        check_grant(&rights, &held.permissions, &held.scope)?;
                    }
                    tx.delete_grant(&grant.id).await?;
                    if is_administrator(&grant) {
                        keep_an_administrator(tx, now).await?;
                    }
                    grant.principal.as_str().clone_into(&mut event.object);
                    let role = held.first().map_or(grant.role.as_str(), |held| &held.name);
                    event.data = json!({ "before": {
                        "principal": grant.principal, "role": role, "team": grant.scope.team(),
                    }});
                    tx.insert_event(&event).await?;
                    Ok::<_, AccessError>(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(())
    }
}

fn sees(rights: &Rights, grant: &Grant) -> bool {
    let visible = rights.visible(Permission::AccessRead);
    visible.shows(grant.scope.team())
        || rights.allows(Permission::AccessAdminister, grant.scope.team())
}

/// Finds role and team by name, and whether `granter` may give the one in the other.
pub(crate) async fn check(
    tx: &mut Tx<'_>,
    granter: &Rights,
    wanted: &NewGrant,
) -> Result<CheckedGrant, AccessError> {
    let mut roles = all_roles(tx).await?.into_iter();
    let role: AnyRole = roles
        .find(|role| role.name() == wanted.role)
        .ok_or_else(|| AccessError::NoSuchRole(wanted.role.chars().take(80).collect()))?;
    let scope = match &wanted.team {
        None => Scope::Everywhere,
        Some(name) => match tx.find_team_by_name(name).await? {
            // To those who may not grant in it, a team is as good as none.
            Some(team) if granter.allows(Permission::AccessAdminister, Some(&team.id)) => {
                Scope::Team(team.id)
            }
            Some(_) | None => {
                return Err(AccessError::NoSuchTeam(name.chars().take(80).collect()));
            }
        },
    };
    check_grant(granter, &role.permissions(), &scope)?;
    Ok(CheckedGrant {
        role: role.reference(),
        scope,
    })
}

/// The last administrator cannot be removed: nobody could give the role again.
pub(crate) async fn keep_an_administrator(
    tx: &mut Tx<'_>,
    now: Timestamp,
) -> Result<(), AccessError> {
    match tx.has_administrator(now).await? {
        true => Ok(()),
        false => Err(AccessError::LastAdministrator),
    }
}

async fn require_principal(tx: &mut Tx<'_>, principal: &Principal) -> Result<(), AccessError> {
    let is_known = match principal {
        Principal::Token(id) => {
            let token = tx.find_token(id).await?;
            token.is_some_and(|token| token.revoked_at.is_none())
        }
        Principal::User(id) => {
            let user = tx.find_user(id).await?;
            user.is_some_and(|user| user.state != UserState::Disabled)
        }
    };
    match is_known {
        true => Ok(()),
        false => Err(AccessError::NoSuchPrincipal(principal.clone())),
    }
}

async fn is_held(tx: &mut Tx<'_>, grant: &Grant) -> Result<bool, StoreError> {
    let held = tx
        .list_grants_of(std::slice::from_ref(&grant.principal))
        .await?;
    Ok(held
        .iter()
        .any(|held| held.role == grant.role && held.scope == grant.scope))
}

/// Whether a grant makes its holder an administrator of everything.
pub(super) fn is_administrator(grant: &Grant) -> bool {
    grant.role == RoleRef::BuiltIn(Role::Administrator) && grant.scope == Scope::Everywhere
}
