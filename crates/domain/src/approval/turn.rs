//! Whose turn it is, and who may not decide whoever they are.

use crate::access::Principal;
use crate::id::TeamId;

use super::{Approval, Approver, NotPending, RoleScope};

/// Somebody who wants to decide.
pub struct Candidate<'a> {
    pub principal: Principal,
    /// The human being behind it, as far as we know: a user's tokens are the user.
    pub person: Principal,
    /// Who made the token.
    pub made_by: Option<Principal>,
    /// Whether a role is held in a team; without a team, everywhere.
    pub holds: &'a (dyn Fn(&str, Option<&TeamId>) -> bool + Sync),
}

/// By what right somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entitlement {
    /// It is the candidate's own turn.
    Own,
    /// It is the turn of somebody who is represented.
    OnBehalfOf(Principal),
}

/// Why somebody may not decide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEntitled {
    #[error(transparent)]
    NotPending(#[from] NotPending),
    #[error("whoever asks for a certificate does not approve it; somebody else has to decide")]
    OwnRequest,
    #[error("{0} has decided already; another person has to")]
    DecidedAlready(Principal),
    #[error("it is the turn of {0}")]
    NotYourTurn(String),
}

impl Candidate<'_> {
    /// Whether the candidate may decide, on its own or for one of those it represents.
    pub fn entitlement(
        &self,
        approval: &Approval,
        represented: &[Candidate<'_>],
    ) -> Result<Entitlement, NotEntitled> {
        approval.stage()?;
        if self.stands_behind(approval) {
            return Err(NotEntitled::OwnRequest);
        }
        if let Some(decided) = approval.decision_of(&self.person) {
            return Err(NotEntitled::DecidedAlready(decided));
        }
        if self.is_asked(approval) {
            return Ok(Entitlement::Own);
        }
        // Who may not decide oneself cannot have it done either.
        let for_whom = represented.iter().find(|other| {
            other.is_asked(approval)
                && !other.stands_behind(approval)
                && approval.decision_of(&other.person).is_none()
        });
        match for_whom {
            Some(other) => Ok(Entitlement::OnBehalfOf(other.principal.clone())),
            None => Err(NotEntitled::NotYourTurn(approval.asked_text())),
        }
    }

    fn stands_behind(&self, approval: &Approval) -> bool {
        let is_behind = |who: &Principal| approval.behind.contains(who);
        is_behind(&self.principal)
            || is_behind(&self.person)
            // A token that the requester made for the purpose is the requester.
            || (self.made_by.is_some() && self.made_by == approval.requester)
    }

    fn is_asked(&self, approval: &Approval) -> bool {
        let team = approval.team_id.as_ref();
        approval.asked().any(|approver| match approver {
            Approver::Named { principal } => {
                *principal == self.principal || *principal == self.person
            }
            Approver::Role { role, scope } => match scope {
                RoleScope::OwnerTeam => (self.holds)(role, team),
                RoleScope::Everywhere => (self.holds)(role, None),
            },
        })
    }
}

impl Approval {
    /// Whose turn it is: the stage's approvers, and those it escalated to.
    pub fn asked(&self) -> impl Iterator<Item = &Approver> {
        let stage = self.stage().ok();
        let of_stage = stage
            .and_then(|stage| self.rule.stages.get(stage as usize))
            .into_iter()
            .flat_map(|stage| &stage.approvers);
        let steps = match stage {
            Some(_) => self.escalated as usize,
            None => 0,
        };
        let escalated = self.rule.escalation.iter().take(steps);
        of_stage.chain(escalated.flat_map(|step| &step.to))
    }

    /// The people who are asked by name.
    pub fn named(&self) -> impl Iterator<Item = &Principal> {
        self.asked().filter_map(|approver| match approver {
            Approver::Named { principal } => Some(principal),
            Approver::Role { .. } => None,
        })
    }

    /// The same as a text: `role approver, usr_…`.
    pub fn asked_text(&self) -> String {
        let asked: Vec<String> = self.asked().map(ToString::to_string).collect();
        asked.join(", or ")
    }

    /// Whether only named people are asked and `is_absent` is true of all of them.
    pub fn nobody_is_there(&self, is_absent: impl Fn(&Principal) -> bool) -> bool {
        let mut asked = self.asked().peekable();
        asked.peek().is_some()
            && asked.all(|approver| match approver {
                Approver::Named { principal } => is_absent(principal),
                Approver::Role { .. } => false,
            })
    }

    /// The decision that a person took in this round, or that was taken for it.
    fn decision_of(&self, person: &Principal) -> Option<Principal> {
        let found = self.standing_decisions().find(|decision| {
            decision.person == *person || decision.on_behalf_of.as_ref() == Some(person)
        });
        found.map(|_| person.clone())
    }
}
