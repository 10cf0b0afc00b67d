//! When a certificate should be renewed (RFC 9773).

use std::time::Duration;

use pki::time::Timestamp;

use crate::profile::RenewalRules;

/// The window in which a client should renew; `end` is always after `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalWindow {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What the CA of a certificate says of its renewal (RFC 9773 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalAdvice {
    /// None where it knows nothing of the certificate.
    pub window: Option<RenewalWindow>,
    /// A page that says why.
    pub explanation_url: Option<String>,
    pub asked_at: Timestamp,
    pub ask_at: Timestamp,
}

impl RenewalWindow {
    /// The one that begins first.
    #[must_use]
    pub fn or_earlier(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.start < self.start => other,
            Some(_) | None => self,
        }
    }
}

/// The window for a certificate: around the last third of its life (the last half where that is
/// under ten days), one per cent wide to each side; in the past for one that is revoked, which
/// tells the client to renew at once.
///
/// A profile may say otherwise; with its rules the window is the part of the life that they name.
pub fn suggest(
    not_before: Timestamp,
    not_after: Timestamp,
    is_revoked: bool,
    rules: Option<RenewalRules>,
    now: Timestamp,
) -> RenewalWindow {
    if is_revoked {
        return RenewalWindow {
            start: now - HOUR,
            end: now - HOUR / 2,
        };
    }
    let life = not_after.since(not_before);
    if let Some(rules) = rules {
        let at = |percent: u8| (not_before + life / 100 * u32::from(percent)).floor_to_second();
        let (start, end) = (at(rules.begin_percent), at(rules.end_percent));
        return RenewalWindow {
            start,
            end: end.max(start + Duration::from_secs(1)),
        };
    }
    let before_end = if life < TEN_DAYS { life / 2 } else { life / 3 };
    let centre = not_after - before_end;
    let spread = (life / 100).max(Duration::from_secs(1));
    RenewalWindow {
        start: (centre - spread).floor_to_second(),
        end: (centre + spread).floor_to_second(),
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_days_are_renewed_around_day_sixty() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let day = |n: u64| start + Duration::from_secs(n * 24 * 60 * 60);
        let window = suggest(start, day(90), false, None, day(1));
        assert!(window.start < day(60) && day(60) < window.end);
        assert!(window.start > day(59) && window.end < day(61));
    }

    #[test]
    fn six_days_are_renewed_in_the_middle() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let day = |n: u64| start + Duration::from_secs(n * 24 * 60 * 60);
        let window = suggest(start, day(6), false, None, day(1));
        assert!(window.start < day(3) && day(3) < window.end);
    }

    #[test]
    fn a_revoked_certificate_is_renewed_at_once() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let window = suggest(now - HOUR, now + TEN_DAYS, true, None, now);
        assert!(window.start < window.end && window.end < now);
    }

    #[test]
    fn a_profile_names_its_own_part_of_the_life() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let day = |n: u64| start + Duration::from_secs(n * 24 * 60 * 60);
        let rules = RenewalRules {
            begin_percent: 20,
            end_percent: 30,
        };
        let window = suggest(start, day(100), false, Some(rules), day(1));
        assert_eq!((window.start, window.end), (day(20), day(30)));
    }
}
