//! How much an event matters to people, as far as its name and data tell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Event;

/// From what is only worth a record to what has to be seen to now.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Goes as it should.
    #[default]
    Info,
    /// Somebody changed something.
    Notice,
    /// Somebody should look at it.
    Warning,
    /// Something is broken, or will be within days.
    Critical,
}

impl Severity {
    /// All there are, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Notice, Self::Warning, Self::Critical];

    /// What the event is to people.
    pub fn of(event: &Event) -> Self {
        let (noun, verb) = event.name.rsplit_once('.').unwrap_or(("", &event.name));
        match (noun, verb) {
            ("certificate", "expired") | ("issuer", "unhealthy") => Self::Critical,
            ("certificate", "expiring") => match event.data["threshold"].as_u64() {
                Some(0..=NEARLY_OVER) => Self::Critical,
                Some(_) | None => Self::Warning,
            },
            ("certificate", "revoked" | "revoked_elsewhere") => match event.data["reason"].as_str()
            {
                Some("keyCompromise" | "cACompromise") => Self::Critical,
                Some(_) | None => Self::Notice,
            },
            ("renewal", "overdue")
            | ("incident", "opened")
            | ("approval", "escalated")
            | ("job", "failing") => Self::Warning,
            (_, "failed" | "denied" | "rejected" | "locked") => Self::Warning,
            ("certificate" | "account" | "order" | "crl" | "enrollment", "created" | "issued") => {
                Self::Info
            }
            (
                _,
                "created" | "changed" | "deleted" | "revoked" | "deactivated" | "restored"
                | "key_changed" | "awaiting_approval" | "approved" | "reminder" | "expired"
                | "closed" | "imported" | "blocked" | "unblocked" | "retired" | "activated"
                | "acknowledged",
            ) => Self::Notice,
            _ => Self::Info,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Per cent of a certificate's life below which its end is nobody's to postpone.
const NEARLY_OVER: u64 = 5;

#[cfg(test)]
mod tests {
    use pki::random::Random;
    use pki::time::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::event::Actor;
    use crate::id::EventId;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn event(name: &str, data: Value) -> Event {
        Event {
            id: EventId::mint(Timestamp::UNIX_EPOCH, &Zeros),
            name: name.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::system(),
            object: "x".to_owned(),
            data,
            request_id: None,
        }
    }

    #[test]
    fn what_is_broken_is_critical_and_what_goes_well_is_not() {
        for (name, data, severity) in [
            ("certificate.issued", json!({}), Severity::Info),
            (
                "certificate.revoked_elsewhere",
                json!({"reason": "keyCompromise"}),
                Severity::Critical,
            ),
            ("certificate.revoked_elsewhere", json!({}), Severity::Notice),
            ("key.blocked", json!({}), Severity::Notice),
            (
                "certificate.expiring",
                json!({"threshold": 33}),
                Severity::Warning,
            ),
            (
                "certificate.expiring",
                json!({"threshold": 5}),
                Severity::Critical,
            ),
            (
                "certificate.expired",
                json!({"threshold": 0}),
                Severity::Critical,
            ),
            (
                "certificate.revoked",
                json!({"reason": "superseded"}),
                Severity::Notice,
            ),
            (
                "certificate.revoked",
                json!({"reason": "keyCompromise"}),
                Severity::Critical,
            ),
            ("renewal.overdue", json!({}), Severity::Warning),
            ("enrollment.failed", json!({}), Severity::Warning),
            ("job.failing", json!({}), Severity::Warning),
            ("job.recovered", json!({}), Severity::Info),
            ("profile.changed", json!({}), Severity::Notice),
            ("crl.published", json!({}), Severity::Info),
            ("no_dot", json!(null), Severity::Info),
        ] {
            assert_eq!(Severity::of(&event(name, data)), severity, "{name}");
        }
        assert!(Severity::Critical > Severity::Info);
    }
}
