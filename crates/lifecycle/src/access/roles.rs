//! Roles: those that are built in, and those that operators make of permissions.

use std::collections::BTreeSet;

use domain::access::granting::check_role_change;
use domain::access::{CustomRole, RoleRef};
use domain::approval::Approver;
use domain::id::RoleId;
use domain::permission::Permission;
use domain::role::Role;
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use super::AccessError;
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::operator::{Expected, version_after};

/// A role of either kind.
#[derive(Clone, Debug)]
pub enum AnyRole {
    BuiltIn(Role),
    Custom(CustomRole),
}

impl AnyRole {
    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.as_str(),
            Self::Custom(role) => &role.name,
        }
    }

    /// How grants refer to it.
    pub fn reference(&self) -> RoleRef {
        match self {
            Self::BuiltIn(role) => RoleRef::BuiltIn(*role),
            Self::Custom(role) => RoleRef::Custom(role.id.clone()),
        }
    }

    /// What it allows.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        match self {
            Self::BuiltIn(role) => role.permissions(),
            Self::Custom(role) => role.permissions.clone(),
        }
    }
}

impl Lifecycle {
    /// Every role: the built-in ones, then the others by name.
    pub async fn roles(&self) -> Result<Vec<AnyRole>, StoreError> {
        self.store
            .read("role.list", |tx| {
                Box::pin(async move { all_roles(tx).await })
            })
            .await
    }

    /// The role of that name.
    pub async fn role(&self, name: &str) -> Result<Option<AnyRole>, StoreError> {
        let mut roles = self.roles().await?.into_iter();
        Ok(roles.find(|role| role.name() == name))
    }

    /// Makes a role, or changes one, if it is as expected. Takes the right to administer access
    /// everywhere and every permission that the role has before and after.
    pub async fn put_role(
        &self,
        name: String,
        description: String,
        permissions: BTreeSet<Permission>,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<CustomRole, AccessError> {
        check_role_name(&name)?;
        let now = self.now();
        let fresh = CustomRole {
            id: RoleId::mint(now, &*self.random),
            name,
            description,
            permissions,
            created_at: now,
            updated_at: now,
        };
        let mut event = self.event(caller, "role.created", fresh.id.as_str(), json!({}));
        let rights = caller.rights.clone();
        let stored = self
            .store
            .write("role.put", move |tx| {
                Box::pin(async move {
                    let known = tx.find_custom_role_for_update(&fresh.name).await?;
                    if !expected.agrees(known.as_ref().map(|role| &role.updated_at)) {
                        return Err(AccessError::Changed);
                    }
                    let reference = known.as_ref().map(|r| RoleRef::Custom(r.id.clone()));
                    let mut touched = fresh.permissions.clone();
                    touched.extend(known.iter().flat_map(|role| &role.permissions));
                    check_role_change(&rights, reference.as_ref(), &touched)?;
                    let role = match known {
                        None => {
                            tx.insert_custom_role(&fresh).await?;
                            event.data = json!({ "after": shown(&fresh) });
                            fresh
                        }
                        Some(known) => {
                            let role = changed(&known, fresh);
                            tx.update_custom_role(&role).await?;
                            event.name = "role.changed".to_owned();
                            role.id.as_str().clone_into(&mut event.object);
                            event.data = json!({ "before": shown(&known), "after": shown(&role) });
                            role
                        }
                    };
                    tx.insert_event(&event).await?;
                    Ok(role)
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(stored)
    }

    /// Deletes a role that nobody holds.
    pub async fn delete_role(&self, name: &str, caller: &Caller) -> Result<(), AccessError> {
        if name.parse::<Role>().is_ok() {
            return Err(AccessError::BuiltInRole(name.to_owned()));
        }
        let mut event = self.event(caller, "role.deleted", name, json!({}));
        let (name, rights) = (name.to_owned(), caller.rights.clone());
        self.store
            .write("role.delete", move |tx| {
                Box::pin(async move {
                    let role = tx.find_custom_role_for_update(&name).await?;
                    let role = role.ok_or(AccessError::NoSuchRole(name))?;
                    let reference = RoleRef::Custom(role.id.clone());
                    check_role_change(&rights, Some(&reference), &role.permissions)?;
                    let asking = rules_asking(tx, &role.name).await?;
                    if !asking.is_empty() {
                        return Err(AccessError::RoleAsked(asking));
                    }
                    match tx.count_grants_of_role(&reference).await? {
                        0 => tx.delete_custom_role(&role.id).await?,
                        held => return Err(AccessError::RoleHeld(held)),
                    };
                    role.id.as_str().clone_into(&mut event.object);
                    event.data = json!({ "before": shown(&role) });
                    tx.insert_event(&event).await?;
                    Ok(())
                })
            })
            .await?;
        self.rights.forget_all();
        Ok(())
    }
}

/// What names a role: approval rules would wait for people whom nobody can become any more, and
/// notifications would go to nobody.
async fn rules_asking(tx: &mut Tx<'_>, name: &str) -> Result<Vec<String>, StoreError> {
    let is_it =
        |approver: &Approver| matches!(approver, Approver::Role { role, .. } if role == name);
    let mut asking = Vec::new();
    for profile in tx.list_profiles().await? {
        let rule = profile.spec.approval.as_ref();
        if rule.is_some_and(|rule| rule.approvers().any(is_it)) {
            asking.push(format!("the profile {}", profile.name));
        }
    }
    for rule in tx.list_notification_rules().await? {
        if rule.spec.recipients.roles.iter().any(|role| role == name) {
            asking.push(format!("the notification rule {}", rule.name));
        }
    }
    Ok(asking)
}

/// Every role, as one transaction sees them.
pub(super) async fn all_roles(tx: &mut Tx<'_>) -> Result<Vec<AnyRole>, StoreError> {
    let custom = tx.list_custom_roles().await?;
    let built_in = Role::ALL.into_iter().map(AnyRole::BuiltIn);
    Ok(built_in
        .chain(custom.into_iter().map(AnyRole::Custom))
        .collect())
}

fn check_role_name(name: &str) -> Result<(), AccessError> {
    if name.parse::<Role>().is_ok() {
        return Err(AccessError::BuiltInRole(name.to_owned()));
    }
    match is_slug(name) {
        true => Ok(()),
        false => Err(AccessError::BadName(name.chars().take(80).collect())),
    }
}

fn changed(known: &CustomRole, fresh: CustomRole) -> CustomRole {
    CustomRole {
        id: known.id.clone(),
        created_at: known.created_at,
        updated_at: version_after(known.updated_at, fresh.updated_at),
        ..fresh
    }
}

fn shown(role: &CustomRole) -> serde_json::Value {
    json!({
        "name": role.name,
        "description": role.description,
        "permissions": role.permissions,
    })
}
