//! Dispatch: the event log is read behind a cursor, and what rules choose becomes deliveries.
//!
//! The cursor moves in the transaction that writes the deliveries, so no event is missed and none
//! is read twice, whatever dies in between.

use std::collections::BTreeMap;

use domain::event::{Event, SealedEvent};
use domain::id::{ChannelId, DeliveryId};
use domain::notification::channel::Channel;
use domain::notification::delivery::{Delivery, DeliveryState};
use domain::notification::rule::RuleSpec;
use domain::notification::severity::Severity;
use store::StoreError;

use super::people::PeopleByMail;
use super::{Setup, template};
use crate::Lifecycle;

/// The cursor of the rules.
pub(super) const RULES: &str = "rules";
const PAGE: u32 = 200;

/// Whom a delivery is for, and the addresses it goes to.
type Recipients = BTreeMap<(ChannelId, String), Vec<String>>;

impl Lifecycle {
    /// Reads a page of the log. Says whether there may be more.
    pub(super) async fn dispatch_events(&self, setup: &Setup) -> Result<bool, StoreError> {
        if !setup.rules.iter().any(|rule| rule.spec.enabled) {
            return Ok(false);
        }
        let from = self
            .store
            .read("notification.cursor", |tx| {
                Box::pin(async move { tx.find_cursor(RULES).await })
            })
            .await?
            .map_or(0, |cursor| cursor.position);
        let events = self.sealed_events(from, PAGE).await?;
        let Some(to) = events.last().map(|last| last.position) else {
            return Ok(false);
        };
        let full = events.len() == PAGE as usize;
        let mut deliveries = Vec::new();
        let mut people = PeopleByMail::default();
        for sealed in &events {
            self.deliveries_of(setup, sealed, &mut people, &mut deliveries)
                .await?;
        }
        self.store
            .write("notification.dispatch", move |tx| {
                Box::pin(async move {
                    // Another node was faster: the same deliveries are there already.
                    if tx.advance_cursor(RULES, from, to).await? {
                        tx.insert_deliveries(&deliveries).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Ok(full)
    }

    async fn deliveries_of(
        &self,
        setup: &Setup,
        sealed: &SealedEvent,
        people: &mut PeopleByMail,
        deliveries: &mut Vec<Delivery>,
    ) -> Result<(), StoreError> {
        let event = &sealed.event;
        let now = self.now();
        let fitting = fitting(setup, event);
        let mut chosen = chosen(setup, event, &fitting);
        for spec in fitting.iter().filter(|spec| spec.recipients.name_people()) {
            let reached = self.people_of(&spec.recipients, event, people).await?;
            let channels = setup.channels.iter().filter(|channel| takes(spec, channel));
            for channel in channels.filter(|channel| self.reaches_people(channel)) {
                for (user, address) in &reached {
                    let key = (channel.id.clone(), user.to_string());
                    chosen.insert(key, vec![address.clone()]);
                }
            }
        }
        for ((channel_id, recipient), addresses) in chosen {
            deliveries.push(Delivery {
                id: DeliveryId::mint(now, &*self.random),
                channel_id,
                event_id: event.id.clone(),
                object: event.object.clone(),
                position: sealed.position,
                recipient,
                addresses,
                state: DeliveryState::Waiting,
                attempts: 0,
                next_at: now,
                last_error: None,
                created_at: now,
                updated_at: now,
            });
        }
        Ok(())
    }
}

/// The rules that an event is for.
fn fitting<'a>(setup: &'a Setup, event: &Event) -> Vec<&'a RuleSpec> {
    let severity = Severity::of(event);
    let specs = setup.rules.iter().map(|rule| &rule.spec);
    specs
        .filter(|spec| spec.matches(event, severity) && condition_holds(spec, event, severity))
        .collect()
}

/// The channels that rules choose for an event, each once, with the addresses of all their rules.
fn chosen(setup: &Setup, event: &Event, fitting: &[&RuleSpec]) -> Recipients {
    let mut chosen = Recipients::new();
    for spec in fitting {
        if spec.recipients.are_people_only() {
            continue;
        }
        for channel in setup.channels.iter().filter(|channel| takes(spec, channel)) {
            // What became of a channel's own messages is not told over it.
            if event.name.starts_with("notification.") && event.object == channel.id.as_str() {
                continue;
            }
            let key = (channel.id.clone(), String::new());
            let addresses = chosen.entry(key).or_default();
            for address in &spec.recipients.addresses {
                if !addresses.contains(address) {
                    addresses.push(address.clone());
                }
            }
        }
    }
    chosen
}

fn takes(spec: &RuleSpec, channel: &Channel) -> bool {
    channel.spec.enabled && spec.channels.contains(&channel.name)
}

fn condition_holds(spec: &RuleSpec, event: &Event, severity: Severity) -> bool {
    spec.when
        .as_deref()
        .is_none_or(|expression| template::holds(expression, event, severity))
}
