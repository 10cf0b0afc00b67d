//! What the rules write down: every violation always, and what was passed where somebody wants to
//! know why. One list serves deciding and explaining, so that the two cannot disagree.

use serde::{Deserialize, Serialize};

use super::Violation;
use crate::identifier::Identifier;

/// What one rule said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The rule, dotted: `names.wildcard`.
    pub rule: String,
    pub outcome: Outcome,
    /// What was looked at, with its values.
    pub message: String,
    /// What would mend it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The name it is about, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// The profile has no such rule, or the request nothing that it is about.
    NotApplicable,
}

/// Collects what the rules say.
#[derive(Debug, Default)]
pub struct Ledger {
    violations: Vec<Violation>,
    /// `None` where only the violations matter: then nothing is written about what was passed.
    steps: Option<Vec<Step>>,
}

impl Ledger {
    /// Takes down violations only.
    pub fn brief() -> Self {
        Self::default()
    }

    /// Takes down every rule.
    pub fn full() -> Self {
        Self {
            violations: Vec::new(),
            steps: Some(Vec::new()),
        }
    }

    /// A rule is broken.
    pub fn failed(&mut self, violation: Violation) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step {
                rule: violation.rule.clone(),
                outcome: Outcome::Failed,
                message: violation.message.clone(),
                fix: violation.fix.clone(),
                identifier: violation.identifier.clone(),
            });
        }
        self.violations.push(violation);
    }

    /// A rule holds.
    pub fn passed(&mut self, rule: &str, text: impl FnOnce() -> String) {
        self.note(rule, Outcome::Passed, text);
    }

    /// There is nothing to hold a rule against.
    pub fn not_applicable(&mut self, rule: &str, text: impl FnOnce() -> String) {
        self.note(rule, Outcome::NotApplicable, text);
    }

    /// A rule that holds if nothing was found against it since `before`.
    pub fn passed_unless(&mut self, before: usize, rule: &str, text: impl FnOnce() -> String) {
        if self.violations.len() == before {
            self.passed(rule, text);
        }
    }

    /// How many violations there are so far.
    pub fn count(&self) -> usize {
        self.violations.len()
    }

    /// What was taken down.
    pub fn close(self) -> (Vec<Violation>, Vec<Step>) {
        (self.violations, self.steps.unwrap_or_default())
    }

    fn note(&mut self, rule: &str, outcome: Outcome, text: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step {
                rule: rule.to_owned(),
                outcome,
                message: text(),
                fix: None,
                identifier: None,
            });
        }
    }
}
