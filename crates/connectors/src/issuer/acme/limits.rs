//! Limits of the CA: what it said is not asked again before its time, and what the operator sets is kept.
//!
//! What is known is durable and the same on every node. Two that learn something at the same moment may
//! forget one of it, which costs a request that the CA answers with the same.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::id::IssuerId;
use domain::issuer::{ConnectorState, IssueError, StateError};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

const STATE: &str = "limits";
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Where a CA says that there is a limit but not for how long.
pub(super) const UNSAID: Duration = Duration::from_secs(15 * 60);
/// No CA is believed to want to be left alone for longer.
pub(super) const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What is for all names, as it seems, is tried again after so long: it may have been for one of them.
const LONGEST_FOR_ALL: Duration = HOUR;
/// Sets of names that are remembered; beyond that the CA says it again.
const MAX_REMEMBERED: usize = 1024;

/// The limits of one issuer.
pub(super) struct Limits {
    issuer: IssuerId,
    orders_per_hour: Option<u32>,
    state: Arc<dyn ConnectorState>,
    /// One after the other reads, changes and writes.
    turn: Mutex<()>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// When orders of the last hour were made, where there is a limit of our own.
    made: VecDeque<Timestamp>,
    /// By what the CA takes no more of.
    refused: BTreeMap<Of, Refusal>,
}

/// What a limit is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub(super) enum Of {
    /// Requests of any kind.
    Requests,
    /// Orders, whatever for.
    Orders,
    /// Orders for these names.
    Names(String),
}

#[derive(Clone, Serialize, Deserialize)]
struct Refusal {
    until: Timestamp,
    text: String,
}

impl Of {
    /// What a refused order tells of: RFC 8555 has no way to say it, but CAs name what they count.
    pub(super) fn refused_order(names: &str, detail: &str) -> Self {
        let detail = detail.to_ascii_lowercase();
        let is_named = names.split(", ").any(|name| {
            let name = name.trim_start_matches("*.").to_ascii_lowercase();
            let mut parents = std::iter::successors(Some(name.as_str()), |name| {
                name.split_once('.').map(|(_, parent)| parent)
            });
            parents.any(|name| name.contains('.') && detail.contains(name))
        });
        match is_named || detail.contains("exact set") {
            true => Self::Names(names.to_owned()),
            false => Self::Orders,
        }
    }

    fn longest(&self) -> Duration {
        match self {
            Self::Names(_) => LONGEST,
            Self::Requests | Self::Orders => LONGEST_FOR_ALL,
        }
    }
}

impl From<Of> for String {
    fn from(of: Of) -> Self {
        match of {
            Of::Requests => "requests".to_owned(),
            Of::Orders => "orders".to_owned(),
            Of::Names(names) => format!("names {names}"),
        }
    }
}

impl From<String> for Of {
    fn from(text: String) -> Self {
        match (text.as_str(), text.strip_prefix("names ")) {
            (_, Some(names)) => Self::Names(names.to_owned()),
            ("requests", None) => Self::Requests,
            _ => Self::Orders,
        }
    }
}

impl Limits {
    pub(super) fn new(
        issuer: IssuerId,
        orders_per_hour: Option<u32>,
        state: Arc<dyn ConnectorState>,
    ) -> Self {
        Self {
            issuer,
            orders_per_hour,
            state,
            turn: Mutex::default(),
        }
    }

    /// Whether an order for these names may be made now; counts it if so.
    pub(super) async fn admit(&self, names: &str, now: Timestamp) -> Result<(), IssueError> {
        let _turn = self.turn.lock().await;
        let mut known = self.known().await?;
        let asked = [Of::Requests, Of::Orders, Of::Names(names.to_owned())];
        known.check(&asked, now)?;
        let Some(most) = self.orders_per_hour else {
            return Ok(());
        };
        known.made.retain(|made| now.since(*made) < HOUR);
        if let Some(first) = known.made.front()
            && known.made.len() >= most as usize
        {
            let text =
                format!("{most} orders were made within an hour, which is the limit set here");
            return Err(throttled(&text, *first + HOUR, now));
        }
        known.made.push_back(now);
        Ok(self.keep(&known).await?)
    }

