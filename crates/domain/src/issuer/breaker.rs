//! A circuit breaker: an issuer that fails again and again is left alone for a while, then tried with
//! one request. Pure: time is given.

use std::time::Duration;

use pki::time::Timestamp;

use super::routing::Standing;

/// What is remembered of an issuer's last answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row.
    failures: u32,
    /// The last of them.
    failed_at: Option<Timestamp>,
    /// Left alone until then.
    rests_until: Option<Timestamp>,
    /// A request is trying it out, since then.
    trial_since: Option<Timestamp>,
}

/// How a breaker stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests go through.
    Closed,
    /// None do, until then.
    Open { until: Timestamp },
    /// The next one, or the one under way, says whether all do again.
    HalfOpen,
}

impl Breaker {
    /// Whether a request may go to the issuer now.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match (self.rests_until, self.trial_since) {
            // After a single failure others are preferred for a moment, where there are any.
            (None, _) => match self.failed_at.map(|at| at + SHAKEN) {
                Some(until) if until > now => Standing::Resting { until },
                Some(_) | None => Standing::Fit,
            },
            (Some(until), _) if until > now => Standing::Resting { until },
            // One is under way; a process that died with it must not keep the issuer out for good.
            (Some(_), Some(since)) if since + TRIAL > now => Standing::Resting {
                until: since + TRIAL,
            },
            (Some(_), _) => Standing::Fit,
        }
    }

    /// How it stands.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match self.rests_until {
            None => BreakerState::Closed,
            Some(until) if until > now => BreakerState::Open { until },
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// A request goes to the issuer.
    pub fn asked(&mut self, now: Timestamp) {
        if self.rests_until.is_some_and(|until| until <= now) {
            self.trial_since = Some(now);
        }
    }

    /// The issuer answered: yes, no, or later.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The issuer did not answer, or not sensibly. Says whether it is left alone from now on, which it
    /// was not before.
    pub fn failed(&mut self, now: Timestamp) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        self.trial_since = None;
        if self.failures < FAILURES {
            return false;
        }
        let was_closed = self.rests_until.is_none();
        let doublings = (self.failures - FAILURES).min(6);
        let rest = (FIRST_REST * 2_u32.pow(doublings)).min(LONGEST_REST);
        self.rests_until = Some(now + rest);
        was_closed
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// One lost answer is chance, five are none.
const FAILURES: u32 = 5;
const SHAKEN: Duration = Duration::from_secs(10);
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// As long as a request waits for an issuer at most.
const TRIAL: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn it_opens_after_five_failures_tries_one_and_closes_with_an_answer() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.failed(at(0)));
        }
        assert_eq!(breaker.standing(at(0)), Standing::Resting { until: at(10) });
        assert_eq!(breaker.standing(at(10)), Standing::Fit);
        assert!(breaker.failed(at(0)), "it opens now");
        assert_eq!(
            breaker.standing(at(29)),
            Standing::Resting { until: at(30) }
        );
        assert_eq!(breaker.state(at(30)), BreakerState::HalfOpen);
        assert_eq!(breaker.standing(at(30)), Standing::Fit, "one may try");
        breaker.asked(at(30));
        assert!(matches!(breaker.standing(at(31)), Standing::Resting { .. }));
        assert!(!breaker.failed(at(31)), "it was open before");
        assert_eq!(
            breaker.standing(at(90)),
            Standing::Resting { until: at(91) }
        );
        breaker.asked(at(91));
        breaker.answered();
        assert_eq!(breaker.state(at(92)), BreakerState::Closed);
    }

    #[test]
    fn a_trial_whose_process_died_does_not_keep_an_issuer_out() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(at(0));
        }
        breaker.asked(at(30));
        assert_eq!(breaker.standing(at(150)), Standing::Fit);
    }

    #[test]
    fn a_rest_is_never_longer_than_a_quarter_of_an_hour() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.standing(at(900)), Standing::Fit);
    }
}
