//! Notification rules: made, changed, deleted.

use std::collections::HashSet;

use domain::notification::channel::is_name;
use domain::notification::rule::{Rule, RuleSpec};
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::dispatch::RULES;
use super::template::{TemplateFault, check_condition};
use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::{Expected, version_after};

/// Why a rule stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("`{0}` is no name: lower-case letters, digits and hyphens, at most 63")]
    BadName(String),
    #[error("`channels` is empty: a rule sends to one channel at least")]
    NoChannel,
    #[error("there is no notification channel `{0}`")]
    NoSuchChannel(String),
    #[error("there is no team `{0}`; `certwright team list` shows those there are")]
    NoSuchTeam(String),
    #[error("`events` is empty: name some, like `certificate.expiring`, or all by `*`")]
    NoEvent,
    #[error("`recipients`: `{0}` is no mail address")]
    BadAddress(String),
    #[error("there is no role `{0}`; `certwright role list` shows those there are")]
    NoSuchRole(String),
    #[error(
        "`recipients` names people, whom none of these channels reaches: name one of the kind `smtp`"
    )]
    NoMail,
    #[error("the condition cannot be used: {0}")]
    Condition(#[from] TemplateFault),
    #[error("the rule was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// All rules by name.
    pub async fn notification_rules(&self) -> Result<Vec<Rule>, StoreError> {
        self.store
            .scan("notification_rule.list", |tx| {
                Box::pin(async move { tx.list_notification_rules().await })
            })
            .await
    }

    /// The rule with that name.
    pub async fn notification_rule(&self, name: &str) -> Result<Option<Rule>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("notification_rule.find", |tx| {
                Box::pin(async move { tx.find_notification_rule(&name).await })
            })
            .await
    }

    /// Makes a rule, or changes the one with that name, if it is as expected.
    pub async fn put_notification_rule(
        &self,
        name: String,
        spec: RuleSpec,
        expected: Expected<Timestamp>,
        caller: &Caller,
    ) -> Result<Rule, RuleError> {
        check(&name, &spec)?;
        for role in &spec.recipients.roles {
            if self.role(role).await?.is_none() {
                return Err(RuleError::NoSuchRole(role.chars().take(80).collect()));
            }
        }
        let mail: HashSet<&'static str> = self
            .channel_kinds()
            .filter(|kind| kind.reaches_people())
            .map(|kind| kind.name())
            .collect();
        let now = self.now();
        let mut event = self.event(caller, "notification_rule.changed", &name, json!({}));
        let mut rule = Rule {
            name,
            spec,
            created_at: now,
            updated_at: now,
        };
        self.store
            .write("notification_rule.put", move |tx| {
                Box::pin(async move {
                    let mut reaches_people = false;
                    for name in &rule.spec.channels {
                        let Some(channel) = tx.find_channel(name).await? else {
                            return Err(RuleError::NoSuchChannel(name.clone()));
                        };
                        reaches_people |= mail.contains(channel.kind.as_str());
                    }
                    if rule.spec.recipients.name_people() && !reaches_people {
                        return Err(RuleError::NoMail);
                    }
                    for team in &rule.spec.teams {
                        if tx.find_team_by_name(team).await?.is_none() {
                            return Err(RuleError::NoSuchTeam(team.clone()));
                        }
                    }
                    let known = tx.find_notification_rule(&rule.name).await?;
                    if !expected.agrees(known.as_ref().map(|known| &known.updated_at)) {
                        return Err(RuleError::Changed);
                    }
                    if let Some(known) = &known {
                        rule.created_at = known.created_at;
                        rule.updated_at = version_after(known.updated_at, rule.updated_at);
                    } else {
                        event.name = "notification_rule.created".to_owned();
                    }
                    // The first rule tells of what happens from now on.
                    let rules = tx.list_notification_rules().await?;
                    if !rules.iter().any(|rule| rule.spec.enabled) {
                        let (end, _) = tx.chain_end().await?;
                        tx.set_cursor(RULES, end, now).await?;
                    }
                    event.note("before", known.map(|known| known.spec));
                    event.note("after", &rule.spec);
                    tx.put_notification_rule(&rule).await?;
                    tx.insert_event(&event).await?;
                    Ok(rule)
                })
            })
            .await
    }

    /// Deletes a rule; what it sent off goes on. Says whether it was there.
    pub async fn delete_notification_rule(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let mut event = self.event(caller, "notification_rule.deleted", name, json!({}));
        let name = name.to_owned();
        self.store
            .write("notification_rule.delete", move |tx| {
                Box::pin(async move {
                    let Some(known) = tx.find_notification_rule(&name).await? else {
                        return Ok::<_, StoreError>(false);
                    };
                    event.note("before", &known.spec);
                    event.note("after", ());
                    tx.delete_notification_rule(&name).await?;
                    tx.insert_event(&event).await?;
                    Ok(true)
                })
            })
            .await
    }
}

fn check(name: &str, spec: &RuleSpec) -> Result<(), RuleError> {
    if !is_name(name) {
        return Err(RuleError::BadName(name.chars().take(80).collect()));
    }
    if spec.channels.is_empty() {
        return Err(RuleError::NoChannel);
    }
    if spec.events.is_empty() {
        return Err(RuleError::NoEvent);
    }
    for address in &spec.recipients.addresses {
        let is_address = address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !address.contains(char::is_control)
        });
        if !is_address {
            return Err(RuleError::BadAddress(address.chars().take(80).collect()));
        }
    }
    if let Some(expression) = &spec.when {
        check_condition(expression)?;
    }
    Ok(())
}
