//! Teams, roles, grants, and whose things are.

use domain::access::{CustomRole, Grant, HeldRole, Principal, RoleRef, Scope, Visibility};
use domain::id::{GrantId, RoleId, TeamId};
use domain::permission::Permission;
use domain::role::Role;
use store::certificates::CertificateFilter;
use store::grants::GrantFilter;
use store::teams::Owned;

use super::transact;
use crate::fixture::both_engines;
use crate::samples::{
    RANDOM, account, at, certificate, directory, eab_key, enrollment, profile, team, token,
};

fn custom_role(name: &str) -> CustomRole {
    CustomRole {
        id: RoleId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        description: String::new(),
        permissions: [Permission::CertificatesRead, Permission::CertificatesRevoke].into(),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn grant(principal: &Principal, role: RoleRef, scope: Scope) -> Grant {
    Grant {
        id: GrantId::mint(at(0), &RANDOM),
        principal: principal.clone(),
        role,
        scope,
        created_at: at(0),
    }
}

fn only(team: &TeamId) -> Visibility {
    Visibility::Teams([team.clone()].into())
}

both_engines! {
    async fn a_team_reads_back_changes_and_goes_with_its_grants(database) {
        let (mut web, mail) = (team("web"), team("mail"));
        let holder = Principal::Token(token().id);
        transact!(database, |tx| {
            tx.insert_team(&web).await?;
            tx.insert_team(&mail).await?;
            web.description = "the web".to_owned();
            web.updated_at = at(3);
            assert!(tx.update_team(&web).await?);
            assert_eq!(tx.find_team(&web.id).await?.as_ref(), Some(&web));
            assert_eq!(tx.find_team_by_name("web").await?.as_ref(), Some(&web));
            assert_eq!(tx.list_teams().await?, [mail.clone(), web.clone()]);
            let role = RoleRef::BuiltIn(Role::Requester);
            let in_web = grant(&holder, role.clone(), Scope::Team(web.id.clone()));
            let in_mail = grant(&holder, role, Scope::Team(mail.id.clone()));
            tx.insert_grant(&in_web).await?;
            tx.insert_grant(&in_mail).await?;
            tx.delete_team(&web.id).await?;
            assert_eq!(tx.find_team_by_name("web").await?, None);
            assert_eq!(tx.list_grants_of(&[holder]).await?, [in_mail]);
        });
    }

    async fn what_a_team_owns_is_known_and_changes_hands(database) {
        let (web, mail) = (team("web"), team("mail"));
        let now = at(5);
        transact!(database, |tx| {
            tx.insert_team(&web).await?;
            tx.insert_team(&mail).await?;
            assert_eq!(tx.owned_by_team(&web.id).await?, [""; 0]);
            let mut of_web = directory("shop");
            of_web.team_id = Some(web.id.clone());
            tx.insert_directory(&of_web).await?;
            let key = eab_key(&of_web.id);
            tx.insert_eab_key(&key).await?;
            let mut bound = account(&of_web.id, "bound");
            bound.eab_key_id = Some(key.id.clone());
            bound.team_id = Some(web.id.clone());
            tx.insert_account(&bound).await?;
            let mut free = account(&of_web.id, "free");
            free.team_id = Some(web.id.clone());
            tx.insert_account(&free).await?;
            tx.insert_profile(&profile("shop")).await?;
            let owned = tx.owned_by_team(&web.id).await?;
            assert_eq!(owned, ["ACME directories", "ACME accounts"]);

            assert!(tx.set_owner(Owned::EabKey(key.id.as_str()), Some(&mail.id), now).await?);
            let team_of = tx.find_account(&bound.id).await?.and_then(|a| a.team_id);
            assert_eq!(team_of.as_ref(), Some(&mail.id), "an account goes with its key");
            assert!(tx.set_owner(Owned::Directory(of_web.id.as_str()), None, now).await?);
            let team_of = tx.find_account(&free.id).await?.and_then(|a| a.team_id);
            assert_eq!(team_of, None, "and without a key with its directory");
            let team_of = tx.find_account(&bound.id).await?.and_then(|a| a.team_id);
            assert_eq!(team_of.as_ref(), Some(&mail.id));
            assert_eq!(tx.owned_by_team(&web.id).await?, [""; 0]);
            let missing = TeamId::mint(at(0), &RANDOM);
            assert!(!tx.set_owner(Owned::Certificate(missing.as_str()), None, now).await?);
        });
    }

    async fn who_sees_some_teams_finds_theirs_only(database) {
        let (web, mail) = (team("web"), team("mail"));
        transact!(database, |tx| {
            tx.insert_team(&web).await?;
            tx.insert_team(&mail).await?;
            let mut certificates = Vec::new();
            for (serial, team) in [(1, Some(&web.id)), (2, Some(&mail.id)), (3, None)] {
                let mut stored = certificate(None, serial, &["www.example.org"]);
                stored.team_id = team.cloned();
                tx.insert_certificate(&stored).await?;
                certificates.push(stored.id);
                let mut stored = enrollment();
                stored.team_id = team.cloned();
                tx.insert_enrollment(&stored).await?;
            }
            let nobody = Visibility::Teams([].into());
            let both = Visibility::Teams([web.id.clone(), mail.id.clone()].into());
            for (visible, count) in [
                (only(&web.id), 1),
                (both, 2),
                (nobody, 0),
                (Visibility::All, 3),
            ] {
                let filter = CertificateFilter { visible: visible.clone(), ..Default::default() };
                let found = tx.list_certificates(&filter, None, 10).await?;
                assert_eq!(found.len(), count, "{visible:?}");
                assert_eq!(tx.count_certificates(&filter).await?, count as u64);
                let filter = store::enrollments::EnrollmentFilter { visible, ..Default::default() };
                assert_eq!(tx.list_enrollments(&filter, None, 10).await?.len(), count);
            }
            let filter = CertificateFilter { visible: only(&web.id), ..Default::default() };
            let found = tx.list_certificates(&filter, None, 10).await?;
            assert_eq!(found[0].id, certificates[0]);
            let behind = tx.list_certificates(&filter, Some(&certificates[0]), 10).await?;
            assert!(behind.is_empty());
        });
    }

    async fn a_role_is_held_with_what_it_allows_now(database) {
        let (web, mut role) = (team("web"), custom_role("revoker"));
        let (one, other) = (token(), token());
        let holder = Principal::Token(one.id.clone());
        transact!(database, |tx| {
            tx.insert_team(&web).await?;
            tx.insert_token(&one).await?;
            tx.insert_token(&other).await?;
            tx.insert_custom_role(&role).await?;
            let reference = RoleRef::Custom(role.id.clone());
            let in_web = grant(&holder, reference.clone(), Scope::Team(web.id.clone()));
            let auditor = grant(&holder, RoleRef::BuiltIn(Role::Auditor), Scope::Everywhere);
            tx.insert_grant(&in_web).await?;
            tx.insert_grant(&auditor).await?;
            assert_eq!(tx.find_grant(&in_web.id).await?.as_ref(), Some(&in_web));
            assert_eq!(tx.count_grants_of_role(&reference).await?, 1);
            role.permissions.remove(&Permission::CertificatesRevoke);
            assert!(tx.update_custom_role(&role).await?);
            let grants = tx.list_grants_of(std::slice::from_ref(&holder)).await?;
            let held = tx.held_roles(&grants).await?;
            let custom = HeldRole {
                role: reference,
                name: "revoker".to_owned(),
                permissions: role.permissions.clone(),
                scope: Scope::Team(web.id.clone()),
            };
            assert_eq!(held, [custom, HeldRole::built_in(Role::Auditor, Scope::Everywhere)]);

            let seen = tx.list_tokens(&only(&web.id), None, 10).await?;
            assert_eq!(seen, std::slice::from_ref(&one), "by its role in the team");
            let filter = GrantFilter { visible: only(&web.id), ..Default::default() };
            let listed = tx.list_grants(&filter, None, 10).await?;
            assert_eq!(listed, std::slice::from_ref(&in_web));
            assert!(tx.delete_grant(&in_web.id).await?);
            assert!(!tx.delete_grant(&in_web.id).await?);
            assert!(tx.delete_custom_role(&role.id).await?);
            assert_eq!(tx.delete_grants_of(&holder).await?, 1);
        });
    }

    async fn the_same_role_is_not_held_twice_in_one_place(database) {
        let holder = Principal::Token(token().id);
        let result: Result<(), store::StoreError> = database
            .store
            .write("test", |tx| Box::pin(async move {
                for _ in 0..2 {
                    let role = RoleRef::BuiltIn(Role::Auditor);
                    tx.insert_grant(&grant(&holder, role, Scope::Everywhere)).await?;
                }
                Ok(())
            }))
            .await;
        assert!(result.unwrap_err().is_duplicate());
    }

    async fn an_administrator_counts_while_the_credential_opens_something(database) {
        let web = team("web");
        let mut lasting = token();
        lasting.expires_at = None;
        let mut brief = token();
        brief.expires_at = Some(at(10));
        transact!(database, |tx| {
            tx.insert_team(&web).await?;
            tx.insert_token(&lasting).await?;
            tx.insert_token(&brief).await?;
            let administrator = RoleRef::BuiltIn(Role::Administrator);
            tx.lock_administrators().await?;
            assert!(!tx.has_administrator(at(1)).await?);
            let in_team = Scope::Team(web.id.clone());
            let holder = Principal::Token(lasting.id.clone());
            tx.insert_grant(&grant(&holder, administrator.clone(), in_team)).await?;
            assert!(!tx.has_administrator(at(1)).await?, "in a team is not everywhere");
            let other = Principal::Token(brief.id.clone());
            tx.insert_grant(&grant(&other, administrator.clone(), Scope::Everywhere)).await?;
            assert!(tx.has_administrator(at(1)).await?);
            assert!(!tx.has_administrator(at(10)).await?);
            tx.insert_grant(&grant(&holder, administrator, Scope::Everywhere)).await?;
            assert!(tx.has_administrator(at(10)).await?);
            tx.revoke_token(&lasting.id, at(11)).await?;
            assert!(!tx.has_administrator(at(12)).await?);
        });
    }
}
