//! How long whoever guesses has to wait: longer after each failure.

use std::time::Duration;

use pki::time::Timestamp;

/// What is remembered of a user name or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Since the last success or the last lifting.
    pub failures: u32,
    pub last_at: Timestamp,
    /// Nothing is looked at before.
    pub locked_until: Option<Timestamp>,
}

/// How failures turn into waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The failure of this number is the first that costs a wait: people mistype.
    pub free: u32,
    /// The first wait; each further one is twice as long.
    pub first: Duration,
    /// The longest wait, so that guessing at a name does not keep its owner out for good.
    pub longest: Duration,
    /// Failures this old are forgotten.
    pub memory: Duration,
}

impl Backoff {
    /// For one user name.
    pub const USER: Self = Self {
        free: 5,
        first: Duration::from_secs(15),
        longest: Duration::from_secs(15 * 60),
        memory: Duration::from_secs(24 * 60 * 60),
    };

    /// For one address, behind which there may be a whole office.
    pub const ADDRESS: Self = Self {
        free: 25,
        first: Duration::from_secs(15),
        longest: Duration::from_secs(60 * 60),
        memory: Duration::from_secs(24 * 60 * 60),
    };

    /// Counts an attempt as failed, or says how long to wait until one is looked at.
    pub fn count(&self, known: Option<Attempts>, now: Timestamp) -> Result<Attempts, Duration> {
        let known = known.filter(|attempts| now < attempts.last_at + self.memory);
        if let Some(until) = known.and_then(|attempts| attempts.locked_until)
            && now < until
        {
            return Err(until.since(now));
        }
        let failures = known
            .map_or(0, |attempts| attempts.failures)
            .saturating_add(1);
        let wait = self.wait(failures);
        Ok(Attempts {
            failures,
            last_at: now,
            locked_until: (!wait.is_zero()).then(|| now + wait),
        })
    }

    /// How long to wait after so many failures.
    fn wait(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(seconds)
    }

    #[test]
    fn waits_grow_from_nothing_to_the_longest_and_no_further() {
        let waits: Vec<u64> = (1..=14)
            .map(|failures| Backoff::USER.wait(failures).as_secs())
            .collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900, 900]
        );
        assert_eq!(Backoff::USER.wait(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn while_it_is_locked_nothing_is_looked_at_and_nothing_counted() {
        let mut attempts = None;
        for second in 0..5 {
            attempts = Some(Backoff::USER.count(attempts, at(second)).unwrap());
        }
        let wait = Backoff::USER.count(attempts, at(5)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(14));
        let next = Backoff::USER.count(attempts, at(19)).unwrap();
        assert_eq!(next.failures, 6);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let old = Attempts {
            failures: 20,
            last_at: at(0),
            locked_until: None,
        };
        let day = Backoff::USER.memory.as_secs();
        assert_eq!(Backoff::USER.count(Some(old), at(day)).unwrap().failures, 1);
        assert_eq!(
            Backoff::USER
                .count(Some(old), at(day - 1))
                .unwrap()
                .failures,
            21
        );
    }
}
