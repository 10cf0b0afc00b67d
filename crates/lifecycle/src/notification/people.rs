//! People by mail: who of the users a rule means, and the link by which each of them decides.

use domain::access::Principal;
use domain::approval::Approval;
use domain::event::Event;
use domain::id::{ApprovalId, TeamId, UserId};
use domain::notification::channel::Channel;
use domain::notification::rule::Recipients;
use store::StoreError;

use crate::Lifecycle;
use crate::approvals::LinkError;

/// The users who can get mail, read once for all the events of a page.
#[derive(Default)]
pub(super) struct PeopleByMail(Option<Vec<(UserId, String)>>);

impl Lifecycle {
    /// Whether mails to single people go over that channel.
    pub(super) fn reaches_people(&self, channel: &Channel) -> bool {
        self.kind(&channel.kind)
            .is_ok_and(|kind| kind.reaches_people())
    }

    /// Whom a rule means by an event, with their addresses.
    pub(super) async fn people_of(
        &self,
        recipients: &Recipients,
        event: &Event,
        people: &mut PeopleByMail,
    ) -> Result<Vec<(UserId, String)>, StoreError> {
        let approval = match recipients.approvers && asks_for_a_decision(event) {
            true => self.approval_named_by(event).await?,
            false => None,
        };
        if approval.is_none() && recipients.roles.is_empty() {
            return Ok(Vec::new());
        }
        let team: Option<TeamId> = event.data["team"].as_str().and_then(|id| id.parse().ok());
        let mut meant = Vec::new();
        for (user, address) in self.known_people(people).await? {
            if self
                .is_meant(&recipients.roles, team.as_ref(), approval.as_ref(), user)
                .await?
            {
                meant.push((user.clone(), address.clone()));
            }
        }
        Ok(meant)
    }

    async fn is_meant(
        &self,
        roles: &[String],
        team: Option<&TeamId>,
        approval: Option<&Approval>,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        if !roles.is_empty() {
            let rights = self.rights_of(&Principal::User(user.clone())).await?;
            if roles.iter().any(|role| rights.holds_role(role, team)) {
                return Ok(true);
            }
        }
        match approval {
            Some(approval) => self.may_decide(approval, user).await,
            None => Ok(false),
        }
    }

    async fn known_people<'a>(
        &self,
        people: &'a mut PeopleByMail,
    ) -> Result<&'a [(UserId, String)], StoreError> {
        if people.0.is_none() {
            people.0 = Some(self.users_with_mail().await?);
        }
        Ok(people.0.as_deref().unwrap_or_default())
    }

    async fn users_with_mail(&self) -> Result<Vec<(UserId, String)>, StoreError> {
        let mut found = Vec::new();
        let mut after: Option<UserId> = None;
        loop {
            let from = after.take();
            let page = self
                .store
                .read("notification.people", |tx| {
                    Box::pin(async move { tx.list_users(from.as_ref(), PAGE).await })
                })
                .await?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|user| user.id.clone());
            let active = page.into_iter().filter(|user| user.may_act());
            found.extend(active.filter_map(|user| Some((user.id, user.email?))));
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn approval_named_by(&self, event: &Event) -> Result<Option<Approval>, StoreError> {
        let id = event.data["approval"].as_str();
        match id.and_then(|id| id.parse::<ApprovalId>().ok()) {
            Some(id) => self.approval(&id).await,
            None => Ok(None),
        }
    }

    /// The link by which the one person decides whom a message is for. There is none in messages
    /// for several, nor for whom it is not, or no longer, the turn.
    pub(super) async fn link_for(
        &self,
        event: &Event,
        recipient: &str,
    ) -> Result<Option<String>, LinkError> {
        let Some(user) = recipient
            .parse::<UserId>()
            .ok()
            .filter(|_| asks_for_a_decision(event))
        else {
            return Ok(None);
        };
        let Some(approval) = self.approval_named_by(event).await? else {
            return Ok(None);
        };
        match self.mint_approval_link(&approval.id, &user).await {
            Ok(url) => Ok(Some(url.into())),
            Err(LinkError::Decide(_) | LinkError::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether somebody is asked to approve or deny.
fn asks_for_a_decision(event: &Event) -> bool {
    matches!(
        event.name.as_str(),
        "enrollment.awaiting_approval" | "approval.reminder" | "approval.escalated"
    )
}

const PAGE: u32 = 1_000;
