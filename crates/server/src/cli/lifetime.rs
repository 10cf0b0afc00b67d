//! Lengths of time as people write them: `90d`, `12h`, `30m`, `45s`.

use std::str::FromStr;

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub u64);

/// A text that is no length of time.
#[derive(Debug, thiserror::Error)]
#[error("write a number and d, h, m or s: 90d, 12h, 30m, 45s")]
pub struct ParseLifetimeError;

impl FromStr for Lifetime {
    type Err = ParseLifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
            .into_iter()
            .find_map(|(letter, seconds)| Some((text.strip_suffix(letter)?, seconds)))
            .ok_or(ParseLifetimeError)?;
        let number: u64 = number.parse().map_err(|_| ParseLifetimeError)?;
        match number.checked_mul(unit) {
            Some(seconds) if seconds > 0 => Ok(Self(seconds)),
            Some(_) | None => Err(ParseLifetimeError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, seconds) in [
            ("90d", Some(7_776_000)),
            ("12h", Some(43_200)),
            ("5m", Some(300)),
            ("45s", Some(45)),
            ("0d", None),
            ("45", None),
            ("d", None),
            ("-1d", None),
            ("1w", None),
            ("99999999999999999999d", None),
            ("999999999999999999d", None),
        ] {
            assert_eq!(
                text.parse::<Lifetime>().ok().map(|l| l.0),
                seconds,
                "{text}"
            );
        }
    }
}
