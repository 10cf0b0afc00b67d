//! What only operators do: bring CAs in and out of service, change rules with a look at what was
//! there before, hand the event log out.

pub mod audit;
pub mod ca_certificate;
pub mod ca_chain;
pub mod directories;
pub mod issuer_check;
pub mod issuers;
pub mod profiles;
pub mod remote_issuers;
pub mod restore;

use pki::time::Timestamp;

/// What a change relies on being stored, so that two operators do not undo each other's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<V> {
    /// Whatever is there.
    Anything,
    /// Nothing of that name.
    Absent,
    /// What the operator read before.
    Version(V),
}

impl<V: PartialEq> Expected<V> {
    /// Whether what is stored is what was expected.
    pub(crate) fn agrees(&self, stored: Option<&V>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => stored.is_none(),
            Self::Version(version) => stored == Some(version),
        }
    }
}

/// The version that a change makes: two within a millisecond are still two.
pub(crate) fn version_after(before: Timestamp, now: Timestamp) -> Timestamp {
    now.max(Timestamp::from_millis(before.millis() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_held_against_what_is_stored() {
        for (expected, stored, agrees) in [
            (Expected::Anything, None, true),
            (Expected::Anything, Some(1), true),
            (Expected::Absent, None, true),
            (Expected::Absent, Some(1), false),
            (Expected::Version(1), Some(1), true),
            (Expected::Version(1), Some(2), false),
            (Expected::Version(1), None, false),
        ] {
            assert_eq!(
                expected.agrees(stored.as_ref()),
                agrees,
                "{expected:?} {stored:?}"
            );
        }
    }
}
