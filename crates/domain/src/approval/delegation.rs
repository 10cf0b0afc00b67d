//! Somebody is away, and perhaps somebody else decides meanwhile.

use pki::time::Timestamp;

use crate::access::Principal;
use crate::id::DelegationId;

/// An absence from one instant to another, with or without somebody who decides meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    pub id: DelegationId,
    /// Who is away.
    pub principal: Principal,
    /// Who decides in the place of the one who is away.
    pub delegate: Option<Principal>,
    pub reason: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Who said so: the one who is away, or an administrator.
    pub created_by: String,
    pub created_at: Timestamp,
    /// Ended before its time.
    pub ended_at: Option<Timestamp>,
}

/// What is wrong with a delegation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DelegationFault {
    #[error("nobody represents oneself; leave `delegate` out to be absent without anybody")]
    Oneself,
    #[error("`ends_at` must be later than `starts_at`, and in the future")]
    Empty,
    #[error("a delegation lasts a year at most; make another when it ends")]
    TooLong,
}

impl Delegation {
    /// Whether it holds at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at && self.ended_at.is_none()
    }

    /// What is wrong with it, if anything.
    pub fn check(&self, now: Timestamp) -> Result<(), DelegationFault> {
        if self.delegate.as_ref() == Some(&self.principal) {
            Err(DelegationFault::Oneself)
        } else if self.ends_at <= self.starts_at || self.ends_at <= now {
            Err(DelegationFault::Empty)
        } else if self.ends_at.since(self.starts_at) > A_YEAR {
            Err(DelegationFault::TooLong)
        } else {
            Ok(())
        }
    }
}

const A_YEAR: std::time::Duration = std::time::Duration::from_secs(366 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn delegation(from: i64, to: i64) -> Delegation {
        Delegation {
            id: "dlg_00000000000000000000000001".parse().unwrap(),
            principal: "usr_00000000000000000000000001".parse().unwrap(),
            delegate: Some("usr_00000000000000000000000002".parse().unwrap()),
            reason: "holidays".to_owned(),
            starts_at: at(from),
            ends_at: at(to),
            created_by: "usr_00000000000000000000000001".to_owned(),
            created_at: at(0),
            ended_at: None,
        }
    }

    #[test]
    fn a_delegation_holds_from_its_beginning_until_before_its_end() {
        let week = delegation(10, 20);
        for (now, holds) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(week.is_in_force(at(now)), holds, "{now}");
        }
        let mut ended = week;
        ended.ended_at = Some(at(12));
        assert!(!ended.is_in_force(at(15)));
    }

    #[test]
    fn a_delegation_that_makes_no_sense_is_refused() {
        let mut oneself = delegation(0, 10);
        oneself.delegate = Some(oneself.principal.clone());
        for (delegation, fault) in [
            (oneself, DelegationFault::Oneself),
            (delegation(10, 10), DelegationFault::Empty),
            (delegation(-20, -10), DelegationFault::Empty),
            (delegation(0, 400 * 24 * 60 * 60), DelegationFault::TooLong),
        ] {
            assert_eq!(delegation.check(at(0)), Err(fault));
        }
        assert_eq!(delegation(0, 10).check(at(0)), Ok(()));
    }
}
