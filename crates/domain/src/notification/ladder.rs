//! The ladder: at which shares of a certificate's life people hear that it ends, and which steps
//! are taken now.
//!
//! Shares and not days, since three days are nothing to a certificate of a year and half the life of
//! one of six days. A certificate that a program renews is left to it until its renewal window
//! (RFC 9773) has passed without a successor.

use std::time::Duration;

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::profile::RenewalRules;
use crate::renewal;

/// Per cent of the life that is left, the highest first; 0 is the end itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Ladder(Vec<u8>);

/// What is wrong with a ladder.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderFault {
    #[error("a ladder has 1 to {MAX_STEPS} thresholds")]
    Length,
    #[error("the threshold {0} is more than {MAX_SHARE} per cent of a certificate's life")]
    TooEarly(u8),
    #[error("the threshold {0} is there twice")]
    Twice(u8),
}

const MAX_STEPS: usize = 10;
const MAX_SHARE: u8 = 90;

impl Default for Ladder {
    fn default() -> Self {
        Self(vec![33, 15, 5, 0])
    }
}

impl TryFrom<Vec<u8>> for Ladder {
    type Error = LadderFault;

    fn try_from(mut steps: Vec<u8>) -> Result<Self, LadderFault> {
        if !(1..=MAX_STEPS).contains(&steps.len()) {
            return Err(LadderFault::Length);
        }
        steps.sort_unstable_by(|one, other| other.cmp(one));
        for (at, step) in steps.iter().enumerate() {
            if *step > MAX_SHARE {
                return Err(LadderFault::TooEarly(*step));
            }
            if at > 0 && steps.get(at - 1) == Some(step) {
                return Err(LadderFault::Twice(*step));
            }
        }
        Ok(Self(steps))
    }
}

impl From<Ladder> for Vec<u8> {
    fn from(ladder: Ladder) -> Self {
        ladder.0
    }
}

impl Ladder {
    /// The thresholds, the highest first.
    pub fn steps(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied()
    }

    /// All thresholds of this ladder and of the others.
    pub fn joined<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut steps = self.0.clone();
        steps.extend(others.into_iter().flat_map(Self::steps));
        steps.sort_unstable_by(|one, other| other.cmp(one));
        steps.dedup();
        Self(steps)
    }

    /// The first threshold, or where renewal by a program ends if that is earlier: before it there is
    /// nothing to look at. `renewals` are the rules that profiles have of their own.
    pub fn first_look(&self, renewals: impl IntoIterator<Item = RenewalRules>) -> u8 {
        let first = self.0.first().copied().unwrap_or(0);
        let ends = renewals
            .into_iter()
            .map(|rules| 100_u8.saturating_sub(rules.end_percent));
        ends.fold(first.max(EARLIEST_RENEWAL), u8::max)
    }

    /// Names the thresholds, to notice when they change.
    pub fn key(&self) -> String {
        let steps: Vec<String> = self.steps().map(|step| step.to_string()).collect();
        steps.join("-")
    }
}

/// Renewal windows begin when half the life is left, or later.
const EARLIEST_RENEWAL: u8 = 52;

/// What the steps are counted on.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// When we learned of the certificate.
    pub known_since: Timestamp,
    /// Whether a program renews it, since one asked for it.
    pub automated: bool,
    /// When its profile has it renewed, where that says so.
    pub renewal: Option<RenewalRules>,
}

/// Where a certificate stands on the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is to be told now, if nothing replaced the certificate.
    pub step: Option<Step>,
    /// Until then nothing changes but by renewal or revocation.
    pub quiet_until: Timestamp,
}

/// Steps that were passed since the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: StepKind,
    /// The lowest of them; [`OVERDUE`] where a renewal is overdue before any threshold.
    pub lowest: u8,
    /// All of them, the highest first.
    pub crossed: Vec<u8>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A program that should have renewed it has not.
    Overdue,
    Expiring,
    Expired,
}

impl StepKind {
    /// The event that says it.
    pub fn event_name(self) -> &'static str {
        match self {
            Self::Overdue => "renewal.overdue",
            Self::Expiring => "certificate.expiring",
            Self::Expired => "certificate.expired",
        }
    }
}

/// Stands above all thresholds.
pub const OVERDUE: u8 = 100;

/// Where a certificate stands, of which `told` was the lowest step so far.
pub fn standing(life: &Life, ladder: &Ladder, told: Option<u8>, now: Timestamp) -> Standing {
    let due = |step: u8| due_at(life, step);
    let left: Vec<u8> = ladder
        .steps()
        .filter(|step| told.is_none_or(|told| *step < told))
        .collect();
    let (crossed, ahead): (Vec<u8>, Vec<u8>) = left.into_iter().partition(|step| due(*step) <= now);
    let overdue_at = overdue_at(life);
    let overdue = told.is_none() && overdue_at.is_some_and(|at| at <= now);
    let mut next: Vec<Timestamp> = ahead.into_iter().map(due).collect();
    next.extend(overdue_at.filter(|at| told.is_none() && *at > now));
    let quiet_until = next.into_iter().min().unwrap_or(life.not_after + FOR_GOOD);
    let lowest = crossed.last().copied().or(overdue.then_some(OVERDUE));
    let step = lowest.map(|lowest| Step {
        kind: match (lowest, overdue) {
            (0, _) => StepKind::Expired,
            (_, true) => StepKind::Overdue,
            (_, false) => StepKind::Expiring,
        },
        lowest,
        crossed,
    });
    // What had ended before we knew of it alarms nobody.
    let step = step.filter(|_| life.known_since <= life.not_after);
    Standing { step, quiet_until }
}

