//! Who asks, and in the course of which request: what every event is signed with.

use std::time::Duration;

use domain::access::{Principal, Rights};
use domain::event::{Actor, ActorKind, Event};
use domain::id::EventId;
use parking_lot::Mutex;
use pki::random::Random;
use pki::time::Timestamp;
use serde_json::Value;

use crate::Lifecycle;

/// The origin of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
    pub request_id: Option<String>,
    /// Why it asks, in its own words.
    pub why: Option<String>,
    /// What it may do; verbs that give or take rights look at it, front ends at the rest.
    pub rights: Rights,
}

impl Caller {
    /// This program, on its own account.
    pub fn system() -> Self {
        Self {
            actor: Actor::system(),
            request_id: None,
            why: None,
            rights: Rights::everything(),
        }
    }

    /// An ACME account.
    pub fn acme_account(id: &str, address: Option<String>, request_id: Option<String>) -> Self {
        Self {
            actor: Actor {
                kind: ActorKind::AcmeAccount,
                id: id.to_owned(),
                address,
            },
            request_id,
            why: None,
            // What an account may do, its orders and the directory say.
            rights: Rights::none(),
        }
    }

    /// The same caller with these rights.
    pub fn with_rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }

    /// The same caller with a reason.
    pub fn with_reason(self, why: Option<String>) -> Self {
        Self { why, ..self }
    }

    /// Who it is, where it can hold roles.
    pub fn principal(&self) -> Option<Principal> {
        Principal::of(&self.actor)
    }
}

/// Ids of events that sort in the order in which this process made them, also within a millisecond:
/// what happened to an object is told in its order.
#[derive(Default)]
pub(crate) struct EventIds(Mutex<Option<(Timestamp, u128)>>);

impl EventIds {
    fn mint(&self, now: Timestamp, random: &dyn Random) -> EventId {
        let mut last = self.0.lock();
        let (time, number) = match *last {
            Some((time, number)) if time >= now && time.since(now) < SET_BACK => (time, number + 1),
            // Room above for all that happens in a millisecond.
            Some(_) | None => (now, u128::from_be_bytes(random.octets()) >> (128 - 79)),
        };
        *last = Some((time, number));
        EventId::mint(time, &Numbered(number))
    }
}

/// A clock that falls further was set, and ids follow it: events are found by the times of their ids.
const SET_BACK: Duration = Duration::from_secs(60);

/// Gives the lower octets of a number.
struct Numbered(u128);

impl Random for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        let octets = self.0.to_be_bytes();
        for (to, from) in buffer.iter_mut().rev().zip(octets.iter().rev()) {
            *to = *from;
        }
    }
}

impl Lifecycle {
    /// An event of `caller`'s doing, now.
    pub(crate) fn event(&self, caller: &Caller, name: &str, object: &str, data: Value) -> Event {
        let now = self.now();
        let mut event = Event {
            id: self.event_ids.mint(now, &*self.random),
            name: name.to_owned(),
            at: now,
            actor: caller.actor.clone(),
            object: object.to_owned(),
            data,
            request_id: caller.request_id.clone(),
        };
        if let Some(why) = &caller.why {
            event.note("why", why);
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use pki::random::SystemRandom;

    use super::*;

    #[test]
    fn ids_sort_in_the_order_in_which_they_were_made_also_when_the_clock_stands_or_falls() {
        let (ids, random) = (EventIds::default(), SystemRandom::new());
        let mut made = Vec::new();
        for seconds in [5, 5, 5, 6, 5, 4, 7, 7] {
            made.push(ids.mint(Timestamp::from_seconds(seconds), &random));
        }
        assert!(made.is_sorted());
        made.dedup();
        assert_eq!(made.len(), 8);
    }
}
