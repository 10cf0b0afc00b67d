//! A clock that stands still until it is turned.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use pki::time::Timestamp;

/// Clones show the same time.
#[derive(Clone, Debug)]
pub struct MockClock {
    now: Arc<AtomicI64>,
    /// `now` less what it was made to jump.
    uptime: Arc<AtomicI64>,
}

impl MockClock {
    /// A clock that shows the present.
    pub fn at_present() -> Self {
        Self::at(SystemClock.now())
    }

    /// A clock that shows `instant`.
    pub fn at(instant: Timestamp) -> Self {
        Self {
            now: Arc::new(AtomicI64::new(instant.millis())),
            uptime: Arc::new(AtomicI64::new(CENTURY_MILLIS)),
        }
    }

    /// Turns it forward.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.now.fetch_add(millis, Ordering::SeqCst);
        self.uptime.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets it, back too, as if that time had passed.
    pub fn set(&self, instant: Timestamp) {
        let before = self.now.swap(instant.millis(), Ordering::SeqCst);
        let uptime = instant.millis() - before;
        self.uptime.fetch_add(uptime, Ordering::SeqCst);
    }

    /// Moves it by so many seconds while no time passes, as whoever sets a machine's clock does.
    pub fn jump(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Option<Duration> {
        let millis = self.uptime.load(Ordering::SeqCst);
        u64::try_from(millis).ok().map(Duration::from_millis)
    }
}

/// Tests turn the clock back as well; the uptime begins with enough for that.
const CENTURY_MILLIS: i64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// So many days.
pub fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}
