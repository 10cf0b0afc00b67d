//! Who somebody is: the rights that are held now, the human being behind a token, who made it.

use domain::access::{Principal, Rights};
use domain::approval::{
    Approval, ApprovalRule, Approver, Candidate, Delegation, Entitlement, NotEntitled,
};
use domain::enrolling::ClientProof;
use domain::enrollment::Requester;
use domain::event::Event;
use domain::id::TeamId;
use domain::permission::Permission;
use domain::profile::SpecFault;
use domain::user::UserState;
use pki::time::Timestamp;
use store::delegations::DelegationFilter;
use store::events::EventFilter;
use store::{StoreError, Tx};

use crate::Lifecycle;

/// Somebody who may be asked to decide.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) principal: Principal,
    /// A user's tokens are the user.
    pub(super) person: Principal,
    made_by: Option<Principal>,
    rights: Rights,
}

impl Person {
    /// Whether a role is held in a team; without a team, everywhere. Whoever may not decide at
    /// all holds none.
    fn holds(&self, role: &str, team: Option<&TeamId>) -> bool {
        self.rights.holds_role(role, team)
    }

    /// Whether the person may decide on what that team asks for, on some rule's behalf.
    pub(super) fn decides_for(&self, team: Option<&TeamId>) -> bool {
        self.rights.allows(Permission::ApprovalsDecide, team)
            || self.rights.allows_somewhere(Permission::ApprovalsDecide)
    }
}

/// Somebody who wants to decide, with those whom it represents.
#[derive(Clone, Debug)]
pub(super) struct Decider {
    pub(super) who: Person,
    represented: Vec<Person>,
}

impl Decider {
    /// By what right the decision would be taken.
    pub(super) fn entitlement(&self, approval: &Approval) -> Result<Entitlement, NotEntitled> {
        if !self.who.decides_for(approval.team_id.as_ref()) {
            return Err(NotEntitled::NotYourTurn(approval.asked_text()));
        }
        let holds: Vec<_> = std::iter::once(&self.who)
            .chain(&self.represented)
            .map(|person| move |role: &str, team: Option<&TeamId>| person.holds(role, team))
            .collect();
        let mut candidates = std::iter::once(&self.who)
            .chain(&self.represented)
            .zip(&holds)
            .map(|(person, holds)| Candidate {
                principal: person.principal.clone(),
                person: person.person.clone(),
                made_by: person.made_by.clone(),
                holds,
            });
        match candidates.next() {
            Some(own) => own.entitlement(approval, &candidates.collect::<Vec<_>>()),
            None => Err(NotEntitled::NotYourTurn(approval.asked_text())),
        }
    }
}

impl Lifecycle {
    /// Who decides, with those who are away and named this principal to decide meanwhile.
    pub(super) async fn decider(&self, principal: &Principal) -> Result<Decider, StoreError> {
        let now = self.now();
        let mut represented = Vec::new();
        for delegation in self.represented_by(principal, now).await? {
            represented.push(self.person(&delegation.principal).await?);
        }
        Ok(Decider {
            who: self.person(principal).await?,
            represented,
        })
    }

    async fn person(&self, principal: &Principal) -> Result<Person, StoreError> {
        let made_by = match principal {
            Principal::User(_) => None,
            Principal::Token(_) => self.maker(principal.as_str(), "token.created").await?,
        };
        // Links and delegations outlive credentials: one that is withdrawn decides nothing.
        let rights = match self.is_usable(principal).await? {
            true => self.rights_of(principal).await?,
            false => Rights::none(),
        };
        Ok(Person {
            person: human(principal, made_by.as_ref()),
            principal: principal.clone(),
            rights,
            made_by,
        })
    }

    /// Roles and people that a rule names and that there are not.
    pub(crate) async fn strangers_in(
        &self,
        rule: &ApprovalRule,
    ) -> Result<Vec<SpecFault>, StoreError> {
        let mut strangers = Vec::new();
        for approver in rule.approvers() {
            let (is_known, listed) = match approver {
                Approver::Role { role, .. } => (
                    self.role(role).await?.is_some(),
                    "`certwright role list` names those there are",
                ),
                Approver::Named { principal } => (
                    self.is_usable(principal).await?,
                    "name somebody who can sign in",
                ),
            };
            if !is_known {
                let text = format!("names {approver}, which there is not; {listed}");
                strangers.push(SpecFault::new("approval", text));
            }
        }
        Ok(strangers)
    }

