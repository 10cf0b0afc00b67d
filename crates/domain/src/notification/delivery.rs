//! A delivery: one event on its way over one channel, until it is there or given up.

use std::time::Duration;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, DeliveryId, EventId};

/// One message on its way. Its id stays the same over all attempts: receivers know repeats by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub channel_id: ChannelId,
    pub event_id: EventId,
    /// What the event happened to: deliveries of one object keep the order of their events.
    pub object: String,
    /// Where the event stands in the log.
    pub position: i64,
    /// Whom alone it is for; empty for all that the channel and its rules name.
    pub recipient: String,
    /// Mail addresses that rules name beside those of the channel.
    pub addresses: Vec<String>,
    pub state: DeliveryState,
    /// How often it failed.
    pub attempts: u32,
    pub next_at: Timestamp,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// To be tried, or tried again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up; somebody may send it again.
    Dead,
}

/// How long to wait after the `failures`th failure in a row; `None` gives the message up. What the
/// receiver asked for is honoured up to the longest wait.
pub fn retry_after(failures: u32, asked: Option<Duration>) -> Option<Duration> {
    if failures >= MAX_ATTEMPTS {
        return None;
    }
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    Some(doubled.max(asked.unwrap_or_default()).min(LONGEST_WAIT))
}

/// As [`retry_after`], for a stream, which is never given up: nothing may be missing from it.
pub fn stream_retry_after(failures: u32) -> Duration {
    FIRST_WAIT
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(LONGEST_STREAM_WAIT)
}

/// With the waits between them about four hours.
pub const MAX_ATTEMPTS: u32 = 12;
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
const LONGEST_STREAM_WAIT: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_end() {
        let waits: Vec<Option<u64>> = (1..=12)
            .map(|failures| retry_after(failures, None).map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits[..4], [Some(10), Some(20), Some(40), Some(80)]);
        assert_eq!(waits[9..], [Some(3600), Some(3600), None]);
    }

    #[test]
    fn a_receivers_wish_is_honoured_within_bounds() {
        let wish = |seconds| retry_after(1, Some(Duration::from_secs(seconds)));
        assert_eq!(wish(1), Some(Duration::from_secs(10)));
        assert_eq!(wish(120), Some(Duration::from_secs(120)));
        assert_eq!(wish(1_000_000), Some(LONGEST_WAIT));
    }

    #[test]
    fn a_stream_never_gives_up() {
        assert_eq!(stream_retry_after(1), FIRST_WAIT);
        assert_eq!(stream_retry_after(u32::MAX), LONGEST_STREAM_WAIT);
    }
}
