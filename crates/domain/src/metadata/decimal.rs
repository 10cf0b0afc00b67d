//! Decimal numbers as people write them, compared exactly.

use std::fmt;
use std::str::FromStr;

/// A decimal number with up to 18 digits before and 9 behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i128);

/// A text that is no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no number; write digits, at most 18 before and 9 behind a point: 42, -1.5")]
pub(super) struct NoDecimal;

impl FromStr for Decimal {
    type Err = NoDecimal;

    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|o| o.is_ascii_digit());
        let whole = if is_digits(whole) {
            whole.trim_start_matches('0')
        } else {
            return Err(NoDecimal);
        };
        let part = if is_digits(part) {
            part.trim_end_matches('0')
        } else {
            return Err(NoDecimal);
        };
        if whole.len() > WHOLE || part.len() > PART {
            return Err(NoDecimal);
        }
        let scaled: i128 = format!("{whole:0>1}{part:0<PART$}")
            .parse()
            .map_err(|_| NoDecimal)?;
        Ok(Self(if negative { -scaled } else { scaled }))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}", magnitude / SCALE)?;
        let part = format!("{:0PART$}", magnitude % SCALE);
        match part.trim_end_matches('0') {
            "" => Ok(()),
            part => write!(f, ".{part}"),
        }
    }
}

const WHOLE: usize = 18;
const PART: usize = 9;
const SCALE: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("42", "42")]
    #[case("007", "7")]
    #[case("+1.50", "1.5")]
    #[case("-0.0", "0")]
    #[case("-0.25", "-0.25")]
    #[case("0", "0")]
    #[case("999999999999999999.999999999", "999999999999999999.999999999")]
    fn a_number_has_one_normal_form(#[case] written: &str, #[case] normal: &str) {
        assert_eq!(written.parse::<Decimal>().unwrap().to_string(), normal);
    }

    #[rstest]
    fn what_is_no_number_is_refused(
        #[values(
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e3",
            "1,5",
            "0x10",
            "1.0000000001",
            "1000000000000000000",
            "--1",
            "½"
        )]
        text: &str,
    ) {
        assert_eq!(text.parse::<Decimal>(), Err(NoDecimal));
    }

    #[test]
    fn numbers_are_ordered_by_size_and_not_by_letters() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert!(number("9") < number("10") && number("-2") < number("-1.999"));
    }
}
