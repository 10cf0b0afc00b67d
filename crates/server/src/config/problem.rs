//! What is wrong with a configuration, where it stands and how to mend it.

use std::fmt;

use serde::Serialize;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The server does not start.
    Error,
    /// The server starts, but probably not as meant.
    Warning,
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The key concerned, or empty for the file as a whole.
    pub key: String,
    /// Where the value stands: a file and line, an environment variable or a flag.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

impl Problem {
    /// An error.
    pub fn error(
        key: impl Into<String>,
        place: impl fmt::Display,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            key: key.into(),
            place: place.to_string(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The same as a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: ")?;
        match (self.key.is_empty(), self.place.is_empty()) {
            (true, true) => {}
            (true, false) => write!(f, "{}: ", self.place)?,
            (false, true) => write!(f, "{}: ", self.key)?,
            (false, false) => write!(f, "{} ({}): ", self.key, self.place)?,
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// The configuration cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the configuration cannot be used:{}", listed(.0))]
pub struct ConfigError(pub Vec<Problem>);

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {problem}"))
        .collect()
}