    /// Whether the CA takes requests at all.
    pub(super) async fn admit_request(&self, now: Timestamp) -> Result<(), IssueError> {
        self.known().await?.check(&[Of::Requests], now)
    }

    /// Notes that the CA wants no more of it for a while; what whoever waits is told.
    pub(super) async fn note(
        &self,
        of: Of,
        retry_after: Option<Duration>,
        text: String,
        now: Timestamp,
    ) -> IssueError {
        let _turn = self.turn.lock().await;
        let until = now + retry_after.unwrap_or(UNSAID).min(of.longest());
        let told = throttled(&text, until, now);
        let kept = async {
            let mut known = self.known().await?;
            known.refused.retain(|_, refusal| refusal.until > now);
            if known.refused.len() < MAX_REMEMBERED || !matches!(of, Of::Names(_)) {
                known.refused.insert(of, Refusal { until, text });
            }
            self.keep(&known).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(issuer.id = %self.issuer, error = %error, "a limit of the CA is not remembered");
        }
        told
    }

    /// What the CA does not take at the moment, if anything.
    pub(super) async fn current(&self, now: Timestamp) -> Result<Option<String>, StateError> {
        let known = self.known().await?;
        let mut current = known
            .refused
            .iter()
            .filter(|(_, refusal)| refusal.until > now);
        let Some((of, refusal)) = current.next() else {
            return Ok(None);
        };
        let others = match current.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let of = match of {
            Of::Requests => "every request",
            Of::Orders => "every order",
            Of::Names(names) => names,
        };
        let told = waiting(&refusal.text, refusal.until);
        Ok(Some(format!("{of}: {told}{others}")))
    }

    async fn known(&self) -> Result<Known, StateError> {
        let text = self.state.get(&self.issuer, STATE).await?;
        // What cannot be read any more the CA says again.
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    async fn keep(&self, known: &Known) -> Result<(), StateError> {
        let text = serde_json::to_string(known).map_err(|error| StateError(error.to_string()))?;
        self.state.put(&self.issuer, STATE, &text).await
    }
}

impl Known {
    fn check(&self, asked: &[Of], now: Timestamp) -> Result<(), IssueError> {
        let refusals = asked.iter().filter_map(|of| self.refused.get(of));
        match refusals.max_by_key(|refusal| refusal.until) {
            Some(refusal) if refusal.until > now => {
                Err(throttled(&refusal.text, refusal.until, now))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn throttled(text: &str, until: Timestamp, now: Timestamp) -> IssueError {
    IssueError::Throttled {
        text: waiting(text, until),
        after: until.since(now),
    }
}

fn waiting(text: &str, until: Timestamp) -> String {
    format!("{text}; the CA is asked again after {until}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_order_is_about_the_names_that_it_tells_of() {
        for (names, detail, of_names) in [
            (
                "www.a.example",
                "too many certificates (50) already issued for \"a.example\"",
                true,
            ),
            (
                "*.a.example, b.example",
                "too many failed authorizations for B.example",
                true,
            ),
            (
                "a.example",
                "too many certificates for this exact set of identifiers",
                true,
            ),
            (
                "a.example",
                "too many new orders (300) from this account",
                false,
            ),
            ("a.example", "an example of a busy CA", false),
        ] {
            let of = Of::refused_order(names, detail);
            assert_eq!(matches!(of, Of::Names(_)), of_names, "{detail}");
            assert_eq!(Of::from(String::from(of.clone())), of);
        }
    }

    #[test]
    fn what_is_refused_is_not_asked_before_its_time() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let minute = Duration::from_secs(60);
        let text = "too many".to_owned();
        let until = now + minute;
        let known = Known {
            refused: BTreeMap::from([(Of::Orders, Refusal { until, text })]),
            ..Known::default()
        };
        let known: Known = serde_json::from_str(&serde_json::to_string(&known).unwrap()).unwrap();
        let asked = [Of::Requests, Of::Orders];
        let told = known.check(&asked, now).unwrap_err();
        assert!(
            matches!(told, IssueError::Throttled { after, .. } if after == minute),
            "{told}"
        );
        assert!(known.check(&[Of::Requests], now).is_ok());
        assert!(known.check(&asked, until).is_ok());
    }
}
