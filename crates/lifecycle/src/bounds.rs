//! Numbers in rules, held against the least and the most that make sense.

use std::ops::RangeInclusive;

/// A number that is out of its bounds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} is {given}; use {least} to {most}")]
pub struct OutOfBounds {
    member: &'static str,
    given: u64,
    least: u64,
    most: u64,
}

/// The name of a member, what was given, and what may be.
pub(crate) type Bound = (&'static str, u64, RangeInclusive<u64>);

/// Complains of the first member that is out of its bounds.
pub(crate) fn check(bounds: &[Bound]) -> Result<(), OutOfBounds> {
    let Some((member, given, range)) = bounds
        .iter()
        .find(|(_, given, range)| !range.contains(given))
    else {
        return Ok(());
    };
    Err(OutOfBounds {
        member,
        given: *given,
        least: *range.start(),
        most: *range.end(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_out_of_its_bounds_is_named_with_them() {
        let fits: Bound = ("a", 10, 0..=10);
        assert_eq!(check(std::slice::from_ref(&fits)), Ok(()));
        let refused = check(&[fits, ("b", 59, 60..=90), ("c", 91, 60..=90)]);
        assert_eq!(refused.unwrap_err().to_string(), "b is 59; use 60 to 90");
    }
}
