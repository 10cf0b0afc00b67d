//! Points in time as people write them in a query: `30d`, `2027-01-31`, `2027-01-31T12:00:00Z`.

use std::time::Duration;

use pki::time::Timestamp;

/// A point in time, or how far away one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    Away(Duration),
}

impl Moment {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(away) = parse_duration(text) {
            return Ok(Self::Away(away));
        }
        let midnight = format!("{text}T00:00:00Z");
        let day = (text.len() == 10).then_some(midnight.as_str());
        day.unwrap_or(text).parse().map(Self::At).map_err(|_| {
            format!(
                "`{text}` is no time; write 12h, 30d, 2w, 1y, 2027-01-31 or 2027-01-31T12:00:00Z"
            )
        })
    }

    /// The instant, counted from now on.
    pub fn ahead(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Away(away) => now + away,
        }
    }
}

/// `12h`, `30d`, `2w`, `1y` (365 days).
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (digits, hours) = [("h", 1), ("d", 24), ("w", 7 * 24), ("y", 365 * 24)]
        .into_iter()
        .find_map(|(unit, hours)| Some((text.strip_suffix(unit)?, hours)))?;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(Duration::from_secs(count * hours * 3600))
}
