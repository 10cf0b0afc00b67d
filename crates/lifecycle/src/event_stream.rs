//! The event log as it is written, for those who watch it: what is told to whom, and how soon.
//!
//! One look at the log serves all who watch on this node: events are sealed, the end of the chain is
//! noted, and only who stands before it reads on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::access::Rights;
use domain::event::{Event, SealedEvent};
use domain::id::{
    AccountId, ApprovalId, CertificateId, EabKeyId, EnrollmentId, IncidentId, IssuerId, OrderId,
};
use domain::permission::Permission;
use serde_json::{Map, Value};
use store::StoreError;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::Lifecycle;

/// Where the log's end was seen last, and whether this process is about to stop.
#[derive(Default)]
pub(crate) struct EventWatch {
    end: AtomicI64,
    looked: Mutex<Option<Instant>>,
    stop: OnceLock<CancellationToken>,
}

impl EventWatch {
    /// Ends what waits for events when the process stops.
    pub(crate) fn stop_with(&self, stop: CancellationToken) {
        // A second worker of the same process stops at the same time.
        let _ = self.stop.set(stop);
    }
}

/// What came after a position.
#[derive(Debug)]
pub enum Watched {
    /// Events in their order; none, where nothing happened for a while.
    Events(Vec<SealedEvent>),
    /// More happened than is worth telling one by one; the log now ends here.
    Behind { end: i64 },
    /// The process stops.
    Over,
}

/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(200);
const PAGE: u32 = 200;
/// Who is further behind than this looks at things anew rather than at each change.
const FURTHEST: i64 = 2_000;

impl Lifecycle {
    /// Where the log ends now.
    pub async fn event_log_end(&self) -> Result<i64, StoreError> {
        self.look_at_log(Duration::ZERO).await
    }

    /// Waits, at most for `patience`, until something stands behind `position`.
    pub async fn watch_events(
        &self,
        position: i64,
        patience: Duration,
    ) -> Result<Watched, StoreError> {
        let until = Instant::now() + patience;
        loop {
            let end = self.look_at_log(LOOK).await?;
            if end - position > FURTHEST {
                return Ok(Watched::Behind { end });
            }
            if end > position {
                return Ok(Watched::Events(self.sealed_events(position, PAGE).await?));
            }
            if Instant::now() >= until {
                return Ok(Watched::Events(Vec::new()));
            }
            if self.is_stopped_after(LOOK).await {
                return Ok(Watched::Over);
            }
        }
    }

    /// Seals what was written and notes where the log ends, unless somebody did a moment ago.
    async fn look_at_log(&self, age: Duration) -> Result<i64, StoreError> {
        let mut looked = self.event_watch.looked.lock().await;
        if looked.is_none_or(|at| at.elapsed() >= age) {
            while self.seal_events().await? {}
            let (end, _) = self
                .store
                .read("event.end", |tx| {
                    Box::pin(async move { tx.chain_end().await })
                })
                .await?;
            self.event_watch.end.store(end, Ordering::Relaxed);
            *looked = Some(Instant::now());
        }
        Ok(self.event_watch.end.load(Ordering::Relaxed))
    }

    async fn is_stopped_after(&self, time: Duration) -> bool {
        match self.event_watch.stop.get() {
            None => {
                tokio::time::sleep(time).await;
                false
            }
            Some(stop) => tokio::time::timeout(time, stop.cancelled()).await.is_ok(),
        }
    }

    /// What somebody with these rights is told of an event. Who may read the audit log is told all;
    /// others are told of what they see, without who did it from where.
    pub async fn told_of_event(
        &self,
        event: Event,
        rights: &Rights,
    ) -> Result<Option<Event>, StoreError> {
        if rights.allows(Permission::AuditRead, None) {
            return Ok(Some(event));
        }
        let Some(permission) = sight(&event.object) else {
            return Ok(None);
        };
        if permission == Permission::IssuersRead {
            return Ok(rights.allows_somewhere(permission).then(|| outline(event)));
        }
        if !rights.allows_somewhere(permission) {
            return Ok(None);
        }
        let object = event.object.clone();
        let owner = self
            .store
            .read("event.owner", move |tx| {
                Box::pin(async move { tx.find_owner_of_object(&object).await })
            })
            .await?;
        let is_shown = owner.is_some_and(|team| rights.visible(permission).shows(team.as_ref()));
        Ok(is_shown.then(|| outline(event)))
    }
}

/// The permission that shows an object of this id; `None` where only the audit log tells of it.
fn sight(object: &str) -> Option<Permission> {
    let (prefix, _) = object.split_at(object.find('_')? + 1);
    match prefix {
        CertificateId::PREFIX | EnrollmentId::PREFIX | IncidentId::PREFIX => {
            Some(Permission::CertificatesRead)
        }
        ApprovalId::PREFIX => Some(Permission::ApprovalsRead),
        OrderId::PREFIX | AccountId::PREFIX | EabKeyId::PREFIX => Some(Permission::AcmeRead),
        IssuerId::PREFIX => Some(Permission::IssuersRead),
        _ => None,
    }
}

/// The event without what only the audit log tells.
fn outline(mut event: Event) -> Event {
    event.actor.address = None;
    event.request_id = None;
    let data = match event.data {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    let kept = data
        .into_iter()
        .filter(|(member, _)| TOLD.contains(&member.as_str()));
    event.data = Value::Object(kept.collect());
    event
}

/// What lists of the same objects show as well.
const TOLD: [&str; 9] = [
    "enrollment",
    "issuer",
    "names",
    "not_after",
    "profile",
    "reason",
    "serial",
    "status",
    "team_name",
];

#[cfg(test)]
mod tests {
    use domain::event::Actor;
    use domain::id::EventId;
    use pki::random::SystemRandom;
    use pki::time::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_the_audit_log_tells_is_left_out() {
        let now = Timestamp::from_seconds(1);
        let mut actor = Actor::system();
        actor.address = Some("192.0.2.7".to_owned());
        let event = Event {
            id: EventId::mint(now, &SystemRandom::new()),
            name: "certificate.issued".to_owned(),
            at: now,
            actor,
            object: "crt_1".to_owned(),
            data: json!({"names": ["a.example"], "metadata": {"cost": "4711"}, "before": 1}),
            request_id: Some("r".to_owned()),
        };
        let told = outline(event);
        assert_eq!(told.data, json!({"names": ["a.example"]}));
        assert_eq!((told.actor.address, told.request_id), (None, None));
    }

    #[test]
    fn people_tokens_and_channels_are_the_audit_logs_alone() {
        for object in ["usr_1", "tok_1", "chn_1", "role", "", "ses_1"] {
            assert_eq!(sight(object), None, "{object}");
        }
        assert_eq!(sight("apr_1"), Some(Permission::ApprovalsRead));
    }
}
