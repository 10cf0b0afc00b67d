//! A rule: which events go to which channels.

use std::fmt;
use std::str::FromStr;

use pki::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::ladder::Ladder;
use super::severity::Severity;
use crate::event::Event;

/// A rule under its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub name: String,
    pub spec: RuleSpec,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which events, to which channels. An empty list of names is no condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Names of channels.
    pub channels: Vec<String>,
    pub events: Vec<EventPattern>,
    #[serde(default)]
    pub teams: Vec<String>,
    #[serde(default)]
    pub profiles: Vec<String>,
    #[serde(default)]
    pub issuers: Vec<String>,
    #[serde(default)]
    pub min_severity: Severity,
    /// An expression over `event` and `severity` that has to be true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The thresholds at which `certificate.expiring` and `certificate.expired` are told.
    #[serde(default)]
    pub ladder: Ladder,
    #[serde(default)]
    pub recipients: Recipients,
}

/// Whom mails go to, beside the addresses of the channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Those whose turn it is to decide, a mail to each: with a link that works for nobody else.
    #[serde(default)]
    pub approvers: bool,
    /// Those who hold one of these roles for the event's team, a mail to each.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl Recipients {
    /// Whether users are meant, each by an own mail.
    pub fn name_people(&self) -> bool {
        self.approvers || !self.roles.is_empty()
    }

    /// Whether there are only users: then nothing goes to the addresses of the channel.
    pub fn are_people_only(&self) -> bool {
        self.name_people() && self.addresses.is_empty()
    }
}

fn yes() -> bool {
    true
}

impl RuleSpec {
    /// Whether the event is this rule's to tell, as far as its conditions go; what stands in `when`
    /// is the caller's to evaluate.
    pub fn matches(&self, event: &Event, severity: Severity) -> bool {
        self.enabled
            && severity >= self.min_severity
            && self.events.iter().any(|pattern| pattern.fits(&event.name))
            && has(&self.teams, event, &["team_name", "team"])
            && has(&self.profiles, event, &["profile"])
            && has(&self.issuers, event, &["issuer", "issuers"])
            && self.is_on_the_ladder(event)
    }

    /// A notice on expiry says which thresholds it stands for; other events stand for none.
    fn is_on_the_ladder(&self, event: &Event) -> bool {
        match event.name.as_str() {
            "certificate.expiring" | "certificate.expired" => {
                let crossed = event.data["crossed"].as_array();
                crossed.is_none_or(|crossed| {
                    let mut crossed = crossed.iter().filter_map(Value::as_u64);
                    crossed.any(|step| self.ladder.steps().any(|own| u64::from(own) == step))
                })
            }
            _ => true,
        }
    }
}

/// Whether one of the members is, or lists, one of the names.
fn has(wanted: &[String], event: &Event, members: &[&str]) -> bool {
    let is_wanted = |found: &Value| {
        let found = found.as_str();
        found.is_some_and(|found| wanted.iter().any(|wanted| wanted == found))
    };
    wanted.is_empty()
        || members.iter().any(|member| match &event.data[*member] {
            Value::Array(found) => found.iter().any(is_wanted),
            found => is_wanted(found),
        })
}

/// `certificate.expiring`, `certificate.*` or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventPattern {
    Exact(String),
    /// Ends with a dot, or is empty for all events.
    Below(String),
}

impl EventPattern {
    /// Whether an event of that name is meant.
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Below(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

/// A text that names no events.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names no events, see column {column}: write a name like `certificate.expiring`, all of \
     a noun like `certificate.*`, or `*`"
)]
pub struct ParsePatternError {
    text: String,
    column: usize,
}

