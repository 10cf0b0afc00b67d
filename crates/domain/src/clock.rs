//! Time as a port, so that a test can live through 47 days in a millisecond.

use std::time::Duration;

use pki::time::Timestamp;

/// Tells the current instant.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, by a clock that nobody sets; `None` where there is none to
    /// hold `now` against.
    fn uptime(&self) -> Option<Duration> {
        None
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}
