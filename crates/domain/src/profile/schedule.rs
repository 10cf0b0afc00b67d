//! Caps of validity that depend on the day of issuance, such as the CA/Browser Forum's.

use std::time::Duration;

use jiff::civil::{Date, date};
use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a certificate may live at most, by the day on which it is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValiditySchedule {
    /// One that is known by name.
    Named(NamedSchedule),
    /// An own one; before its first step there is no cap.
    Steps(Vec<ValidityStep>),
}

/// Schedules of the CA/Browser Forum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedSchedule {
    /// TLS Baseline Requirements section 6.3.2: 200, 100 and 47 days.
    #[serde(rename = "sc-081v3")]
    Sc081v3,
    /// Code Signing Baseline Requirements section 6.3.2: 460 days.
    CodeSigning,
    /// S/MIME Baseline Requirements section 6.3.2, strict and multipurpose: 825 days.
    Smime,
}

/// From this day on, this many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidityStep {
    /// The day begins at midnight UTC.
    pub from: Date,
    pub days: u32,
}

impl ValiditySchedule {
    /// The longest lifetime, both ends counted, of what is issued at `instant`.
    pub fn longest(&self, instant: Timestamp) -> Option<Duration> {
        let day = instant.civil().date();
        let steps = match self {
            Self::Named(named) => named.steps(),
            Self::Steps(steps) => steps,
        };
        steps
            .iter()
            .rev()
            .find(|step| step.from <= day)
            .map(|step| Duration::from_secs(u64::from(step.days) * 86_400))
    }
}

impl NamedSchedule {
    fn steps(self) -> &'static [ValidityStep] {
        match self {
            Self::Sc081v3 => SC_081V3,
            Self::CodeSigning => CODE_SIGNING,
            Self::Smime => SMIME,
        }
    }
}

const fn step(from: Date, days: u32) -> ValidityStep {
    ValidityStep { from, days }
}

const SC_081V3: &[ValidityStep] = &[
    step(date(2020, 9, 1), 398),
    step(date(2026, 3, 15), 200),
    step(date(2027, 3, 15), 100),
    step(date(2029, 3, 15), 47),
];
const CODE_SIGNING: &[ValidityStep] = &[step(date(2016, 2, 1), 1187), step(date(2026, 3, 1), 460)];
const SMIME: &[ValidityStep] = &[step(date(2023, 9, 1), 825)];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(NamedSchedule::Sc081v3, "2026-03-14T23:59:59Z", 398)]
    #[case(NamedSchedule::Sc081v3, "2026-03-15T00:00:00Z", 200)]
    #[case(NamedSchedule::Sc081v3, "2027-03-14T23:59:59Z", 200)]
    #[case(NamedSchedule::Sc081v3, "2027-03-15T00:00:00Z", 100)]
    #[case(NamedSchedule::Sc081v3, "2029-03-14T23:59:59Z", 100)]
    #[case(NamedSchedule::Sc081v3, "2029-03-15T00:00:00Z", 47)]
    #[case(NamedSchedule::CodeSigning, "2026-11-01T00:00:00Z", 460)]
    #[case(NamedSchedule::Smime, "2026-11-01T00:00:00Z", 825)]
    fn i06_a_cap_switches_at_midnight_utc(
        #[case] schedule: NamedSchedule,
        #[case] at: &str,
        #[case] days: u64,
    ) {
        let longest = ValiditySchedule::Named(schedule).longest(at.parse().unwrap());
        assert_eq!(longest, Some(Duration::from_secs(days * 86_400)));
    }

    #[test]
    fn an_own_schedule_is_read_and_has_no_cap_before_its_first_step() {
        let text = r#"[{"from": "2027-01-01", "days": 30}]"#;
        let schedule: ValiditySchedule = serde_json::from_str(text).unwrap();
        assert_eq!(
            schedule.longest("2026-12-31T00:00:00Z".parse().unwrap()),
            None
        );
        assert!(
            schedule
                .longest("2027-01-01T00:00:00Z".parse().unwrap())
                .is_some()
        );
        let named: ValiditySchedule = serde_json::from_str("\"sc-081v3\"").unwrap();
        assert_eq!(named, ValiditySchedule::Named(NamedSchedule::Sc081v3));
        assert!(serde_json::from_str::<ValiditySchedule>("\"sc-082\"").is_err());
    }
}