impl FromStr for EventPattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |column| ParsePatternError {
            text: text.chars().take(64).collect(),
            column,
        };
        if text == "*" {
            return Ok(Self::Below(String::new()));
        }
        let names = text.strip_suffix(".*").unwrap_or(text);
        let mut begins = true;
        for (at, character) in names.char_indices() {
            match character {
                'a'..='z' | '0'..='9' | '_' => begins = false,
                '.' if !begins => begins = true,
                _ => return Err(fault(at + 1)),
            }
        }
        match begins || names.len() > 64 {
            true => Err(fault(names.len() + 1)),
            false if names.len() < text.len() => Ok(Self::Below(format!("{names}."))),
            false => Ok(Self::Exact(names.to_owned())),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl Serialize for EventPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use pki::random::Random;
    use serde_json::json;

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

    fn rule(spec: Value) -> RuleSpec {
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn every_condition_has_to_hold() {
        let spec = rule(json!({
            "channels": ["mail"], "events": ["certificate.*"], "teams": ["team_a"],
            "profiles": ["web", "mail"], "issuers": ["issuing"], "min_severity": "notice",
        }));
        let data = json!({"team": "team_a", "profile": "web", "issuer": "issuing"});
        let revoked = event("certificate.revoked", data.clone());
        assert!(spec.matches(&revoked, Severity::Notice));
        assert!(!spec.matches(&revoked, Severity::Info));
        assert!(!spec.matches(&event("order.created", data.clone()), Severity::Notice));
        for member in ["team", "profile", "issuer"] {
            for other in [json!("other"), Value::Null, json!(7)] {
                let mut data = data.clone();
                data[member] = other;
                let event = event("certificate.revoked", data);
                assert!(!spec.matches(&event, Severity::Notice), "{member}");
            }
        }
        // Rules name teams by name; before an issuer is chosen, those that may sign are told.
        let mut waiting = data.clone();
        waiting["team"] = json!("team_0");
        waiting["team_name"] = json!("team_a");
        waiting["issuer"] = Value::Null;
        waiting["issuers"] = json!(["other", "issuing"]);
        assert!(spec.matches(
            &event("certificate.waits", waiting.clone()),
            Severity::Notice
        ));
        waiting["issuers"] = json!(["other"]);
        assert!(!spec.matches(&event("certificate.waits", waiting), Severity::Notice));
        let off = RuleSpec {
            enabled: false,
            ..spec
        };
        assert!(!off.matches(&revoked, Severity::Critical));
    }

    #[test]
    fn an_expiry_notice_is_for_rules_with_its_threshold() {
        let spec = rule(json!({"channels": ["a"], "events": ["*"], "ladder": [20, 5]}));
        for (crossed, told) in [
            (json!([33]), false),
            (json!([33, 20]), true),
            (json!([5]), true),
        ] {
            let event = event("certificate.expiring", json!({ "crossed": crossed }));
            assert_eq!(spec.matches(&event, Severity::Warning), told, "{crossed}");
        }
        assert!(spec.matches(
            &event("renewal.overdue", json!({"crossed": [33]})),
            Severity::Warning
        ));
    }

    #[test]
    fn patterns_are_names_or_what_is_below_them() {
        let all: EventPattern = "*".parse().unwrap();
        assert!(all.fits("a.b"));
        let below: EventPattern = "certificate.*".parse().unwrap();
        assert!(below.fits("certificate.issued") && !below.fits("certificates.x"));
        let exact: EventPattern = "acme.account.created".parse().unwrap();
        assert!(exact.fits("acme.account.created") && !exact.fits("acme.account"));
        for (text, column) in [
            ("", 1),
            (".", 1),
            ("certificate.", 13),
            ("Certificate.issued", 1),
            ("cert*", 5),
            ("a..b", 3),
            ("*.issued", 1),
            (".*", 1),
        ] {
            let error = text.parse::<EventPattern>().unwrap_err();
            assert_eq!(error.column, column, "{text}");
        }
        for text in ["*", "certificate.*", "certificate.issued"] {
            assert_eq!(text.parse::<EventPattern>().unwrap().to_string(), text);
        }
    }
}