/// When a step is due; for what a program renews not before its renewal is overdue.
fn due_at(life: &Life, step: u8) -> Timestamp {
    let share = life.not_after.since(life.not_before) / 100 * u32::from(step);
    let at = life.not_after - share;
    match overdue_at(life) {
        Some(overdue) if step > 0 => at.max(overdue),
        Some(_) | None => at,
    }
}

/// When whoever renews by program is late: the window has passed, and a twentieth of the life, since
/// some look once a day only.
fn overdue_at(life: &Life) -> Option<Timestamp> {
    if !life.automated {
        return None;
    }
    let window = renewal::suggest(
        life.not_before,
        life.not_after,
        false,
        life.renewal,
        life.not_before,
    );
    let grace = life.not_after.since(life.not_before) / 20;
    Some((window.end + grace).min(life.not_after))
}

/// Longer than an expired certificate is looked at.
const FOR_GOOD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn at(day: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(day * DAY)
    }

    fn life(days: u64, automated: bool) -> Life {
        Life {
            not_before: at(0),
            not_after: at(days),
            known_since: at(0),
            automated,
            renewal: None,
        }
    }

    fn told(life: &Life, told: Option<u8>, now: Timestamp) -> Option<(StepKind, u8, Vec<u8>)> {
        standing(life, &Ladder::default(), told, now)
            .step
            .map(|step| (step.kind, step.lowest, step.crossed))
    }

    #[test]
    fn a_certificate_of_a_hundred_days_is_told_of_on_its_thresholds() {
        let life = life(100, false);
        let expiring =
            |lowest, crossed: &[u8]| Some((StepKind::Expiring, lowest, crossed.to_vec()));
        for (before, day, step) in [
            (None, 66, None),
            (None, 67, expiring(33, &[33])),
            (Some(33), 84, None),
            (Some(33), 85, expiring(15, &[15])),
            (Some(15), 95, expiring(5, &[5])),
            (None, 96, expiring(5, &[33, 15, 5])),
            (Some(5), 100, Some((StepKind::Expired, 0, vec![0]))),
            (Some(0), 101, None),
        ] {
            assert_eq!(told(&life, before, at(day)), step, "{before:?} {day}");
        }
    }

    #[test]
    fn nothing_is_looked_at_before_the_next_step() {
        let life = life(100, false);
        let ladder = Ladder::default();
        assert_eq!(standing(&life, &ladder, None, at(1)).quiet_until, at(67));
        assert_eq!(
            standing(&life, &ladder, Some(33), at(70)).quiet_until,
            at(85)
        );
        assert_eq!(standing(&life, &ladder, None, at(90)).quiet_until, at(95));
        assert!(standing(&life, &ladder, Some(0), at(101)).quiet_until > at(1000));
    }

    #[test]
    fn what_a_program_renews_is_silent_until_its_window_has_passed() {
        let life = life(90, true);
        for day in [60, 61, 63, 65] {
            assert_eq!(told(&life, None, at(day)), None, "{day}");
        }
        assert_eq!(
            told(&life, None, at(66)),
            Some((StepKind::Overdue, 33, vec![33]))
        );
        assert_eq!(
            told(&life, Some(33), at(77)),
            Some((StepKind::Expiring, 15, vec![15]))
        );
        assert_eq!(
            told(&life, None, at(90)),
            Some((StepKind::Expired, 0, vec![33, 15, 5, 0]))
        );
    }

    #[test]
    fn an_overdue_renewal_is_told_before_any_threshold() {
        let ladder = Ladder::try_from(vec![10]).unwrap();
        let life = life(6, true);
        let step = standing(&life, &ladder, None, at(4)).step.unwrap();
        assert_eq!((step.kind, step.lowest), (StepKind::Overdue, OVERDUE));
        assert!(step.crossed.is_empty());
        assert_eq!(standing(&life, &ladder, Some(OVERDUE), at(4)).step, None);
    }

    #[test]
    fn a_clock_set_back_tells_nothing_twice() {
        let life = life(100, false);
        for day in [0, 50, 84] {
            assert_eq!(told(&life, Some(15), at(day)), None, "{day}");
        }
    }

    #[test]
    fn what_had_ended_before_it_was_known_alarms_nobody() {
        let imported = Life {
            known_since: at(110),
            ..life(100, false)
        };
        assert_eq!(told(&imported, None, at(111)), None);
    }

    #[test]
    fn ladders_are_sorted_and_joined() {
        let one = Ladder::try_from(vec![5, 30]).unwrap();
        let other = Ladder::try_from(vec![30, 10, 0]).unwrap();
        let joined = one.joined([&other]);
        assert_eq!(joined.steps().collect::<Vec<_>>(), [30, 10, 5, 0]);
        assert_eq!(joined.key(), "30-10-5-0");
        assert_eq!(Ladder::try_from(vec![60]).unwrap().first_look([]), 60);
        assert_eq!(one.first_look([]), EARLIEST_RENEWAL);
        let early = RenewalRules {
            begin_percent: 20,
            end_percent: 30,
        };
        assert_eq!(one.first_look([early]), 70);
        assert_eq!(Ladder::try_from(vec![]), Err(LadderFault::Length));
        assert_eq!(Ladder::try_from(vec![5, 5]), Err(LadderFault::Twice(5)));
        assert_eq!(Ladder::try_from(vec![95]), Err(LadderFault::TooEarly(95)));
    }
}
