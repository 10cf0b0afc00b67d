//! Limits of the CA: what it said is not asked again before its time, and what the operator sets is kept.
//!
//! A node knows its own part only; what one node was told costs another node one request.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use pki::time::Timestamp;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Where a CA says that there is a limit but not for how long.
const UNSAID: Duration = Duration::from_secs(15 * 60);
/// No CA is believed to want to be left alone for longer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Sets of names that are remembered; beyond that the CA says it again.
const MAX_REMEMBERED: usize = 4096;

/// The limits of one issuer.
pub(super) struct Limits {
    orders_per_hour: Option<u32>,
    made: Mutex<VecDeque<Timestamp>>,
    refused: Mutex<BTreeMap<String, Refusal>>,
}

#[derive(Clone)]
struct Refusal {
    until: Timestamp,
    text: String,
}

impl Limits {
    pub(super) fn new(orders_per_hour: Option<u32>) -> Self {
        Self {
            orders_per_hour,
            made: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Whether an order for these names may be made now; counts it if so.
    pub(super) fn admit(&self, names: &str, now: Timestamp) -> Result<(), String> {
        if let Some(refusal) = self.refused.lock().get(names)
            && refusal.until > now
        {
            return Err(waiting(&refusal.text, refusal.until));
        }
        let Some(most) = self.orders_per_hour else {
            return Ok(());
        };
        let mut made = self.made.lock();
        while made.front().is_some_and(|first| now.since(*first) >= HOUR) {
            made.pop_front();
        }
        match made.front() {
            Some(first) if made.len() >= most as usize => {
                let text =
                    format!("{most} orders were made within an hour, which is the limit set here");
                Err(waiting(&text, *first + HOUR))
            }
            _ => {
                made.push_back(now);
                Ok(())
            }
        }
    }

    /// Notes that the CA wants no order for these names for a while.
    pub(super) fn note(
        &self,
        names: &str,
        retry_after: Option<Duration>,
        text: String,
        now: Timestamp,
    ) -> String {
        let until = now + retry_after.unwrap_or(UNSAID).min(LONGEST);
        let told = waiting(&text, until);
        let mut refused = self.refused.lock();
        refused.retain(|_, refusal| refusal.until > now);
        if refused.len() < MAX_REMEMBERED {
            refused.insert(names.to_owned(), Refusal { until, text });
        }
        told
    }

    /// What the CA does not take at the moment, if anything.
    pub(super) fn current(&self, now: Timestamp) -> Option<String> {
        let refused = self.refused.lock();
        let mut current = refused.iter().filter(|(_, refusal)| refusal.until > now);
        let (names, refusal) = current.next()?;
        let others = match current.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        Some(format!(
            "{names}: {}{others}",
            waiting(&refusal.text, refusal.until)
        ))
    }
}

fn waiting(text: &str, until: Timestamp) -> String {
    format!("{text}; the CA is asked again after {until}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_ca_refused_is_not_asked_before_its_time() {
        let limits = Limits::new(None);
        let now = Timestamp::from_seconds(1_800_000_000);
        let wait = Some(Duration::from_secs(60));
        let told = limits.note("a.example", wait, "too many".to_owned(), now);
        assert!(
            told.contains("too many; the CA is asked again after"),
            "{told}"
        );
        assert!(
            limits
                .admit("a.example", now + Duration::from_secs(59))
                .is_err()
        );
        assert!(limits.admit("b.example", now).is_ok());
        assert!(
            limits
                .current(now)
                .unwrap()
                .starts_with("a.example: too many")
        );
        assert!(
            limits
                .admit("a.example", now + Duration::from_secs(60))
                .is_ok()
        );
        assert_eq!(limits.current(now + HOUR), None);
    }

    #[test]
    fn orders_of_an_hour_are_counted() {
        let limits = Limits::new(Some(2));
        let now = Timestamp::from_seconds(1_800_000_000);
        assert!(limits.admit("a", now).is_ok());
        assert!(limits.admit("b", now + Duration::from_secs(1)).is_ok());
        assert!(limits.admit("c", now + Duration::from_secs(2)).is_err());
        assert!(limits.admit("c", now + HOUR).is_ok());
        assert!(limits.admit("d", now + HOUR).is_err());
    }
}
