//! Who may give and take roles: nobody raises their own rights.

use std::collections::BTreeSet;

use pki::time::Timestamp;

use super::{Principal, Rights, RoleRef, Scope};
use crate::permission::Permission;

/// Why a role is not given, taken or changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    #[error("nobody grants roles to themselves; ask somebody else who may")]
    ToOneself,
    #[error(
        "this takes {} {scope}, which you do not hold yourself: nobody gives or takes more than they have",
        list(.missing)
    )]
    NotHeld {
        missing: Vec<Permission>,
        scope: Scope,
    },
    #[error(
        "you hold this role yourself, and nobody changes a role that they hold; ask somebody who does not"
    )]
    OwnRole,
    #[error(
        "a token cannot make one that outlives it: the new one has to end by {0}, when yours does"
    )]
    Outlives(Timestamp),
}

fn list(permissions: &[Permission]) -> String {
    let names: Vec<String> = permissions.iter().map(|p| format!("`{p}`")).collect();
    names.join(", ")
}

/// Whether `granter` may give a role with these permissions to `principal`, or take it away.
/// Giving takes the right to administer access there, and every permission of the role.
pub fn check_grant(
    granter: &Rights,
    permissions: &BTreeSet<Permission>,
    scope: &Scope,
) -> Result<(), GrantRefusal> {
    let mut needed = permissions.clone();
    needed.insert(Permission::AccessAdminister);
    let missing = granter.lacks(&needed, scope);
    match missing.is_empty() {
        true => Ok(()),
        false => Err(GrantRefusal::NotHeld {
            missing,
            scope: scope.clone(),
        }),
    }
}

/// Nobody gives roles to themselves, not even such as add no permission: rules ask for roles.
pub fn check_not_oneself(
    granter: Option<&Principal>,
    principal: &Principal,
) -> Result<(), GrantRefusal> {
    match granter == Some(principal) {
        true => Err(GrantRefusal::ToOneself),
        false => Ok(()),
    }
}

/// Whether `editor` may give a custom role these permissions. It may be granted anywhere, so the
/// editor has to hold them everywhere.
pub fn check_role_change(
    editor: &Rights,
    role: Option<&RoleRef>,
    permissions: &BTreeSet<Permission>,
) -> Result<(), GrantRefusal> {
    if editor.roles().iter().any(|held| Some(&held.role) == role) {
        return Err(GrantRefusal::OwnRole);
    }
    check_grant(editor, permissions, &Scope::Everywhere)
}

/// Whether a token that ends at `own_end` may make one that ends at `end`.
pub fn check_lifetime(
    own_end: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Result<(), GrantRefusal> {
    match (own_end, end) {
        (None, _) => Ok(()),
        (Some(own), Some(end)) if end <= own => Ok(()),
        (Some(own), Some(_) | None) => Err(GrantRefusal::Outlives(own)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::HeldRole;
    use crate::id::{RoleId, TeamId};
    use crate::role::Role;

    fn team(number: u8) -> TeamId {
        format!("team_{number:0>26}").parse().unwrap()
    }

    fn holding(role: Role, scope: Scope) -> Rights {
        Rights::of([HeldRole::built_in(role, scope)])
    }

    #[test]
    fn a4_nobody_gives_more_than_they_have_or_further_than_it_reaches() {
        let (web, mail) = (Scope::Team(team(1)), Scope::Team(team(2)));
        let global = holding(Role::Administrator, Scope::Everywhere);
        let of_web = holding(Role::Administrator, web.clone());
        let operator = holding(Role::CaOperator, Scope::Everywhere);
        for (granter, role, scope, may) in [
            (&global, Role::Administrator, Scope::Everywhere, true),
            (&global, Role::Requester, mail.clone(), true),
            (&of_web, Role::Requester, web.clone(), true),
            (&of_web, Role::Administrator, web.clone(), true),
            (&of_web, Role::Requester, mail.clone(), false),
            (&of_web, Role::Requester, Scope::Everywhere, false),
            (&operator, Role::CaOperator, Scope::Everywhere, false),
            (&operator, Role::Auditor, web.clone(), false),
        ] {
            let result = check_grant(granter, &role.permissions(), &scope);
            assert_eq!(result.is_ok(), may, "{role} {scope}: {result:?}");
        }
    }

    #[test]
    fn a4_administering_access_alone_gives_nothing_else_away() {
        let keeper = Rights::of([HeldRole {
            role: RoleRef::Custom(format!("rol_{:0>26}", 1).parse().unwrap()),
            name: "keeper".to_owned(),
            permissions: [Permission::AccessAdminister, Permission::AccessRead].into(),
            scope: Scope::Everywhere,
        }]);
        let refused = check_grant(&keeper, &Role::Auditor.permissions(), &Scope::Everywhere);
        let Err(GrantRefusal::NotHeld { missing, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert!(missing.contains(&Permission::AuditRead));
        assert!(!missing.contains(&Permission::AccessRead));
        assert!(check_grant(&keeper, &[].into(), &Scope::Everywhere).is_ok());
    }

    #[test]
    fn a4_nobody_changes_a_role_that_they_hold() {
        let id: RoleId = format!("rol_{:0>26}", 7).parse().unwrap();
        let role = RoleRef::Custom(id);
        let everything = HeldRole::built_in(Role::Administrator, Scope::Everywhere);
        let held = HeldRole {
            role: role.clone(),
            name: "own".to_owned(),
            permissions: [Permission::AuditRead].into(),
            scope: Scope::Team(team(1)),
        };
        let wanted = [Permission::AuditRead].into();
        let holder = Rights::of([everything.clone(), held]);
        assert_eq!(
            check_role_change(&holder, Some(&role), &wanted),
            Err(GrantRefusal::OwnRole)
        );
        let other = Rights::of([everything]);
        assert_eq!(check_role_change(&other, Some(&role), &wanted), Ok(()));
        let of_team = holding(Role::Administrator, Scope::Team(team(1)));
        assert!(check_role_change(&of_team, None, &wanted).is_err());
    }

    #[test]
    fn a4_a_token_makes_none_that_outlives_it() {
        let (early, late) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
        for (own, new, may) in [
            (None, None, true),
            (None, Some(late), true),
            (Some(early), Some(early), true),
            (Some(late), Some(early), true),
            (Some(early), Some(late), false),
            (Some(early), None, false),
        ] {
            assert_eq!(check_lifetime(own, new).is_ok(), may, "{own:?} {new:?}");
        }
    }
}
