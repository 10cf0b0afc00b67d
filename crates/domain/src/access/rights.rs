//! What a caller may do: all that its grants add up to.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{RoleRef, Scope, Visibility};
use crate::id::TeamId;
use crate::permission::Permission;
use crate::role::Role;

/// A role as it is held: with its name, what it allows, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    pub role: RoleRef,
    pub name: String,
    pub permissions: BTreeSet<Permission>,
    pub scope: Scope,
}

impl HeldRole {
    /// A built-in role.
    pub fn built_in(role: Role, scope: Scope) -> Self {
        Self {
            role: RoleRef::BuiltIn(role),
            name: role.as_str().to_owned(),
            permissions: role.permissions(),
            scope,
        }
    }
}

/// What a caller may do. Cheap to clone; without a grant it is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(Arc<[HeldRole]>);

impl Rights {
    /// What these roles allow together.
    pub fn of(held: impl IntoIterator<Item = HeldRole>) -> Self {
        Self(held.into_iter().collect())
    }

    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything, everywhere: of this program itself, and of whoever sits at its console.
    pub fn everything() -> Self {
        Self::of([HeldRole::built_in(Role::Administrator, Scope::Everywhere)])
    }

    /// The roles that are held.
    pub fn roles(&self) -> &[HeldRole] {
        &self.0
    }

    /// Whether `permission` is held for an object of that team; without a team, for what no team
    /// owns, which takes a role that is held everywhere.
    pub fn allows(&self, permission: Permission, team: Option<&TeamId>) -> bool {
        self.holding(permission).any(|scope| scope.covers(team))
    }

    /// Whether `permission` is held for anything.
    pub fn allows_somewhere(&self, permission: Permission) -> bool {
        self.holding(permission).next().is_some()
    }

    /// Whose objects `permission` reaches.
    pub fn visible(&self, permission: Permission) -> Visibility {
        if self.allows(permission, None) {
            return Visibility::All;
        }
        let teams = self.holding(permission).filter_map(Scope::team);
        Visibility::Teams(teams.cloned().collect())
    }

    /// Whether the role of that name is held for that team, by a grant there or everywhere.
    pub fn holds_role(&self, name: &str, team: Option<&TeamId>) -> bool {
        let mut held = self.0.iter().filter(|held| held.name == name);
        held.any(|held| held.scope.covers(team))
    }

    /// Which of `permissions` are not held throughout `scope`.
    pub fn lacks(&self, permissions: &BTreeSet<Permission>, scope: &Scope) -> Vec<Permission> {
        let wanted = permissions.iter().copied();
        wanted
            .filter(|permission| !self.allows(*permission, scope.team()))
            .collect()
    }

    fn holding(&self, permission: Permission) -> impl Iterator<Item = &Scope> {
        let held = self.0.iter();
        held.filter(move |held| held.permissions.contains(&permission))
            .map(|held| &held.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(number: u8) -> TeamId {
        format!("team_{:0>26}", number).parse().unwrap()
    }

    #[test]
    fn a_role_in_a_team_reaches_what_that_team_owns_and_nothing_else() {
        use Permission::{CertificatesRead, CertificatesRevoke, PolicyWrite};
        let (ours, theirs) = (team(1), team(2));
        let of_team = Rights::of([HeldRole::built_in(
            Role::Requester,
            Scope::Team(ours.clone()),
        )]);
        let global = Rights::of([HeldRole::built_in(Role::Requester, Scope::Everywhere)]);
        for (permission, owner, in_team, everywhere) in [
            (CertificatesRead, Some(&ours), true, true),
            (CertificatesRead, Some(&theirs), false, true),
            (CertificatesRead, None, false, true),
            (CertificatesRevoke, Some(&ours), true, true),
            (PolicyWrite, Some(&ours), false, false),
            (PolicyWrite, None, false, false),
        ] {
            let name = format!("{permission} {owner:?}");
            assert_eq!(of_team.allows(permission, owner), in_team, "{name}");
            assert_eq!(global.allows(permission, owner), everywhere, "{name}");
        }
        assert!(of_team.allows_somewhere(CertificatesRead));
        assert!(!of_team.allows_somewhere(PolicyWrite));
    }

    #[test]
    fn what_is_seen_is_the_union_of_all_grants() {
        let (web, mail) = (team(1), team(2));
        let rights = Rights::of([
            HeldRole::built_in(Role::Requester, Scope::Team(web.clone())),
            HeldRole::built_in(Role::Approver, Scope::Team(mail.clone())),
        ]);
        let both = Visibility::Teams([web.clone(), mail.clone()].into());
        assert_eq!(rights.visible(Permission::CertificatesRead), both);
        let one = Visibility::Teams([mail.clone()].into());
        assert_eq!(rights.visible(Permission::ApprovalsDecide), one);
        assert!(!one.shows(None) && one.shows_shared(None));
        assert!(one.shows(Some(&mail)) && !one.shows_shared(Some(&web)));
        let nothing = Visibility::Teams(BTreeSet::new());
        assert_eq!(rights.visible(Permission::AuditRead), nothing);
        assert_eq!(Rights::none().visible(Permission::AuditRead), nothing);
        let all = Rights::everything().visible(Permission::AuditRead);
        assert_eq!(all, Visibility::All);
    }

    #[test]
    fn a_role_is_held_in_its_team_or_everywhere() {
        let (web, mail) = (team(1), team(2));
        let rights = Rights::of([
            HeldRole::built_in(Role::Approver, Scope::Team(web.clone())),
            HeldRole::built_in(Role::Auditor, Scope::Everywhere),
        ]);
        assert!(rights.holds_role("approver", Some(&web)));
        assert!(!rights.holds_role("approver", Some(&mail)));
        assert!(!rights.holds_role("approver", None));
        assert!(rights.holds_role("auditor", Some(&mail)) && rights.holds_role("auditor", None));
        assert!(!rights.holds_role("administrator", None));
    }
}
