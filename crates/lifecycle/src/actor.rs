//! Who asks, and in the course of which request: what every event is signed with.

use domain::access::{Principal, Rights};
use domain::event::{Actor, ActorKind, Event};
use domain::id::EventId;
use serde_json::Value;

use crate::Lifecycle;

/// The origin of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
    pub request_id: Option<String>,
    /// What it may do; verbs that give or take rights look at it, front ends at the rest.
    pub rights: Rights,
}

impl Caller {
    /// This program, on its own account.
    pub fn system() -> Self {
        Self {
            actor: Actor::system(),
            request_id: None,
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
            // What an account may do, its orders and the directory say.
            rights: Rights::none(),
        }
    }

    /// The same caller with these rights.
    pub fn with_rights(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }

    /// Who it is, where it can hold roles.
    pub fn principal(&self) -> Option<Principal> {
        Principal::of(&self.actor)
    }
}

impl Lifecycle {
    /// An event of `caller`'s doing, now.
    pub(crate) fn event(&self, caller: &Caller, name: &str, object: &str, data: Value) -> Event {
        let now = self.now();
        Event {
            id: EventId::mint(now, &*self.random),
            name: name.to_owned(),
            at: now,
            actor: caller.actor.clone(),
            object: object.to_owned(),
            data,
            request_id: caller.request_id.clone(),
        }
    }
}
