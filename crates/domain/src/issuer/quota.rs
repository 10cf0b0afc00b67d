//! How much an issuer may sign in an hour, a day, a month: what a contract or a CA's own limits allow.

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Certificates in calendar time, UTC; what is not set is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u64>,
}

/// A stretch of calendar time that is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    Hour,
    Day,
    Month,
}

impl Period {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Where the stretch that `now` lies in begins, and where the next does.
    pub fn around(self, now: Timestamp) -> (Timestamp, Timestamp) {
        const HOUR: i64 = 3_600_000;
        const DAY: i64 = 24 * HOUR;
        let millis = now.millis();
        let even = |length: i64| {
            let begin = millis.div_euclid(length) * length;
            (
                Timestamp::from_millis(begin),
                Timestamp::from_millis(begin + length),
            )
        };
        match self {
            Self::Hour => even(HOUR),
            Self::Day => even(DAY),
            Self::Month => {
                let first = now.civil().date().first_of_month();
                let begin = Timestamp::from_civil(first.at(0, 0, 0, 0));
                // The 32nd day after the first lies in the next month, whichever it is.
                let next = (begin + std::time::Duration::from_secs(32 * 24 * 3600))
                    .civil()
                    .date()
                    .first_of_month();
                (begin, Timestamp::from_civil(next.at(0, 0, 0, 0)))
            }
        }
    }
}

impl IssuerLimits {
    /// The limits that are set.
    pub fn each(self) -> impl Iterator<Item = (Period, u64)> {
        [
            (Period::Hour, self.per_hour),
            (Period::Day, self.per_day),
            (Period::Month, self.per_month),
        ]
        .into_iter()
        .filter_map(|(period, limit)| Some((period, limit?)))
    }

    /// Whether nothing is limited.
    pub fn is_unlimited(self) -> bool {
        self.each().next().is_none()
    }
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub period: Period,
    pub used: u64,
    pub limit: u64,
    /// Counting begins anew then.
    pub resets_at: Timestamp,
}

impl Usage {
    /// When there is room again, if there is none.
    pub fn spent_until(&self) -> Option<Timestamp> {
        (self.used >= self.limit).then_some(self.resets_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_with_its_last_day() {
        for (now, begin, end) in [
            (
                "2026-02-28T23:59:59Z",
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
            (
                "2028-02-29T12:00:00Z",
                "2028-02-01T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                "2026-12-31T00:00:00Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            let (from, to) = Period::Month.around(now.parse().unwrap());
            assert_eq!(
                (from.to_string(), to.to_string()),
                (begin.to_owned(), end.to_owned())
            );
        }
    }

    #[test]
    fn a_limit_is_used_up_at_its_number() {
        let usage = |used| Usage {
            period: Period::Hour,
            used,
            limit: 3,
            resets_at: Timestamp::from_seconds(3600),
        };
        assert_eq!(usage(2).spent_until(), None);
        assert_eq!(usage(3).spent_until(), Some(Timestamp::from_seconds(3600)));
    }
}
