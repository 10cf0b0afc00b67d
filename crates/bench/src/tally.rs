//! What was measured, in counts and in histograms of microseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::flow::{Step, Timing};

/// Durations, with three digits of precision.
#[derive(Clone)]
pub struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Self {
        // Three digits is a fixed, valid precision; the fallback would be without digits, not without counts.
        let histogram = Histogram::new(3).or_else(|_| Histogram::new(0));
        // Unwrap safety: the only error is a precision above five digits.
        Self(histogram.expect("a precision that the histogram offers"))
    }
}

impl Durations {
    /// One more.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // A histogram that grows by itself takes every value.
        let _ = self.0.record(micros);
    }

    /// All of another.
    pub fn add(&mut self, other: &Self) {
        // Nor is there a value that fits one growing histogram and not another.
        let _ = self.0.add(&other.0);
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// In milliseconds, as reports show them.
    pub fn summary(&self) -> Percentiles {
        let at = |quantile| millis(self.0.value_at_quantile(quantile));
        Percentiles {
            mean_ms: self.0.mean() / 1000.0,
            p50_ms: at(0.50),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: millis(self.0.max()),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration of 285 years would lose a microsecond"
)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// A histogram in five numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// The arithmetic mean.
    pub mean_ms: f64,
    /// The median.
    pub p50_ms: f64,
    /// 95 of 100 are faster.
    pub p95_ms: f64,
    /// 99 of 100 are faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// The flows of one account, or of all.
#[derive(Default)]
pub struct Tally {
    /// Whole flows that succeeded.
    pub flows: Durations,
    /// Their steps, in the order of [`Step::ALL`].
    pub steps: [Durations; Step::ALL.len()],
    /// Failures by kind, each with one example.
    pub errors: BTreeMap<String, Failures>,
}

/// Failures of one kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// The first one's full text.
    pub example: String,
}

impl Tally {
    /// One flow succeeded.
    pub fn succeeded(&mut self, timing: &Timing) {
        self.flows.record(timing.whole);
        for (step, duration) in &timing.steps {
            let of_step = Step::ALL.iter().zip(&mut self.steps);
            for (_, durations) in of_step.filter(|(candidate, _)| *candidate == step) {
                durations.record(*duration);
            }
        }
    }

    /// One flow failed.
    pub fn failed(&mut self, kind: String, text: String) {
        let failures = self.errors.entry(kind).or_default();
        failures.count += 1;
        if failures.example.is_empty() {
            failures.example = text;
        }
    }

    /// All of another.
    pub fn add(&mut self, other: Self) {
        self.flows.add(&other.flows);
        for (mine, theirs) in self.steps.iter_mut().zip(&other.steps) {
            mine.add(theirs);
        }
        for (kind, failures) in other.errors {
            let mine = self.errors.entry(kind).or_default();
            mine.count += failures.count;
            if mine.example.is_empty() {
                mine.example = failures.example;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_of_accounts_add_up() {
        let timing = Timing {
            steps: vec![(Step::Order, Duration::from_millis(2))],
            whole: Duration::from_millis(10),
        };
        let mut one = Tally::default();
        one.succeeded(&timing);
        one.failed("timeout".into(), "the first".into());
        let mut all = Tally::default();
        all.failed("timeout".into(), "an earlier one".into());
        all.add(one);
        assert_eq!(all.flows.count(), 1);
        assert_eq!(all.steps[0].count(), 1);
        assert_eq!(all.errors["timeout"].count, 2);
        assert_eq!(all.errors["timeout"].example, "an earlier one");
        let whole = all.flows.summary();
        assert!((9.9..=10.1).contains(&whole.p99_ms), "{whole:?}");
    }
}