    /// Whether there is such a principal, and it opens anything now.
    pub(super) async fn is_usable(&self, principal: &Principal) -> Result<bool, StoreError> {
        let (principal, now) = (principal.clone(), self.now());
        self.store
            .read("approval.principal", |tx| {
                Box::pin(async move {
                    match &principal {
                        Principal::Token(id) => Ok(tx
                            .find_token(id)
                            .await?
                            .is_some_and(|token| token.is_usable(now))),
                        // Who was invited will be somebody; who was disabled is nobody.
                        Principal::User(id) => Ok(tx
                            .find_user(id)
                            .await?
                            .is_some_and(|user| user.state != UserState::Disabled)),
                    }
                })
            })
            .await
    }

    async fn represented_by(
        &self,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Vec<Delegation>, StoreError> {
        let filter = DelegationFilter {
            delegate: Some(principal.clone()),
            in_force_at: Some(now),
            ..DelegationFilter::default()
        };
        self.store
            .read("approval.represented", |tx| {
                Box::pin(async move { tx.list_delegations(&filter, None, MOST).await })
            })
            .await
    }

    /// Who asked, where that was a principal, and everyone who stands behind and so never decides.
    pub(super) async fn who_stands_behind(
        &self,
        requester: &Requester,
    ) -> Result<(Option<Principal>, Vec<Principal>), StoreError> {
        match requester {
            Requester::User { user } => {
                let user = Principal::User(user.clone());
                Ok((Some(user.clone()), vec![user]))
            }
            Requester::Token { token } => {
                let token = Principal::Token(token.clone());
                let maker = self.maker(token.as_str(), "token.created").await?;
                let person = human(&token, maker.as_ref());
                let mut behind = vec![token];
                behind.extend(maker);
                Ok((Some(person), behind))
            }
            Requester::AcmeAccount { account, .. } => {
                let account = self.account(account).await?;
                let key = account.and_then(|account| account.eab_key_id.clone());
                let Some(key) = key else {
                    return Ok((None, Vec::new()));
                };
                let Some(maker) = self.maker(key.as_str(), "eab_key.created").await? else {
                    return Ok((None, Vec::new()));
                };
                let behind_maker = match &maker {
                    Principal::User(_) => None,
                    Principal::Token(_) => self.maker(maker.as_str(), "token.created").await?,
                };
                let mut behind = vec![maker];
                behind.extend(behind_maker.filter(|who| matches!(who, Principal::User(_))));
                Ok((None, behind))
            }
            // Who made the password could ask for anything with it.
            Requester::Client {
                proof: ClientProof::Password { password },
                ..
            } => {
                let maker = self
                    .maker(password.as_str(), "enrollment_password.created")
                    .await?;
                Ok((None, maker.into_iter().collect()))
            }
            Requester::Client {
                proof: ClientProof::Secret { secret },
                ..
            } => {
                let maker = self.maker(secret.as_str(), "cmp_secret.created").await?;
                Ok((None, maker.into_iter().collect()))
            }
            Requester::Client { .. } | Requester::System => Ok((None, Vec::new())),
        }
    }

    /// Who made a token or a key: the event log knows, and nobody can change it.
    async fn maker(&self, object: &str, event: &str) -> Result<Option<Principal>, StoreError> {
        let filter = EventFilter {
            name: Some(event.to_owned()),
            object: Some(object.to_owned()),
            ..EventFilter::default()
        };
        let made: Vec<Event> = self
            .store
            .read("approval.maker", |tx| {
                Box::pin(async move { tx.list_events(&filter, None, 1).await })
            })
            .await?;
        Ok(made.first().and_then(|event| Principal::of(&event.actor)))
    }
}

/// A token that a user made is that user; one that a token made stands for somebody else.
fn human(principal: &Principal, made_by: Option<&Principal>) -> Principal {
    match made_by {
        Some(user @ Principal::User(_)) => user.clone(),
        Some(Principal::Token(_)) | None => principal.clone(),
    }
}

/// Whether somebody is away at `now`.
pub(super) async fn is_absent(
    tx: &mut Tx<'_>,
    principal: &Principal,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let filter = DelegationFilter {
        principal: Some(principal.clone()),
        in_force_at: Some(now),
        ..DelegationFilter::default()
    };
    Ok(!tx.list_delegations(&filter, None, 1).await?.is_empty())
}

/// So many absent colleagues one person represents at once.
const MOST: u32 = 50;
