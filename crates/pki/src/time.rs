//! An instant as this project stores and shows it: whole milliseconds since 1970, UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC with millisecond resolution; in JSON an RFC 3339 string, in SQL an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// 9999-12-31T23:59:59Z, which RFC 5280 section 4.1.2.5 reads as "no end".
    pub const NO_EXPIRATION: Self = Self(253_402_300_799_000);

    /// From milliseconds since the Unix epoch, clamped to the years that X.509 can write.
    pub const fn from_millis(millis: i64) -> Self {
        if millis > Self::NO_EXPIRATION.0 {
            Self::NO_EXPIRATION
        } else {
            Self(millis)
        }
    }

    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same instant without its fraction of a second, as X.509 writes it.
    pub const fn floor_to_second(self) -> Self {
        Self(self.seconds() * 1000)
    }

    /// The calendar date and time of day in UTC.
    ///
    /// An instant before the year -9999 has none and gives the epoch.
    pub fn civil(self) -> DateTime {
        EPOCH
            .checked_add(SignedDuration::from_millis(self.0))
            .unwrap_or(EPOCH)
    }

    /// From calendar date and time of day in UTC.
    pub fn from_civil(civil: DateTime) -> Self {
        let millis = civil.duration_since(EPOCH).as_millis();
        Self::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// A text that is not an RFC 3339 timestamp.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time such as 2027-01-31T12:00:00Z")]
pub struct ParseTimestampError(String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let utc = text.strip_suffix(['Z', 'z']).filter(|rest| rest.len() > 10);
        let instant = match utc {
            // `jiff::Timestamp` ends a day before X.509's "no end"; civil time does not.
            Some(civil) => civil.parse().map(Self::from_civil),
            None => text
                .parse::<jiff::Timestamp>()
                .map(|instant| Self::from_millis(instant.as_millisecond())),
        };
        instant.map_err(|_| ParseTimestampError(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with `Z`; the fraction is written only where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.civil())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        for text in [
            "2026-11-23T15:00:00Z",
            "2028-02-29T23:59:59.5Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_time_with_an_offset_is_the_same_instant_in_utc() {
        let instant: Timestamp = "2026-11-23T16:30:00+01:30".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-23T15:00:00Z");
    }

    #[test]
    fn a_text_that_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23Z",
            "2026-02-29T00:00:00Z",
            "now",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_years_of_x509() {
        let end = Timestamp::NO_EXPIRATION + Duration::from_secs(1);
        assert_eq!(end, Timestamp::NO_EXPIRATION);
        assert_eq!(Timestamp::UNIX_EPOCH.since(end), Duration::ZERO);
    }
}
