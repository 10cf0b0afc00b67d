//! Nothing is issued by a clock that jumped: its dates would be wrong for as long as certificates live.
//!
//! The clock that says what time it is can be set, by hand or by whoever answers for NTP. Another
//! one counts since the machine started. Where the two part by more than a little, one of them was
//! changed, and a person has to say which time is right.

use std::time::Duration;

use domain::clock::Clock;
use parking_lot::Mutex;
use pki::time::Timestamp;

/// Holds the clock against the machine's uptime.
pub(crate) struct ClockWatch {
    /// Further apart they may not be; zero looks away.
    limit: Duration,
    anchor: Mutex<Option<Anchor>>,
}

/// Both clocks at one moment.
#[derive(Clone, Copy)]
struct Anchor {
    now: Timestamp,
    uptime: Duration,
}

/// The clock cannot be believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the system clock jumped: it shows {shown}, but by the time that passed it is {expected}. Set it right, or restart the server if it is right now"
)]
pub struct ClockJumped {
    pub shown: Timestamp,
    pub expected: Timestamp,
}

impl ClockWatch {
    pub(crate) fn new(clock: &dyn Clock, limit: Duration) -> Self {
        let now = clock.now();
        let anchor = clock.uptime().map(|uptime| Anchor { now, uptime });
        Self {
            limit,
            anchor: Mutex::new(anchor),
        }
    }

    /// Now, if it can be believed.
    pub(crate) fn check(&self, clock: &dyn Clock) -> Result<Timestamp, ClockJumped> {
        let shown = clock.now();
        let (Some(uptime), false) = (clock.uptime(), self.limit.is_zero()) else {
            return Ok(shown);
        };
        let mut held = self.anchor.lock();
        let here = Anchor { now: shown, uptime };
        let anchor = *held.get_or_insert(here);
        let Some(passed) = uptime.checked_sub(anchor.uptime) else {
            // Uptime that falls is another machine's: the process was moved there.
            *held = Some(here);
            return Ok(shown);
        };
        let expected = anchor.now + passed;
        let apart = shown.since(expected).max(expected.since(shown));
        metrics::gauge!("certwright_clock_jump_seconds").set(apart.as_secs_f64());
        if apart > self.limit {
            return Err(ClockJumped { shown, expected });
        }
        // NTP slews a clock by up to 43 s in a day: what it corrects slowly is no jump.
        if passed > RENEWED_EVERY {
            *held = Some(here);
        }
        Ok(shown)
    }
}

const RENEWED_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Clocks {
        now: i64,
        uptime: Option<u64>,
    }

    impl Clock for Clocks {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.now)
        }

        fn uptime(&self) -> Option<Duration> {
            self.uptime.map(Duration::from_secs)
        }
    }

    fn watch(limit: u64, steps: &[(i64, u64)]) -> Vec<bool> {
        let start = Clocks {
            now: 1_000_000,
            uptime: Some(50),
        };
        let watch = ClockWatch::new(&start, Duration::from_secs(limit));
        let at = |&(now, uptime): &(i64, u64)| Clocks {
            now: start.now + now,
            uptime: Some(50 + uptime),
        };
        steps
            .iter()
            .map(|step| watch.check(&at(step)).is_ok())
            .collect()
    }

    #[test]
    fn i07_a_jump_in_either_direction_is_seen_until_it_is_undone() {
        let forward = [(10, 10), (321, 20), (400, 30), (40, 40)];
        assert_eq!(watch(300, &forward), [true, false, false, true]);
        let back = [(-301, 1), (-3600, 2), (3, 3)];
        assert_eq!(watch(300, &back), [false, false, true]);
    }

    #[test]
    fn i07_time_that_passes_and_small_corrections_are_no_jump() {
        // Ten seconds of correction an hour, for two days.
        let steps: Vec<(i64, u64)> = (1..48)
            .map(|hour| (hour * 3610, hour as u64 * 3600))
            .collect();
        assert!(watch(300, &steps).iter().all(|believed| *believed));
    }

    #[test]
    fn i07_without_a_second_clock_or_with_the_watch_off_every_time_is_believed() {
        assert_eq!(watch(0, &[(1_000_000, 1)]), [true]);
        let mut clocks = Clocks {
            now: 0,
            uptime: None,
        };
        let watch = ClockWatch::new(&clocks, Duration::from_secs(300));
        clocks.now = 1_000_000;
        assert!(watch.check(&clocks).is_ok());
    }
}
