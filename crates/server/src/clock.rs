//! The machine's clocks.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use pki::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The system's time, and the time since the machine started.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn uptime(&self) -> Option<Duration> {
        let read = clock_gettime(SINCE_START);
        let seconds = u64::try_from(read.tv_sec).ok()?;
        let nanoseconds = u32::try_from(read.tv_nsec).ok()?;
        Some(Duration::new(seconds, nanoseconds))
    }
}

/// Counts while the machine sleeps, too: to wake up is no jump.
#[cfg(target_os = "linux")]
const SINCE_START: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SINCE_START: ClockId = ClockId::Monotonic;
